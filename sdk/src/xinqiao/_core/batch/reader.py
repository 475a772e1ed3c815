"""Verification of many rows: sent in batches, taken up where they break off, given out once verified."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from xinqiao._core import flow
from xinqiao._core.api.bundles import check_alone
from xinqiao._core.api.id_numbers import encrypt_id_numbers
from xinqiao._core.transport.idempotency import key_on_error
from xinqiao._core.wire.questions import QuestionsAsked, question_pairs, verification_body
from xinqiao._core.wire.uscc import log_mistyped
from xinqiao.errors import ConfigurationError, LimitReached, ServerUnavailable, XinqiaoError

from .answer import BatchAnswer, read_batch
from .parsing import row_result
from .results import RowResult

if TYPE_CHECKING:
    from xinqiao._core.flow import Flow
    from xinqiao._core.session import Session
    from xinqiao._core.wire.closed_lists import BundleName, Purpose

#: A USCC, or a pair of a USCC and its own questions.
RowAsked: TypeAlias = str | tuple[str, QuestionsAsked]
LARGEST_BATCH: Final = 10_000
#: Bytes of one batch's request.
LARGEST_BODY: Final = 16 * 1024 * 1024
#: Seconds that are waited for a quota.
LONGEST_WAIT: Final = 120.0
#: Seconds between two looks at a quota, so that more than a line fits.
SHORTEST_WAIT: Final = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedBatch:
    """The rows of one batch: codes, tags asked of each (None: those of a bundle), and the body."""

    usccs: tuple[str, ...]
    tags: tuple[tuple[str, ...] | None, ...]
    body: bytes = field(repr=False)


@dataclass(slots=True, kw_only=True)
class BatchReader:
    """Reads rows and gives out their results, batch by batch."""

    rows: Iterator[RowAsked] | AsyncIterator[RowAsked]
    purpose: Purpose
    questions: QuestionsAsked
    bundle: BundleName | None
    idempotency_key: str | None
    progress: Callable[[int], object] | None
    longest_wait: float
    batch_size: int
    _shared: list[tuple[str, Any]] = field(default_factory=list)
    _held: list[RowAsked] = field(default_factory=list)
    _batches: int = 0
    _answered: int = 0
    _reported: int = 0

    def __post_init__(self) -> None:
        """Refuse what cannot be sent."""
        self._shared = question_pairs(self.questions)
        check_alone(self.bundle, self._shared)
        if not 1 <= self.batch_size <= LARGEST_BATCH:
            raise ConfigurationError(f"A batch has 1 to {LARGEST_BATCH} rows.")

    def next_results(self, session: Session) -> Flow[tuple[RowResult, ...] | None]:
        """The results of the next batch, or None after the last."""
        with key_on_error(session, self.idempotency_key) as key:
            self.idempotency_key = key
            rows = yield from self._next_rows()
            if not rows:
                return None
            self._batches += 1
            batch_key = f"{key}.{self._batches}"
            asked = yield from self._asked(session, rows, batch_key)
            answer = yield from self._answer(session, asked, batch_key)
            results = tuple(
                row_result(answer, place, row=self._answered + place, uscc=uscc, asked=tags)
                for place, (uscc, tags) in enumerate(zip(asked.usccs, asked.tags, strict=True))
            )
            self._answered += len(results)
            self._report(0)
            return results

    def _next_rows(self) -> Flow[list[RowAsked]]:
        most = self.batch_size - len(self._held)
        rows = self.rows
        more: list[RowAsked] = yield from flow.invoke(lambda: _some(rows, most))
        held, self._held = [*self._held, *more], []
        return held

    def _asked(self, session: Session, rows: list[RowAsked], key: str) -> Flow[AskedBatch]:
        """The batch of these rows; what does not fit its size is held back."""
        usccs: list[str] = []
        tags: list[tuple[str, ...] | None] = []
        lines: list[bytes] = []
        size = 0
        for place, row in enumerate(rows):
            uscc, own = (row, None) if isinstance(row, str) else row
            pairs = self._shared if own is None else question_pairs(own)
            bundle = self.bundle if own is None else None
            if not pairs and bundle is None:
                raise ConfigurationError(f"No questions are asked of {uscc!r}.")
            log_mistyped(uscc)
            sent = yield from encrypt_id_numbers(session, uscc, pairs, f"{key}.{place}")
            body = {"line": place, **verification_body(uscc, self.purpose, sent, bundle=bundle)}
            line = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
            size += len(line)
            if lines and size > LARGEST_BODY:
                self._held = rows[place:]
                break
            usccs.append(uscc)
            tags.append(tuple(tag for tag, _ in pairs) if bundle is None else None)
            lines.append(line)
        return AskedBatch(usccs=tuple(usccs), tags=tuple(tags), body=b"".join(lines))

    def _answer(self, session: Session, asked: AskedBatch, key: str) -> Flow[BatchAnswer]:
        """The batch's answer, once all of it has been answered that the quotas let through."""
        while True:
            answer = yield from self._complete(session, asked, key)
            waits = answer.waits
            if not waits or max(waits) > self.longest_wait:
                return answer
            yield from flow.pause(max(*waits, SHORTEST_WAIT))

    def _complete(self, session: Session, asked: AskedBatch, key: str) -> Flow[BatchAnswer]:
        """The batch's answer with its manifest: taken up again as long as there is progress."""
        policy, world = session.settings.retry, session.world
        tried, furthest = 0, 0
        while True:
            reached = 0

            def report(lines: int) -> None:
                nonlocal reached
                reached = lines
                self._report(lines)

            try:
                return (
                    yield from read_batch(
                        session, asked.body, lines=len(asked.usccs), key=key, report=report
                    )
                )
            except (ServerUnavailable, LimitReached) as error:
                tried = 0 if reached > furthest else tried
                furthest = max(furthest, reached)
                wait = self._wait(policy.wait(tried, error, elapsed=0, chance=world.chance), error)
                if wait is None:
                    raise
                tried += 1
            yield from flow.pause(wait)

    def _wait(self, wait: float | None, error: XinqiaoError) -> float | None:
        """The policy's wait; that for a quota too, where it is short enough."""
        if isinstance(error, LimitReached) and error.retry_after is not None:
            return None if error.retry_after > self.longest_wait else float(error.retry_after)
        return wait

    def _report(self, lines: int) -> None:
        """Tell the progress; a batch that is taken up counts from where it was."""
        reached = self._answered + lines
        if self.progress is not None and reached > self._reported:
            self._reported = reached
            self.progress(reached)


def _some(
    rows: Iterator[RowAsked] | AsyncIterator[RowAsked], most: int
) -> list[RowAsked] | Awaitable[list[RowAsked]]:
    """The next rows, at most so many; to be awaited where they are."""
    return _awaited(rows, most) if isinstance(rows, AsyncIterator) else list(islice(rows, most))


async def _awaited(rows: AsyncIterator[RowAsked], most: int) -> list[RowAsked]:
    found: list[RowAsked] = []
    while len(found) < most and (row := await anext(rows, None)) is not None:
        found.append(row)
    return found
