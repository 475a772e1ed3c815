"""A batch is judged row by row and taken as a whole: what is rejected leaves the others alone.

A delivery never brings a record back: what was repaired or withdrawn stays so, whatever is delivered
under its key.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.creditfile.catalogue import Catalogue
from gateway.creditfile.days import day_of
from gateway.creditfile.intake.judging import USCC, Judge
from gateway.creditfile.intake.merging import Delivery, merge
from gateway.creditfile.intake.staging import Liner, liner_for, lines_of
from gateway.creditfile.intake.verdicts import (
    Accepted,
    Outcome,
    Rejected,
    Source,
    Taken,
    Warned,
)
from gateway.creditfile.mapping import Problem
from gateway.creditfile.vault import Vault

HELD_BY_ANOTHER: Final = Problem(field=USCC, reason="held by another source")
UNWRITABLE: Final = Problem(field="?", reason="has characters that are no characters")
_TAKEN: Final = {
    "created": Taken.CREATED,
    "updated": Taken.UPDATED,
    "unchanged": Taken.UNCHANGED,
    "older": Taken.UNCHANGED,
    "foreign": Taken.REJECTED,
}
_STAYS: Final = {"repaired": Warned.STAYS_REPAIRED, "withdrawn": Warned.STAYS_WITHDRAWN}


@dataclass(slots=True, kw_only=True)
class Judged:
    """A batch after judgement: what is to be merged, and what is not and why, by row."""

    accepted: dict[int, Accepted] = field(default_factory=dict)
    superseded: dict[int, Accepted] = field(default_factory=dict)
    rejected: dict[int, Rejected] = field(default_factory=dict)
    payload: bytes = b""


def judged(rows: Iterable[Mapping[str, Any]], judge: Judge, liner: Liner) -> Judged:
    """Judge every row; of rows with the same key the last one counts."""
    batch = Judged()
    last: dict[tuple[str, str], int] = {}
    for number, row in enumerate(rows):
        verdict = judge.judge(row)
        if isinstance(verdict, Rejected):
            batch.rejected[number] = verdict
            continue
        key = verdict.uscc, verdict.key
        if key in last:
            earlier = last[key]
            batch.superseded[earlier] = batch.accepted.pop(earlier)
        last[key] = number
        batch.accepted[number] = verdict
    batch.payload, unwritable = lines_of(liner, batch.accepted.items())
    for number in unwritable:
        del batch.accepted[number]
        batch.rejected[number] = Rejected(problems=(UNWRITABLE,))
    return batch


async def take(
    connection: AsyncConnection,
    source: Source,
    dataset: str,
    rows: Sequence[Mapping[str, Any]],
    *,
    now: datetime,
    catalogue: Catalogue,
    vault: Vault,
) -> tuple[Outcome, ...]:
    """Take a batch in the transaction of `connection`, and say of each row what became of it.

    A row is a mapping of the dataset's fields (JSON values) with `uscc`, and where wanted `key` and
    `source_time`. A source is asked for one dataset in one transaction. Raises
    `UnknownDatasetError`.
    """
    judge = Judge(catalogue, dataset, today=day_of(now))
    batch = judged(rows, judge, liner_for(catalogue, dataset, source, vault))
    delivery = Delivery(
        source=source, dataset=dataset, catalogue_version=catalogue.version, now=now
    )
    merging = await merge(connection, delivery, batch.payload)
    outcomes = {found["row"]: _outcome(found, batch) for found in await merging.outcomes()}
    outcomes |= {
        number: Outcome(row=number, outcome=Taken.REJECTED, problems=each.problems)
        for number, each in batch.rejected.items()
    }
    later = {(o.uscc, o.key): o for o in outcomes.values()}
    outcomes |= {
        number: _superseded(number, each, later) for number, each in batch.superseded.items()
    }
    return tuple(outcomes[number] for number in sorted(outcomes))


def _outcome(found: Mapping[str, Any], batch: Judged) -> Outcome:
    row = batch.accepted[found["row"]]
    verdict, held = found["verdict"], found["held_version"]
    if verdict == "foreign":
        return Outcome(
            row=found["row"],
            outcome=Taken.REJECTED,
            key=row.key,
            uscc=row.uscc,
            problems=(HELD_BY_ANOTHER,),
        )
    more = [Warned.OLDER] if verdict == "older" else []
    if found["mark"] in _STAYS:
        more.append(_STAYS[found["mark"]])
    return Outcome(
        row=found["row"],
        outcome=_TAKEN[verdict],
        key=row.key,
        uscc=row.uscc,
        record_id=found["record_id"],
        version=1 if held is None else held + (verdict == "updated"),
        warnings=(*row.warnings, *more),
    )


def _superseded(
    number: int, row: Accepted, later: Mapping[tuple[str | None, str | None], Outcome]
) -> Outcome:
    """What holds now is the later row's."""
    held = later.get((row.uscc, row.key))
    made = Outcome(
        row=number,
        outcome=Taken.UNCHANGED,
        key=row.key,
        uscc=row.uscc,
        warnings=(*row.warnings, Warned.SUPERSEDED),
    )
    if held is None or held.outcome is Taken.REJECTED:
        return made
    return replace(made, record_id=held.record_id, version=held.version)
