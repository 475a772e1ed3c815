"""Summary of a delivery on the terminal. It names rows and columns, never what stands in them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from rich.cells import cell_len
from rich.text import Text

from xinqiao.cli import _printing, _show
from xinqiao.cli._language import Language, code_label, dataset_label, with_code

from .texts import text

if TYPE_CHECKING:
    from pathlib import Path

    from xinqiao._core.api.uploads import JobStatus

    from .report import Notes
    from .reporting import Reported

_COUNTS: Final = ("rows", "created", "updated", "unchanged", "rejected")
_MOST_ROWS: Final = 5
_MOST_COLUMNS: Final = 20


def note(said: str, *, style: str = "dim") -> None:
    """Print a note beside the output."""
    _printing.notes.print(said, style=style, highlight=False, soft_wrap=True)


def show_arrived(job: JobStatus, language: Language, *, as_json: bool) -> None:
    """Print that the file has arrived, and how to see the result."""
    if as_json:
        _show.json(job.evidence)
        return
    _line(text("arrived", language, job_id=job.job_id), style="bold green")


def show(
    job: JobStatus, path: Path, reported: Reported, language: Language, *, as_json: bool
) -> None:
    """Print the result of a job: counts, what was left out, warnings, columns of rejected cells."""
    document = job.document
    if as_json:
        _show.json(job.evidence)
    elif document["rows"] or job.state == "done":
        _show_counts(document, path, language)
        _show_columns("rejected_rows", reported.rejected, language)
    if isinstance(sentence := document.get("sentence"), str):
        note(f"✘ {path.name}: {sentence}", style="bold red")
        note(f"  {text('kept_before_stop' if job.rows else 'nothing_kept', language)}", style="")
    if reported.path is not None:
        note(text("report_written", language, path=reported.path), style="")
        if reported.listed < document["rejected"]:
            note(text("listed", language, count=f"{reported.listed:,}"), style="yellow")
    if reported.obstacle is not None:
        why = text(reported.obstacle, language)
        note(text("numbers_only", language, why=why), style="yellow")


def _show_counts(job: Mapping[str, Any], path: Path, language: Language) -> None:
    dataset = str(job["dataset"])
    name = with_code(dataset_label(dataset, language), dataset)
    is_whole = job["state"] == "done" and not job["rejected"]
    mark = ("✔", "bold green") if is_whole else ("✘", "bold red")
    _line(f"{mark[0]} {path.name} → {name}", style=mark[1])
    shown = [*_COUNTS, *(["passed_over"] if job.get("passed_over") else [])]
    labels = {name: text(f"count_{name}", language) for name in shown}
    width = max(map(cell_len, labels.values()))
    digits = max(len(f"{job[name]:,}") for name in shown)
    for name, label in labels.items():
        padded = f"  {label}{' ' * (width - cell_len(label))}  "
        style = "bold red" if name == "rejected" and job[name] else ""
        _printing.out.print(
            Text(padded, style="cyan").append(f"{job[name]:>{digits},}", style=style)
        )
    for kind, count in sorted((job.get("warnings") or {}).items()):
        label = with_code(code_label("warnings", kind, language), kind)
        _line(f"  ! {text('warning_of', language, kind=label, count=f'{count:,}')}", style="yellow")
    if ignored := job.get("ignored_columns"):
        comma = "、" if language is Language.ZH else ", "
        _line(f"  {text('ignored_columns', language)}{comma.join(ignored)}", style="dim")


def _show_columns(title: str, notes: Notes, language: Language) -> None:
    """Print the columns with rejected cells, each with its first rows."""
    rows_of: defaultdict[str, list[int]] = defaultdict(list)
    for number, entries in notes.items():
        for column in dict.fromkeys(each.column for each in entries):
            rows_of[column].append(number)
    if not rows_of:
        return
    _line(text(title, language), style="bold")
    comma = "、" if language is Language.ZH else ", "
    by_count = sorted(rows_of.items(), key=lambda item: -len(item[1]))
    for column, numbers in by_count[:_MOST_COLUMNS]:
        more = " …" if len(numbers) > _MOST_ROWS else ""
        said = text(
            "column_rows",
            language,
            column=column or text("whole_row", language),
            count=f"{len(numbers):,}",
            rows=comma.join(map(str, numbers[:_MOST_ROWS])) + more,
        )
        _line(f"  {said}")


def _line(said: str, *, style: str = "") -> None:
    _printing.out.print(said, style=style, highlight=False, soft_wrap=True)
