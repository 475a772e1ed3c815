"""Conversion of stored natural keys to the current folding, a few enterprises per transaction.

Resumable; ingest is stopped meanwhile (`key_version`). Personal fields are bound to the key and so
encrypted again; history keeps its earlier keys.

If two records become one, the ended one prevails (withdrawn before repaired before suspended), else
the newer. The other moves to history as part of the one kept, and is deleted with it.
"""

import itertools
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import orjson
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from gateway.creditfile.catalogue import Catalogue
from gateway.creditfile.natural_keys import KEYS_VERSION, fold, key_of
from gateway.creditfile.objections import store as objections
from gateway.creditfile.personal_fields import open_record, seal_record, sealed_row_name
from gateway.creditfile.records import Record
from gateway.creditfile.repairs import store as repairs
from gateway.creditfile.watches.changed_files import note_changed
from gateway.db.statements import Statement
from gateway.disclosure import withdrawal_notices
from gateway.disclosure.withdrawal_notices import ChangedRecord, RecordKind
from gateway.privacy.field_encryption import SealBrokenError, Vault

BATCH_ENTERPRISES: Final = 500
"""Enterprises per transaction."""
MERGED: Final = "merged"
"""Change kind in the history of a merged record."""

_BEGIN: Final = Statement("""
    INSERT INTO key_folding (version) VALUES (:version) ON CONFLICT DO NOTHING""")
_ANEW: Final = Statement("""
    UPDATE key_folding SET reached = '', finished_at = NULL WHERE version = :version""")
_REACHED: Final = Statement("""
    SELECT reached, finished_at FROM key_folding WHERE version = :version FOR UPDATE""")
_MOVE: Final = Statement("""
    UPDATE key_folding SET reached = :reached, finished_at = CAST(:finished_at AS timestamptz)
     WHERE version = :version""")
_NEXT: Final = Statement("""
    SELECT DISTINCT uscc FROM record WHERE uscc > :reached ORDER BY uscc LIMIT :enterprises""")
_KEYS: Final = Statement("""
    SELECT r.uscc, r.dataset, r.source_id, r.natural_key,
           CAST((SELECT jsonb_object_agg(name, r.fields -> name)
                   FROM unnest(CAST(:names AS text[])) AS name) AS text) AS fields
      FROM record AS r WHERE r.uscc = ANY(CAST(:usccs AS text[]))""")
_LOCK: Final = Statement("""
    SELECT CAST(to_jsonb(r) AS text) FROM record AS r WHERE r.uscc = :uscc
     ORDER BY r.record_id FOR UPDATE""")
# Frees the former keys, which other records may take.
_FREE_KEYS: Final = Statement("""
    UPDATE record SET natural_key = record_id
     WHERE uscc = :uscc AND record_id = ANY(CAST(:record_ids AS text[]))""")
_PUT: Final = Statement("""
    UPDATE record SET natural_key = :key, personal = :personal, digests = CAST(:digests AS jsonb)
     WHERE uscc = :uscc AND record_id = :record_id""")
_KEEP: Final = Statement("""
    INSERT INTO record_history (uscc, record_id, version, replaced_at, change, reason, actor, row,
                                personal, merged_into)
    SELECT r.uscc, r.record_id, r.version, greatest(CAST(:now AS timestamptz), r.received_at),
           :change, :reason, 'xinqiao',
           (to_jsonb(r) - 'personal') || jsonb_build_object('natural_key', CAST(:key AS text)),
           r.personal, :into
      FROM record AS r WHERE r.uscc = :uscc AND r.record_id = :record_id""")
_LINK: Final = Statement("""
    UPDATE record_history SET merged_into = :into
     WHERE uscc = :uscc AND (record_id = :record_id OR merged_into = :record_id)""")
_DELETE: Final = Statement("""
    DELETE FROM record WHERE uscc = :uscc AND record_id = :record_id""")
_REPORT: Final = Statement(f"""
    SELECT h.row ->> 'source_id' AS source_id, h.uscc, h.row ->> 'dataset' AS dataset,
           h.row ->> 'natural_key' AS key, h.record_id, h.merged_into,
           CASE WHEN r.withdrawn_at IS NOT NULL THEN 'withdrawn'
                WHEN r.repaired_at IS NOT NULL THEN 'repaired'
                WHEN r.suspended_at IS NOT NULL THEN 'suspended' ELSE 'newer' END AS prevailed,
           r.natural_key AS kept_key
      FROM record_history AS h
      JOIN record AS r ON r.uscc = h.uscc AND r.record_id = h.merged_into
     WHERE h.change = '{MERGED}'
       AND (CAST(:source AS text) IS NULL OR h.row ->> 'source_id' = CAST(:source AS text))
     ORDER BY 1, 2, 3, 4, 5""")  # noqa: S608  # a constant


class UnreadableError(Exception):
    """No key in the file opens the personal fields of a record whose key is to be folded."""


@dataclass(slots=True, kw_only=True)
class RekeyedBatch:
    """Result of one transaction."""

    records: int
    folded: int = 0
    merged: int = 0
    given_up: int = 0
    """Records whose personal fields could not be decrypted and were dropped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MergedRecord:
    """A record merged into another, as reported to its source."""

    source_id: str
    uscc: str
    dataset: str
    key: str
    record_id: str
    merged_into: str
    prevailed: str
    kept_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Group:
    """Records with one key under the current folding; the prevailing one comes first."""

    key: str
    records: Sequence[Record]

    @property
    def is_unchanged(self) -> bool:
        return len(self.records) == 1 and self.records[0].natural_key == self.key


async def refold_keys(
    engine: AsyncEngine,
    vault: Vault,
    catalogue: Catalogue,
    *,
    now: datetime,
    enterprises: int = BATCH_ENTERPRISES,
    give_up_unreadable: bool = False,
    anew: bool = False,
) -> AsyncIterator[RekeyedBatch]:
    """Convert all or the remaining stored keys; yields each transaction's result.

    `anew` starts from the first record. Raises `UnreadableError` if personal fields would be lost
    and `give_up_unreadable` is not set.
    """
    async with engine.begin() as connection:
        await connection.execute(_BEGIN, {"version": KEYS_VERSION})
        if anew:
            await connection.execute(_ANEW, {"version": KEYS_VERSION})
    folding = _Folding(vault, catalogue, now=now, give_up_unreadable=give_up_unreadable)
    while True:
        async with engine.begin() as connection:
            done = await _convert_batch(connection, folding, enterprises)
        if done is None:
            return
        yield done


async def merged_records(
    connection: AsyncConnection, source_id: str | None = None
) -> list[MergedRecord]:
    """All merged records, of one source or of all."""
    found = await connection.execute(_REPORT, {"source": source_id})
    return [MergedRecord(**row) for row in found.mappings()]


async def _convert_batch(
    connection: AsyncConnection, folding: "_Folding", enterprises: int
) -> RekeyedBatch | None:
    version = {"version": KEYS_VERSION}
    progress = (await connection.execute(_REACHED, version)).one()
    if progress.finished_at is not None:
        return None
    reached = {"reached": progress.reached}
    found = await connection.execute(_NEXT, reached | {"enterprises": enterprises})
    usccs = found.scalars().all()
    if not usccs:
        await connection.execute(_MOVE, version | reached | {"finished_at": folding.now})
        return None
    rows = (await connection.execute(_KEYS, {"usccs": usccs, "names": folding.names})).all()
    batch = RekeyedBatch(records=len(rows))
    for uscc in sorted({row.uscc for row in rows if folding.changes(row)}):
        await folding.fold(connection, uscc, batch)
    await connection.execute(_MOVE, version | {"reached": usccs[-1], "finished_at": None})
    return batch


class _Folding:
    """Converts the keys of one enterprise after the other."""

    def __init__(
        self, vault: Vault, catalogue: Catalogue, *, now: datetime, give_up_unreadable: bool
    ) -> None:
        self._vault = vault
        self._keys = {code: catalogue.dataset(code).key for code in catalogue.codes}
        self._give_up = give_up_unreadable
        self.now = now
        self.names = sorted({name for key in self._keys.values() for name in key})

    def changes(self, row: Any) -> bool:
        """True if a row of `_KEYS` has another key under the current folding."""
        held: str = row.natural_key
        return self._key(row.dataset, held, orjson.loads(row.fields)) != held

    async def fold(self, connection: AsyncConnection, uscc: str, counts: RekeyedBatch) -> None:
        """Convert one enterprise's keys; its records stay locked until the transaction ends."""
        found = (await connection.execute(_LOCK, {"uscc": uscc})).scalars().all()
        records = [Record.from_json(orjson.loads(row)) for row in found]
        groups = [each for each in self._groups(records) if not each.is_unchanged]
        moved = [r.record_id for each in groups for r in each.records if r.natural_key != each.key]
        await connection.execute(_FREE_KEYS, {"uscc": uscc, "record_ids": moved})
        for group in groups:
            kept, *others = group.records
            for other in others:
                await self._merge(connection, other, kept)
                counts.merged += 1
            if kept.natural_key != group.key:
                counts.given_up += await self._put(connection, kept, group.key)
                counts.folded += 1
        await note_changed(connection, [uscc])

    def _groups(self, records: Sequence[Record]) -> Iterator[_Group]:
        def place(record: Record) -> tuple[str, str, str]:
            key = self._key(record.dataset, record.natural_key, record.fields)
            return record.dataset, record.source_id, key

        for (_, _, key), same in itertools.groupby(sorted(records, key=place), key=place):
            yield _Group(key=key, records=sorted(same, key=_precedence, reverse=True))

    def _key(self, dataset: str, stored_key: str, fields: Mapping[str, Any]) -> str:
        """Key from the fields, as for a delivery, since the stored key has lost its spelling."""
        parts = [fields.get(name) for name in self._keys.get(dataset, ())]
        return fold(stored_key) if not parts or None in parts else key_of(parts)

    async def _put(self, connection: AsyncConnection, record: Record, key: str) -> bool:
        """Store a record under its new key; true if its personal fields were dropped."""
        row = sealed_row_name(record.uscc, record.source_id, record.dataset, key)
        try:
            opened, lost = open_record(self._vault, record), False
        except SealBrokenError:
            if not self._give_up:
                raise UnreadableError(UnreadableError.__doc__) from None
            opened, lost = {}, True
        personal, digests = seal_record(self._vault, row, opened)
        values = {"key": key, "personal": personal, "digests": digests}
        await connection.execute(
            _PUT, {"uscc": record.uscc, "record_id": record.record_id, **values}
        )
        return lost

    async def _merge(self, connection: AsyncConnection, record: Record, kept: Record) -> None:
        """Move a record into history as part of `kept`, and notify clients that received it."""
        identity = {"uscc": record.uscc, "record_id": record.record_id, "into": kept.record_id}
        entry = {
            "now": self.now,
            "change": MERGED,
            "reason": f"one record under {KEYS_VERSION}",
            "key": record.natural_key,
        }
        await connection.execute(_KEEP, identity | entry)
        await connection.execute(_LINK, identity)
        await connection.execute(_DELETE, identity)
        kind = _notice(record, kept)
        if kind is not None:
            gone = ChangedRecord(
                uscc=record.uscc, dataset=record.dataset, record_id=record.record_id
            )
            await withdrawal_notices.notify_changed_records(connection, kind, [gone], now=self.now)
        await repairs.move_to_merged(connection, record, kept)
        if not _has_ended(kept):
            await objections.move_to_merged(connection, record, kept)


def _precedence(record: Record) -> tuple[bool, bool, bool, datetime, datetime, str]:
    """Sort key of the record that prevails, the highest first."""
    marks = record.withdrawn_at, record.repaired_at, record.suspended_at
    withdrawn, repaired, suspended = (each is not None for each in marks)
    received = record.received_at or record.source_time
    return withdrawn, repaired, suspended, record.source_time, received, record.record_id


def _has_ended(record: Record) -> bool:
    return record.withdrawn_at is not None or record.repaired_at is not None


def _notice(gone: Record, kept: Record) -> RecordKind | None:
    """R14: kind of withdrawal notice for clients that received the merged record, if any."""
    if kept.withdrawn_at is not None:
        return None if gone.withdrawn_at is not None else "record_withdrawn"
    if kept.repaired_at is not None:
        return None if gone.repaired_at is not None else "record_repaired"
    if kept.suspended_at is not None:
        return None if gone.suspended_at is not None else "record_suspended"
    return "record_corrected"
