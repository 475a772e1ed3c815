"""Publication of checkpoints: committed, then stored outside the database, then served.

A checkpoint is served only once every store has it. A publication that was interrupted is completed by
the next round of any worker.
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from prometheus_client import Gauge
from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from gateway.db.statements import Statement
from gateway.signing.keys import KeyRing
from gateway.transparency import merkle
from gateway.transparency.checkpoint_stores import (
    CheckpointStore,
    StoreChangedError,
    StoredCheckpoint,
    StoreError,
)
from gateway.transparency.checkpoints import NoteError, TreeHead, open_checkpoint, sign_checkpoint
from gateway.transparency.disclosure_leaf import MERGE_SECONDS
from gateway.transparency.rollback import (
    Comparison,
    DatabaseLog,
    LogForkedError,
    compare,
    fork_sentence,
    loss_sentence,
)
from gateway.transparency.tiles import edge_runs, node_hashes
from gateway.transparency.tree_store import read_hashes_in_transaction

MAX_FAILING_SECONDS: Final = MERGE_SECONDS / 2  # later, inclusion promises would be broken
DATABASE_SECONDS: Final = 5.0
WORKER_MEMORY: Final = "the memory of this running worker"
FORK_COMPARISONS: Final = frozenset({Comparison.AHEAD, Comparison.DIVERGED})

READ_PUBLISHED_SIZE: Final = Statement(
    "SELECT max(size) FROM checkpoint WHERE published_at IS NOT NULL"
)
READ_NEWEST: Final = Statement("""
    SELECT size, root, note, published_at FROM checkpoint ORDER BY size DESC LIMIT 1""")
MARK_PUBLISHED: Final = Statement("""
    UPDATE checkpoint SET published_at = :now WHERE size = :size AND published_at IS NULL""")

FORKED_GAUGE: Final = Gauge(
    "xinqiao_log_forked",
    "1 if a worker stopped because the signed log would fork",
    multiprocess_mode="livemax",
)
FAILING_SINCE_GAUGE: Final = Gauge(
    "xinqiao_log_checkpoint_failing_since_timestamp_seconds",
    "Since when no checkpoint can be kept outside the database; 0 if it can",
    multiprocess_mode="livemax",
)
PUBLISHED_SIZE_GAUGE: Final = Gauge(
    "xinqiao_log_published_size",
    "Entries of the newest checkpoint that was seen published",
    multiprocess_mode="livemax",
)


@dataclass(slots=True, kw_only=True)
class LogStatus:
    """State of the log in one worker: forked or not, and how long its stores have failed."""

    forked: asyncio.Event = field(default_factory=asyncio.Event)
    clock: Callable[[], float] = time.monotonic
    _failing_since: float | None = None
    _failing_for: float = 0.0
    _trouble: str | None = None

    @property
    def is_fit(self) -> bool:
        """False for good after a fork, and while stores have failed for `MAX_FAILING_SECONDS`."""
        return not self.forked.is_set() and self._failing_for <= MAX_FAILING_SECONDS

    def fork(self) -> None:
        """Record a fork; the worker stops for good."""
        self.forked.set()
        FORKED_GAUGE.set(1)

    def fail(self, trouble: str) -> bool:
        """Record that a store failed; true if the problem is a new one."""
        is_news, self._trouble = trouble != self._trouble, trouble
        now = self.clock()
        if self._failing_since is None:
            self._failing_since = now
            FAILING_SINCE_GAUGE.set_to_current_time()
        self._failing_for = (
            now - self._failing_since
        )  # without time in which the process was paused
        return is_news

    def succeed(self) -> None:
        """Record that all stores were compared and written."""
        self._failing_since = self._trouble = None
        self._failing_for = 0.0
        FAILING_SINCE_GAUGE.set(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreFinding:
    """One store's checkpoint compared with the database's log, or why it cannot be compared."""

    place: str
    store: CheckpointStore | None = None
    kept: StoredCheckpoint | None = None
    head: TreeHead | None = None
    trouble: str | None = None
    comparison: Comparison | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """The log in the database, compared with every store."""

    log: DatabaseLog
    newest: Row[Any] | None
    findings: tuple[StoreFinding, ...]

    def demand_fit(self) -> None:
        """Raise `LogForkedError` or `StoreError` unless every store is consistent with the log."""
        self.demand_comparable()
        for each in self.findings:
            if each.comparison is not Comparison.CONSISTENT:
                raise StoreError(loss_sentence(each.place, each.head, self.log))

    def demand_comparable(self) -> None:
        """Raise `LogForkedError` or `StoreError` if a store contradicts the log or cannot be read."""
        for each in self.findings:
            if each.head is not None and each.comparison in FORK_COMPARISONS:
                raise LogForkedError(fork_sentence(each.place, each.head, self.log))
        for each in self.findings:
            if each.trouble is not None:
                raise StoreError(each.trouble)

    def outdated(self) -> list[StoreFinding]:
        """The stores without the newest checkpoint."""
        return [
            each
            for each in self.findings
            if each.store is not None and (each.head is None or each.head.size < self.log.size)
        ]


@dataclass(slots=True, kw_only=True)
class Publisher:
    """Compares the log with the stores, writes its newest checkpoint to them, and publishes it."""

    engine: AsyncEngine
    keys: KeyRing
    origin: str
    stores: Sequence[CheckpointStore]
    now: Callable[[], datetime]
    status: LogStatus = field(default_factory=LogStatus)
    _seen: TreeHead | None = None
    """The newest published tree head seen by this worker, to detect a database that was rolled back."""

    async def check(self) -> None:
        """Raise `LogForkedError` or `StoreError` unless the log is consistent with every store."""
        (await self.survey()).demand_fit()

    async def publish(self) -> bool:
        """Check, write the newest checkpoint to every store, publish; false if another worker is at it."""
        survey = await self.survey()
        survey.demand_fit()
        newest = survey.newest
        if newest is None:
            return True
        note = newest.note.encode()
        if outdated := survey.outdated():
            self._opened(note, "The newest checkpoint in the database cannot be kept")
            try:
                await replace_all(outdated, note)
            except StoreChangedError:
                return False
        if newest.published_at is None:
            await self.mark_published(newest.size)
        self._seen = TreeHead(newest.size, newest.root)
        PUBLISHED_SIZE_GAUGE.set(newest.size)
        return True

    async def survey(self) -> Survey:
        """Read the database, the stores, and the database again, in this order."""
        async with asyncio.timeout(DATABASE_SECONDS), self.engine.connect() as connection:
            published = (await connection.execute(READ_PUBLISHED_SIZE)).scalar_one()
        read = await asyncio.gather(*map(self._read, self.stores))
        async with asyncio.timeout(DATABASE_SECONDS), self.engine.connect() as connection:
            newest = (await connection.execute(READ_NEWEST)).one_or_none()
            size = newest.size if newest else 0
            heads = [each.head for each in read if each.head is not None]
            if self._seen is not None:
                heads.append(self._seen)
            sizes = {head.size for head in heads if head.size <= size}
            log = DatabaseLog(
                published=published,
                newest=TreeHead(newest.size, newest.root) if newest else None,
                roots={each: await root_at(connection, each) for each in sizes},
            )
        findings = [_compared(each, log) for each in read]
        if self._seen is not None and compare(self._seen, log) in FORK_COMPARISONS:
            findings.append(_compared(StoreFinding(place=WORKER_MEMORY, head=self._seen), log))
        return Survey(log=log, newest=newest, findings=tuple(findings))

    async def mark_published(self, size: int) -> None:
        """Mark the checkpoint of `size` as published: every store has it, or a larger one."""
        async with asyncio.timeout(DATABASE_SECONDS), self.engine.begin() as connection:
            await connection.execute(MARK_PUBLISHED, {"size": size, "now": self.now()})

    async def adopt(self, survey: Survey) -> list[StoreFinding]:
        """Write the newest tree head, newly signed, to the outdated stores; which these were.

        For new or emptied stores, on an operator's decision.
        """
        survey.demand_comparable()
        head = survey.log.newest
        if head is None:
            return []
        key = self.keys.current("log", self.now())
        note = sign_checkpoint(self.origin, head.size, head.root, key)
        await replace_all(survey.outdated(), note.encode())
        await self.mark_published(head.size)
        return survey.outdated()

    async def _read(self, store: CheckpointStore) -> StoreFinding:
        try:
            kept = await store.read()
            head = self._opened(kept.content, f"{store.name} cannot be used") if kept else None
        except StoreError as trouble:
            return StoreFinding(place=store.name, store=store, trouble=str(trouble))
        return StoreFinding(place=store.name, store=store, kept=kept, head=head)

    def _opened(self, note: bytes, complaint: str) -> TreeHead:
        try:
            return open_checkpoint(note, self.origin, self.keys.published_for("log"))
        except NoteError as error:
            raise StoreError(f"{complaint}: {error}.") from None


async def replace_all(findings: Iterable[StoreFinding], note: bytes) -> None:
    """Write `note` to these stores; raises the first `StoreError` after all were tried."""
    outcomes = await asyncio.gather(
        *(each.store.replace(each.kept, note) for each in findings if each.store is not None),
        return_exceptions=True,
    )
    for error in outcomes:
        if error is not None:
            raise error


async def root_at(connection: AsyncConnection, size: int) -> bytes:
    """The root of the first `size` leaves, from the stored tree."""
    hashes = await read_hashes_in_transaction(connection, edge_runs(size))
    return merkle.span_root((0, size), node_hashes(hashes))


def _compared(finding: StoreFinding, log: DatabaseLog) -> StoreFinding:
    if finding.trouble is not None:
        return finding
    return replace(finding, comparison=compare(finding.head, log))
