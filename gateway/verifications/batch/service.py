"""Answers a batch: sets of lines as they arrive, in order, and a signed manifest over them at the end."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from gateway.access.errors import (
    IdempotencyConflictError,
    InvalidRequestError,
    raise_if_refused,
)
from gateway.runtime import Runtime
from gateway.transparency import merkle
from gateway.verifications.batch import store
from gateway.verifications.batch.answer_lines import SET_SIZE, AnsweredLine, LineAnswerer
from gateway.verifications.batch.line_source import LineSource
from gateway.verifications.batch.line_splitter import RawLine
from gateway.verifications.batch.lines import Line, LineParser
from gateway.verifications.batch.manifest import Manifest, line_leaf
from gateway.verifications.batch.store import OpenBatch

UNDER_WAY: Final = 3
"""Sets of one batch that are answered at once: one is read, one evaluated, one written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SetUnderWay:
    """A set that is being answered."""

    usccs: frozenset[str | None]
    task: asyncio.Task[Sequence[AnsweredLine]]


@dataclass(slots=True, kw_only=True)
class BatchRun:
    """The answering of one batch."""

    runtime: Runtime
    batch: OpenBatch
    source: LineSource
    answerer: LineAnswerer
    is_keyed: bool
    _parser: LineParser = field(default_factory=LineParser)
    _held: Sequence[Line] = ()
    _prefix: bytes = b""
    _prepaid: int = 1
    _numbers: list[int] = field(default_factory=list)
    _leaves: list[bytes] = field(default_factory=list)

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """The answered lines, some at a time; then the manifest. Raises what ends the batch early."""
        under_way: deque[SetUnderWay] = deque()
        try:
            while not self.source.is_cut:
                if len(under_way) < UNDER_WAY and (lines := self._next(under_way)):
                    under_way.append(self._begin(lines))
                elif under_way:
                    yield self._told(await under_way.popleft().task)
                elif not await self.source.wait():
                    break
            if not self.source.is_cut:
                yield await self._manifest()
        finally:
            for each in under_way:
                each.task.cancel()
                with suppress(asyncio.CancelledError, Exception):
                    await each.task

    def _next(self, under_way: Sequence[SetUnderWay]) -> Sequence[Line]:
        """The next set, unless one of its enterprises is being asked about: its calls go in order."""
        if not self._held:
            self._held = [self._parsed(raw) for raw in self.source.take(SET_SIZE)]
        asked = {line.uscc for line in self._held if line.uscc is not None}
        if any(not asked.isdisjoint(each.usccs) for each in under_way):
            return ()
        lines, self._held = self._held, ()
        return lines

    def _parsed(self, raw: RawLine) -> Line:
        """The line, if the body so far is the one that its key stands for."""
        marked = self.batch.prefixes.get(raw.position)
        if marked is not None and marked != self._stored(raw.prefix):
            raise IdempotencyConflictError
        self._prefix = raw.prefix
        return self._parser.parse(raw)

    def _begin(self, lines: Sequence[Line]) -> SetUnderWay:
        prepaid, self._prepaid = self._prepaid, 0
        work = self._answered(lines, self._prefix, prepaid)
        return SetUnderWay(
            usccs=frozenset(line.uscc for line in lines), task=asyncio.create_task(work)
        )

    async def _answered(
        self, lines: Sequence[Line], prefix: bytes, prepaid: int
    ) -> Sequence[AnsweredLine]:
        async with self.runtime.batch_slots.turn:
            if self.is_keyed:
                marked = self._stored(prefix)
                await store.mark(self.runtime.hot, self.batch.batch_id, lines[-1].position, marked)
            return raise_if_refused(await self.answerer.answer(lines, prepaid=prepaid))

    def _stored(self, prefix: bytes) -> bytes:
        """A body's digest as it is stored: keyed, since a line may hold an ID number."""
        return self.runtime.digests.of("request", prefix)

    def _told(self, answered: Sequence[AnsweredLine]) -> bytes:
        self._numbers += [each.number for each in answered]
        self._leaves += [line_leaf(each.text) for each in answered]
        return "".join(f"{each.text}\n" for each in answered).encode()

    async def _manifest(self) -> bytes:
        if not self._leaves:
            raise InvalidRequestError("A batch has one line at least.")
        now = self.runtime.now()
        manifest = Manifest(
            batch_id=self.batch.batch_id,
            lines=len(self._leaves),
            root=merkle.root(self._leaves),
            request_digest=self.source.body_digest,
            created=now,
        )
        text = manifest.signed(self.runtime.keys.current("response", now))
        await store.finish(
            self.runtime.hot,
            self.runtime.vault,
            self.batch.batch_id,
            manifest=text,
            numbers=self._numbers,
            leaves=self._leaves,
        )
        return f"{text}\n".encode()
