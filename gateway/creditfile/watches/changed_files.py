"""Outbox of enterprises whose file has changed, written in the transaction of the change.

Rows are written without a look at the lists, so that a list put while the change is under way misses
nothing. Intake pays one statement for each batch, however many clients watch.
"""

from collections.abc import Collection, Sequence
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.creditfile.catalogue import Catalogue
from gateway.creditfile.disclosure_policy import SERIOUS_LIST
from gateway.db.statements import Statement
from verification import QUESTIONS, is_watchable

USCCS_PER_ROW: Final = 100
ROWS_AT_ONCE: Final = 5


_NOTE: Final = Statement("""
    INSERT INTO changed_file (usccs) VALUES (CAST(:usccs AS text[]))""")
_TAKE: Final = Statement("""
    DELETE FROM changed_file WHERE change_id IN (
        SELECT change_id FROM changed_file ORDER BY change_id LIMIT :limit)
    RETURNING usccs""")
_WAITING: Final = Statement("SELECT count(*) FROM changed_file")
_STILL_NOTED: Final = Statement("""
    SELECT DISTINCT uscc FROM changed_file CROSS JOIN unnest(usccs) AS uscc
    WHERE uscc = ANY(CAST(:usccs AS text[]))""")


def datasets_of(questions: Collection[str]) -> frozenset[str]:
    """The datasets on which these questions depend."""
    return frozenset(
        dataset for each in QUESTIONS if each.tag in questions for dataset in each.datasets
    )


WATCHABLE_DATASETS: Final = datasets_of([each.tag for each in QUESTIONS if is_watchable(each)])


def note_sql(changed: str) -> str:
    """SQL that notes the enterprises of the query `changed`, each once."""
    return f"""
INSERT INTO changed_file (usccs)
SELECT array_agg(uscc) FROM (
    SELECT uscc, (row_number() OVER () - 1) / {USCCS_PER_ROW} AS part
      FROM (SELECT DISTINCT uscc FROM ({changed}) AS changed) AS one) AS parts
 GROUP BY part"""  # noqa: S608  # constants


def is_watched(dataset: str, catalogue: Catalogue) -> bool:
    """True where an answer that can be watched may depend on this dataset."""
    return dataset in context_datasets(WATCHABLE_DATASETS, catalogue)


def context_datasets(datasets: Collection[str], catalogue: Catalogue) -> Sequence[str]:
    """These datasets of the catalogue, and those on which the disclosure of their records depends."""
    more = {SERIOUS_LIST, *(other for _, other in catalogue.ending_with(datasets))}
    return sorted({*datasets, *more} & set(catalogue.codes))


async def note_changed(connection: AsyncConnection, usccs: Collection[str]) -> None:
    """Note that the files of these enterprises have changed in this transaction."""
    each = sorted(set(usccs))
    for start in range(0, len(each), USCCS_PER_ROW):
        await connection.execute(_NOTE, {"usccs": each[start : start + USCCS_PER_ROW]})


async def take_changed(connection: AsyncConnection) -> Sequence[str] | None:
    """Take the oldest notes off the outbox: their enterprises, each once; `None` if there are none."""
    taken = (await connection.execute(_TAKE, {"limit": ROWS_AT_ONCE})).scalars().all()
    return sorted({uscc for usccs in taken for uscc in usccs}) if taken else None


async def still_noted(connection: AsyncConnection, usccs: Collection[str]) -> frozenset[str]:
    """Those of these enterprises that are on the outbox."""
    if not usccs:
        return frozenset()
    found = await connection.execute(_STILL_NOTED, {"usccs": sorted(usccs)})
    return frozenset(found.scalars())


async def count_waiting(connection: AsyncConnection) -> int:
    """Number of rows on the outbox."""
    return int((await connection.execute(_WAITING)).scalar_one())
