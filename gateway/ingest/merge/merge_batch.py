"""Merge of a staged batch into records: classifies each row as created, updated, unchanged or foreign.

A transaction-level advisory lock serialises one source's deliveries of one dataset (and all
registrations), so that they neither deadlock nor lose an update. All other writers lock records in
key order, or one at a time.
"""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import orjson
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.creditfile.catalogue import Catalogue
from gateway.creditfile.file_changes import affects_others, notify_updates
from gateway.creditfile.natural_key_version import IS_CURRENT, KeysDueError
from gateway.creditfile.records import REGISTRATION, Record
from gateway.creditfile.watches.changed_files import is_watched
from gateway.db.distribution import IS_DISTRIBUTED
from gateway.db.locks import LOCK_NAMED, LockNamespace
from gateway.db.statements import Statement
from gateway.identity.representatives import record_changes
from gateway.ingest.merge.arrival_notices import is_noticed, note_arrivals
from gateway.ingest.merge.merge_sql import BY_KEY, RESET_PLANNER, STATEMENTS
from gateway.ingest.merge.staging_table import (
    COPY_NULL,
    RECORD_STAGING,
    StagingTable,
    staging_table_of,
)
from gateway.ingest.results import Source
from gateway.notices.kinds import NoticeKind
from gateway.notices.outbox import note_each

_LOCK: Final = Statement(
    f"SELECT {IS_CURRENT} AS is_current, {IS_DISTRIBUTED} AS is_distributed, {LOCK_NAMED}"
)
_PIECE: Final = 1 << 18


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeInput:
    """Source, dataset, catalogue and time of a merge."""

    source: Source
    dataset: str
    catalogue: Catalogue
    now: datetime

    @property
    def target(self) -> StagingTable:
        """Staging table for the dataset."""
        return staging_table_of(self.dataset)


class MergedBatch:
    """One merged batch; the staged rows exist until the transaction ends."""

    def __init__(
        self,
        connection: AsyncConnection,
        driver: Any,  # asyncpg's connection
        merge_input: MergeInput,
        *,
        is_distributed: bool,
    ) -> None:
        self._connection = connection
        self._driver = driver
        self._statements = STATEMENTS[merge_input.target.table, is_distributed]
        self._values: Mapping[str, Any] = {
            "source": merge_input.source.source_id,
            "source_name": merge_input.source.name,
            "source_uscc": merge_input.source.uscc,
            "dataset": merge_input.dataset,
            "catalogue": merge_input.catalogue.version,
            "now": merge_input.now,
            "kind": "record_corrected",
            "affects_others": affects_others(merge_input.dataset, merge_input.catalogue),
        }

    async def run(self, target: StagingTable, payload: bytes) -> None:
        """Stage `payload` and merge it."""
        statements = self._statements
        await self._driver.execute(statements.prepare)
        await self._driver.copy_to_table(
            target.staged,
            source=_pieces(payload),
            columns=target.columns,
            format="text",
            null=COPY_NULL,
        )
        await self._execute(statements.classify, *statements.keep_superseded)
        if statements.new_representatives is not None:
            await self._note_representatives(statements.new_representatives)
        await self._execute(
            statements.update,
            # After the update: only then is every disclosure visible that the lock waited for.
            *statements.notify,
            statements.insert,
        )
        await self._driver.execute(RESET_PLANNER)

    async def _note_representatives(self, statement: Statement) -> None:
        """The consequences of changed representatives, while their rows are locked."""
        usccs = [row["uscc"] for row in await self._fetch(statement)]
        if usccs:
            kind, now = NoticeKind.REPRESENTATIVE_CHANGED, self._values["now"]
            await note_each(self._connection, kind, usccs, now=now)
            await record_changes(self._connection, usccs, now=now)

    async def note_changed(self) -> None:
        """Note the changed enterprises for those who watch them."""
        await self._execute(self._statements.changed)

    async def created(self) -> list[Record]:
        """New records of enterprises that notices reach, without personal fields."""
        reached = [row["uscc"] for row in await self._fetch_by_key(self._statements.reachable)]
        if not reached:
            return []
        rows = await self._fetch_by_key(self._statements.created, usccs=reached)
        return [Record.from_json(orjson.loads(row["held"])) for row in rows]

    async def noted(self) -> Sequence[Mapping[str, Any]]:
        """Rows to be listed by `row`, with `verdict` (`foreign`, `older`) and `mark`."""
        return await self._fetch(self._statements.noted)

    async def outcomes(self) -> Sequence[Mapping[str, Any]]:
        """For each staged row: `row`, `verdict`, `record_id`, `held_version`, `mark`."""
        return await self._fetch(self._statements.outcomes)

    async def counts(self) -> Sequence[Mapping[str, Any]]:
        """Number of rows for each `verdict` and `mark`."""
        return await self._fetch(self._statements.counts)

    async def earlier_records(self) -> Sequence[Record]:
        """The superseded records that a client was told, or on which others depend that it was told."""
        told = [row["held_id"] for row in await self._fetch_by_key(self._statements.told)]
        if not told:
            return []
        found = await self._fetch_by_key(self._statements.earlier, told=told)
        return [Record.from_json(orjson.loads(row["record"])) for row in found]

    async def _execute(self, *statements: Statement) -> None:
        for each in statements:
            arguments = [self._values[name] for name in each.names]
            await self._driver.execute(each.positional, *arguments)

    async def _fetch_by_key(self, statement: Statement, **more: Any) -> Sequence[Mapping[str, Any]]:
        """The rows of a statement that looks up by key, whatever statistics say."""
        await self._driver.execute(BY_KEY)
        found = await self._fetch(statement, **more)
        await self._driver.execute(RESET_PLANNER)
        return found

    async def _fetch(self, statement: Statement, **more: Any) -> Sequence[Mapping[str, Any]]:
        values = {**self._values, **more}
        arguments = [values[name] for name in statement.names]
        found: Sequence[Mapping[str, Any]] = await self._driver.fetch(
            statement.positional, *arguments
        )
        return found


async def _pieces(payload: bytes) -> AsyncIterator[bytes]:
    """Payload in pieces for COPY; given a file object, the driver would create a reference cycle."""
    for start in range(0, len(payload), _PIECE):
        yield payload[start : start + _PIECE]


async def merge(
    connection: AsyncConnection, merge_input: MergeInput, payload: bytes
) -> MergedBatch:
    """Merge a batch in the transaction of `connection`, without committing.

    Clients that received the record's earlier version get a notice (R14) that it was corrected, is told
    no more or is told again, as do those that received a record that depends on it; enterprises that can
    be reached get one of each bad record that is new.
    """
    is_distributed = await lock_dataset(
        connection, merge_input.source.source_id, merge_input.dataset
    )
    driver = (await connection.get_raw_connection()).driver_connection
    if driver is None:
        raise RuntimeError("The connection was closed.")
    merged = MergedBatch(connection, driver, merge_input, is_distributed=is_distributed)
    await merged.run(merge_input.target, payload)
    if merge_input.target is RECORD_STAGING:
        await notify_updates(
            connection, merge_input.catalogue, await merged.earlier_records(), now=merge_input.now
        )
    if is_watched(merge_input.dataset, merge_input.catalogue):
        await merged.note_changed()
    if is_noticed(merge_input.dataset, merge_input.catalogue):
        created = await merged.created()
        await note_arrivals(connection, created, merge_input.catalogue, now=merge_input.now)
    return merged


async def lock_dataset(connection: AsyncConnection, source_id: str, dataset: str) -> bool:
    """Lock this source's records of this dataset until the transaction ends.

    True where the records are distributed. Use `lock_datasets` for more than one. Raises `KeysDueError`.
    """
    values = {
        "namespace": LockNamespace.INGEST_DATASET.value,
        "name": _lock_name(source_id, dataset),
    }
    found = (await connection.execute(_LOCK, values)).one()
    if not found.is_current:
        raise KeysDueError(KeysDueError.__doc__)
    return bool(found.is_distributed)


async def lock_datasets(
    connection: AsyncConnection, source_id: str, datasets: Iterable[str]
) -> None:
    """Lock several datasets, in the order that every caller uses."""
    for dataset in sorted(datasets, key=lambda code: _lock_name(source_id, code)):
        await lock_dataset(connection, source_id, dataset)


def _lock_name(source_id: str, dataset: str) -> str:
    return REGISTRATION if dataset == REGISTRATION else f"{source_id}|{dataset}"
