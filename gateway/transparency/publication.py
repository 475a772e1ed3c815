"""Publication of checkpoints: committed first, then kept outside the database, then told.

A checkpoint that nobody outside has seen may be lost with the database; one that was told is kept
in every store before. What a kill leaves half done, the next round of any worker does.
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
from gateway.transparency.checkpoints import NoteError, TreeHead, opened, signed
from gateway.transparency.log_leaf import MERGE_SECONDS
from gateway.transparency.rollback import (
    Comparison,
    DatabaseLog,
    LogForkedError,
    compare,
    fork_sentence,
    loss_sentence,
)
from gateway.transparency.tiles import edge, nodes
from gateway.transparency.tree_store import hashes_within

PATIENCE_SECONDS: Final = MERGE_SECONDS / 2  # after that the promises of answers would be broken
DATABASE_SECONDS: Final = 5.0
OWN_MEMORY: Final = "the memory of this running worker"
FORKS: Final = frozenset({Comparison.AHEAD, Comparison.DIVERGED})

PUBLISHED: Final = Statement("SELECT max(size) FROM checkpoint WHERE published_at IS NOT NULL")
NEWEST: Final = Statement("""
    SELECT size, root, note, published_at FROM checkpoint ORDER BY size DESC LIMIT 1""")
PUBLISH: Final = Statement("""
    UPDATE checkpoint SET published_at = :now WHERE size = :size AND published_at IS NULL""")

FORKED: Final = Gauge(
    "xinqiao_log_forked", "1 if this worker stopped because the signed log would fork"
)
FAILING_SINCE: Final = Gauge(
    "xinqiao_log_checkpoint_failing_since_timestamp_seconds",
    "Since when no checkpoint can be kept outside the database; 0 if it can",
)
PUBLISHED_SIZE: Final = Gauge(
    "xinqiao_log_published_size", "Entries of the newest checkpoint that this worker saw published"
)


@dataclass(slots=True, kw_only=True)
class LogStatus:
    """Whether a worker may tell anything: its log is the one that was signed, as far as is known."""

    forked: asyncio.Event = field(default_factory=asyncio.Event)
    clock: Callable[[], float] = time.monotonic
    _failing_since: float | None = None
    _failing_for: float = 0.0
    _trouble: str | None = None

    @property
    def is_fit(self) -> bool:
        """False for good after a fork, and while store after store was unfit for some seconds."""
        return not self.forked.is_set() and self._failing_for <= PATIENCE_SECONDS

    def fork(self) -> None:
        """Stop for good."""
        self.forked.set()
        FORKED.set(1)

    def fail(self, trouble: str) -> bool:
        """Note that a store is unfit; true where that is news."""
        is_news, self._trouble = trouble != self._trouble, trouble
        now = self.clock()
        if self._failing_since is None:
            self._failing_since = now
            FAILING_SINCE.set_to_current_time()
        self._failing_for = now - self._failing_since  # as seen: not while the process was stopped
        return is_news

    def succeed(self) -> None:
        """Note that all was compared and kept."""
        self._failing_since = self._trouble = None
        self._failing_for = 0.0
        FAILING_SINCE.set(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What one place keeps, and how it stands to the database's log; or why that is not known."""

    place: str
    store: CheckpointStore | None = None
    kept: StoredCheckpoint | None = None
    head: TreeHead | None = None
    trouble: str | None = None
    comparison: Comparison | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """The log in the database beside everything that is kept outside."""

    log: DatabaseLog
    newest: Row[Any] | None
    findings: tuple[Finding, ...]

    def demand_fit(self) -> None:
        """Raise `LogForkedError` or `StoreError` unless every place is consistent with the log."""
        self.demand_comparable()
        for each in self.findings:
            if each.comparison is not Comparison.CONSISTENT:
                raise StoreError(loss_sentence(each.place, each.head, self.log))

    def demand_comparable(self) -> None:
        """Raise `LogForkedError` or `StoreError` if a place contradicts the log, or cannot be read."""
        for each in self.findings:
            if each.head is not None and each.comparison in FORKS:
                raise LogForkedError(fork_sentence(each.place, each.head, self.log))
        for each in self.findings:
            if each.trouble is not None:
                raise StoreError(each.trouble)

    def outdated(self) -> list[Finding]:
        """The stores that do not keep the newest checkpoint yet."""
        return [
            each
            for each in self.findings
            if each.store is not None and (each.head is None or each.head.size < self.log.size)
        ]


@dataclass(slots=True, kw_only=True)
class Publisher:
    """Compares the log with what is kept outside, keeps its newest checkpoint there, publishes it."""

    engine: AsyncEngine
    keys: KeyRing
    origin: str
    stores: Sequence[CheckpointStore]
    now: Callable[[], datetime]
    status: LogStatus = field(default_factory=LogStatus)
    _seen: TreeHead | None = None
    """The newest that this worker has published or found so: the database may be changed under it."""

    async def check(self) -> None:
        """Raise `LogForkedError` or `StoreError` unless the log may be told."""
        (await self.survey()).demand_fit()

    async def publish(self) -> bool:
        """Check; then keep the newest checkpoint in every store, and let it be told.

        False where another worker is doing that just now.
        """
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
        PUBLISHED_SIZE.set(newest.size)
        return True

    async def survey(self) -> Survey:
        """Read the database, the stores, and the database again, in this order."""
        async with asyncio.timeout(DATABASE_SECONDS), self.engine.connect() as connection:
            published = (await connection.execute(PUBLISHED)).scalar_one()
        read = await asyncio.gather(*map(self._read, self.stores))
        async with asyncio.timeout(DATABASE_SECONDS), self.engine.connect() as connection:
            newest = (await connection.execute(NEWEST)).one_or_none()
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
        if self._seen is not None and compare(self._seen, log) in FORKS:
            findings.append(_compared(Finding(place=OWN_MEMORY, head=self._seen), log))
        return Survey(log=log, newest=newest, findings=tuple(findings))

    async def mark_published(self, size: int) -> None:
        """Let the checkpoint of `size` be told: every store keeps it, or a larger one."""
        async with asyncio.timeout(DATABASE_SECONDS), self.engine.begin() as connection:
            await connection.execute(PUBLISH, {"size": size, "now": self.now()})

    async def adopt(self, survey: Survey) -> list[Finding]:
        """Keep the newest tree head, signed anew, wherever it is not kept yet; where that was.

        For a log that was never kept there, or whose checkpoint was lost: the caller has decided.
        """
        survey.demand_comparable()
        head = survey.log.newest
        if head is None:
            return []
        key = self.keys.current("log", self.now())
        note = signed(self.origin, head.size, head.root, key)
        await replace_all(survey.outdated(), note.encode())
        await self.mark_published(head.size)
        return survey.outdated()

    async def _read(self, store: CheckpointStore) -> Finding:
        try:
            kept = await store.read()
            head = self._opened(kept.content, f"{store.name} cannot be used") if kept else None
        except StoreError as trouble:
            return Finding(place=store.name, store=store, trouble=str(trouble))
        return Finding(place=store.name, store=store, kept=kept, head=head)

    def _opened(self, note: bytes, complaint: str) -> TreeHead:
        try:
            return opened(note, self.origin, self.keys.published_for("log"))
        except NoteError as error:
            raise StoreError(f"{complaint}: {error}.") from None


async def replace_all(findings: Iterable[Finding], note: bytes) -> None:
    """Keep `note` in these stores; raises the first `StoreError` after all were tried."""
    outcomes = await asyncio.gather(
        *(each.store.replace(each.kept, note) for each in findings if each.store is not None),
        return_exceptions=True,
    )
    for error in outcomes:
        if error is not None:
            raise error


async def root_at(connection: AsyncConnection, size: int) -> bytes:
    """The root of the first `size` leaves, from the kept tree; of no tree where leaves are missing."""
    hashes = await hashes_within(connection, edge(size))
    return merkle.span_root((0, size), nodes(hashes))


def _compared(finding: Finding, log: DatabaseLog) -> Finding:
    if finding.trouble is not None:
        return finding
    return replace(finding, comparison=compare(finding.head, log))
