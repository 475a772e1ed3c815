"""Staged rows become records set by set: what is new, what differs, what stays, what is another's.

One source's deliveries of one dataset (everybody's, of registrations) follow one another: a lock
that ends with the transaction sees to it, so two of them can neither deadlock nor lose an update.
Whoever else changes records locks them in the order of their keys, or one at a time.
"""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.creditfile.key_version import IS_CURRENT, KeysDueError
from gateway.creditfile.records import REGISTRATION
from gateway.db.statements import Statement
from gateway.ingest.merge_sql import AS_BEFORE, BY_TABLE
from gateway.ingest.results import Source
from gateway.ingest.staging_table import NULL, StagingTable, target_of

_LOCK: Final = Statement(
    f"SELECT {IS_CURRENT} AS is_current, pg_advisory_xact_lock(:namespace, hashtext(:name))"
)
_LOCKS: Final = 0x58514957  # "XQIW"
_PIECE: Final = 1 << 18


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeInput:
    """Who delivers what, and when."""

    source: Source
    dataset: str
    catalogue_version: str
    now: datetime

    @property
    def target(self) -> StagingTable:
        """Where its rows go."""
        return target_of(self.dataset)


class Merging:
    """One merged batch: the staged rows stand until the transaction ends."""

    def __init__(self, driver: Any, delivery: MergeInput) -> None:  # asyncpg's connection
        self._driver = driver
        self._statements = BY_TABLE[delivery.target.table]
        self._values: Mapping[str, Any] = {
            "source": delivery.source.source_id,
            "source_name": delivery.source.name,
            "source_uscc": delivery.source.uscc,
            "dataset": delivery.dataset,
            "catalogue": delivery.catalogue_version,
            "now": delivery.now,
            "kind": "record_corrected",
        }

    async def run(self, target: StagingTable, payload: bytes) -> None:
        """Stage `payload` and merge it."""
        of = self._statements
        await self._driver.execute(of.prepare)
        await self._driver.copy_to_table(
            target.staged,
            source=_pieces(payload),
            columns=target.columns,
            format="text",
            null=NULL,
        )
        for each in (
            of.classify,
            of.keep_superseded,
            *of.also,
            of.update,
            of.notify,  # not before: only then is every disclosure seen that the lock waited for
            of.insert,
        ):
            await self._driver.execute(each.positional, *self._arguments(each))
        await self._driver.execute(AS_BEFORE)

    async def foreign(self) -> list[int]:
        """The numbers of the rows that another source holds."""
        found = await self._driver.fetch(self._statements.foreign.positional)
        return [row["row"] for row in found]

    async def outcomes(self) -> Sequence[Mapping[str, Any]]:
        """Of each staged row: `row`, `verdict`, `record_id`, `held_version`, `mark`."""
        found: Sequence[Mapping[str, Any]] = await self._driver.fetch(
            self._statements.outcomes.positional
        )
        return found

    async def counts(self) -> Sequence[Mapping[str, Any]]:
        """How many rows there are of each `verdict` and `mark`."""
        found: Sequence[Mapping[str, Any]] = await self._driver.fetch(
            self._statements.counts.positional
        )
        return found

    def _arguments(self, statement: Statement) -> list[Any]:
        return [self._values[name] for name in statement.names]


async def _pieces(payload: bytes) -> AsyncIterator[bytes]:
    """What COPY is sent at once: of a file in memory the driver makes a circle, which stays."""
    for at in range(0, len(payload), _PIECE):
        yield payload[at : at + _PIECE]


async def merge(connection: AsyncConnection, delivery: MergeInput, payload: bytes) -> Merging:
    """Merge a batch in the transaction of `connection`; nothing is committed here.

    Whoever was told of a record as it was before gets a tombstone (R14).
    """
    await wait_for_turn(connection, delivery.source.source_id, delivery.dataset)
    driver = (await connection.get_raw_connection()).driver_connection
    if driver is None:
        message = "The connection was closed."
        raise RuntimeError(message)
    merging = Merging(driver, delivery)
    await merging.run(delivery.target, payload)
    return merging


async def wait_for_turn(connection: AsyncConnection, source_id: str, dataset: str) -> None:
    """Wait until no other transaction changes this source's records of this dataset.

    Whoever waits for two turns in one transaction takes them by `take_turns`. Raises `KeysDueError`.
    """
    name = _turn(source_id, dataset)
    found = await connection.execute(_LOCK, {"namespace": _LOCKS, "name": name})
    if not found.one().is_current:
        raise KeysDueError(KeysDueError.__doc__)


async def take_turns(connection: AsyncConnection, source_id: str, datasets: Iterable[str]) -> None:
    """Wait for several turns, in the order in which everybody waits for them."""
    for dataset in sorted(datasets, key=lambda code: _turn(source_id, code)):
        await wait_for_turn(connection, source_id, dataset)


def _turn(source_id: str, dataset: str) -> str:
    return REGISTRATION if dataset == REGISTRATION else f"{source_id}|{dataset}"
