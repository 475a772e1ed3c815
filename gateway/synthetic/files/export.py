"""Export of a synthetic province as files, reproducible from seed, day and number of parts.

Each part is a range of enterprises, streamed by its own process in constant memory.
"""

import json
import multiprocessing
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_EXCEPTION, Future, ProcessPoolExecutor, wait
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

import orjson

from gateway.creditfile.catalogue import load_catalogue
from gateway.creditfile.local_dates import day_of
from gateway.creditfile.record_mapping import natural_key
from gateway.creditfile.records import REGISTRATION
from gateway.synthetic.files.writers import DatasetFile, Format, WrittenFile
from gateway.synthetic.generator.delivered_rows import SOURCES, DeliveredRow, SyntheticEnterprise
from gateway.synthetic.generator.province import province

MANIFEST: Final = "manifest.json"
_ACTIONS: Final = {"repaired_at": "repair", "withdrawn_at": "withdraw"}
_REASON: Final = "合成数据：示例"
_PROGRESS_ROWS: Final = 500
_PROGRESS_SECONDS: Final = 0.25
_README: Final = """# A synthetic province 合成数据

Nothing here is real: no enterprise, person, number, address or credential. Made by
`xinqiao-gateway synth --entities {entities} --seed {seed} --today {today}`.

One file or more per dataset, in the form in which `xinqiao-gateway ingest` takes a department's
delivery; `registration` goes first. `actions-*.ndjson` are the repairs and withdrawals that the
sources decided afterwards. `manifest.json` has the rows and the SHA-256 of each file.
"""


class FinishedError(RuntimeError):
    """There is a finished province in this folder already; choose another one, or remove it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportPlan:
    """The parameters of an export."""

    folder: Path
    entities: int
    seed: int
    today: date
    parts: int = 2
    form: Format = Format.CSV


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenProvince:
    """The result of an export: rows by dataset, and the files."""

    rows: dict[str, int]
    files: tuple[WrittenFile, ...]

    @property
    def records(self) -> int:
        """The number of rows other than registrations."""
        return sum(rows for dataset, rows in self.rows.items() if dataset != REGISTRATION)


def write_province(
    plan: ExportPlan, on_progress: Callable[[int], None] = lambda _: None
) -> WrittenProvince:
    """Write all parts in parallel, then the manifest, which marks the export as complete.

    Raises `FinishedError` if the folder has a manifest already.
    """
    plan.folder.mkdir(parents=True, exist_ok=True)
    if (plan.folder / MANIFEST).exists():
        raise FinishedError(FinishedError.__doc__)
    context = multiprocessing.get_context("spawn")
    done = context.Array("q", plan.parts)
    with ProcessPoolExecutor(
        plan.parts, mp_context=context, initializer=_share_counts, initargs=(done,)
    ) as pool:
        running = [pool.submit(_write_counted_part, plan, part) for part in range(plan.parts)]
        _wait_for_parts(running, lambda: on_progress(sum(done[:])))
    files = tuple(file for each in running for file in each.result())
    rows: Counter[str] = Counter()
    for file in files:
        rows[file.dataset] += file.rows
    return _finish(plan, WrittenProvince(rows=dict(rows), files=files))


def write_part(
    plan: ExportPlan, part: int, on_progress: Callable[[int], None] = lambda _: None
) -> list[WrittenFile]:
    """Write one part of the province, counted from 0."""
    catalogue = load_catalogue()
    first, end = (plan.entities * each // plan.parts for each in (part, part + 1))
    stream = province(plan.seed, end, today=plan.today, catalogue=catalogue, first=first)
    with ExitStack() as stack:
        actions = stack.enter_context((plan.folder / f"actions-{part + 1:02}.ndjson").open("wb"))
        files = {
            dataset.code: DatasetFile(
                plan.folder / f"{dataset.code}-{part + 1:02}{plan.form.ending}", dataset, plan.form
            )
            for dataset in catalogue.datasets
        }
        for count, entity in enumerate(stream, start=1):
            for dataset, row in _rows(entity):
                files[dataset].write(row)
            for action in _actions(entity):
                actions.write(orjson.dumps(action, option=orjson.OPT_APPEND_NEWLINE))
            if count % _PROGRESS_ROWS == 0 or first + count == end:
                on_progress(count)
        return [file.close() for file in files.values()]


def _rows(entity: SyntheticEnterprise) -> Iterator[tuple[str, dict[str, Any]]]:
    yield (
        REGISTRATION,
        {
            **entity.registration.fields,
            **entity.personal,
            "source_time": _source_time(entity.registration),
        },
    )
    for each in entity.deliveries:
        yield (
            each.dataset,
            {"uscc": entity.uscc, **each.fields, "source_time": _source_time(each)},
        )


def _actions(entity: SyntheticEnterprise) -> Iterator[dict[str, Any]]:
    for each in entity.deliveries:
        for event, moment in each.events.items():
            if event in _ACTIONS:
                yield {
                    "dataset": each.dataset,
                    "uscc": entity.uscc,
                    "key": natural_key(entity.catalogue.dataset(each.dataset), each.fields),
                    "action": _ACTIONS[event],
                    "reason": _REASON,
                    "decided_on": day_of(moment).isoformat(),
                }


def _source_time(row: DeliveredRow) -> str:
    return f"{row.day.isoformat()}T09:00:00+08:00"


def _finish(plan: ExportPlan, made: WrittenProvince) -> WrittenProvince:
    sources = {dataset.code: SOURCES[dataset.source] for dataset in load_catalogue().datasets}
    manifest = {
        "synthetic": True,
        "seed": plan.seed,
        "today": plan.today.isoformat(),
        "entities": plan.entities,
        "records": made.records,
        "format": plan.form.value,
        "catalogue_version": load_catalogue().version,
        "rows": made.rows,
        "sources": {
            code: {"id": source_id, "name": name, "uscc": uscc}
            for code, (source_id, name, uscc) in sources.items()
        },
        "files": [asdict(file) for file in made.files],
    }
    (plan.folder / "README.md").write_text(
        _README.format(entities=plan.entities, seed=plan.seed, today=plan.today), encoding="utf-8"
    )
    (plan.folder / MANIFEST).write_text(
        json.dumps(manifest, ensure_ascii=False, indent=1) + "\n", encoding="utf-8"
    )
    return made


_counts: Any = None  # progress of each part, in memory shared with the parent process


def _share_counts(done: Any) -> None:
    global _counts  # noqa: PLW0603  # a pool's initializer has no other way
    _counts = done


def _write_counted_part(plan: ExportPlan, part: int) -> list[WrittenFile]:
    def store_progress(count: int) -> None:
        _counts[part] = count

    return write_part(plan, part, store_progress)


def _wait_for_parts(running: list[Future[list[WrittenFile]]], report: Callable[[], None]) -> None:
    """Wait for all parts, reporting progress; raises the first failure."""
    while True:
        ended, going = wait(running, timeout=_PROGRESS_SECONDS, return_when=FIRST_EXCEPTION)
        report()
        for each in ended:
            each.result()
        if not going:
            return
