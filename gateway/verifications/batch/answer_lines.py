"""Answers sets of lines, of a batch or a job: each line logged, counted and committed before it is told.

A set is admitted in one round trip to the limit store, and read and written in a few statements. What
has changed between read and write is answered again by itself, like a call. The answers, rows and counts
are those of the same calls one by one.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, NamedTuple, TypeAlias

import asyncpg
import structlog

from gateway.access.answer_loop import AdmittedCall
from gateway.access.authentication import Caller
from gateway.access.errors import IdempotencyConflictError, Refusal
from gateway.access.refused_request import RefusedRequest
from gateway.access.subject_uscc import code_warnings
from gateway.clients.agreements import Agreement
from gateway.db.statements import SetStatement
from gateway.db.unavailable import is_unavailable, makes_unfit, name_of
from gateway.disclosure.commit import (
    Committed,
    PendingDisclosure,
    commit_set,
    log_refusal,
    pending_refusal,
)
from gateway.disclosure.idempotency import IdempotencyKey, StoredAnswer
from gateway.limits.quotas import lines_admission
from gateway.runtime import Runtime
from gateway.verifications.batch.lines import Line, rounds
from gateway.verifications.batch.prepare_lines import prepare_lines
from gateway.verifications.batch.problem_lines import faulty_line, limit_refusal, line_problem
from gateway.verifications.permission import VerificationCall
from gateway.verifications.read_query import READ_INPUTS, read_values
from gateway.verifications.request import VerificationRequest
from gateway.verifications.service import PreparedAnswer, answer_verification
from verification import enterprise_code

SET_SIZE: Final = 200
"""Lines that are read and written together."""
BREATH: Final = 16
"""Lines that are evaluated before other calls of the worker have their turn."""
ALONE_AT_ONCE: Final = 8
REFUSED: Final = "refused"

IS_STORED: Final = SetStatement.lateral("""
    SELECT EXISTS (
        SELECT 1 FROM idempotency i
         WHERE i.uscc = CAST(:uscc AS text) AND i.client_id = CAST(:client_id AS text)
           AND i.key = ANY(CAST(:keys AS text[]))) AS is_stored""")
"""Whether a line was committed before."""

ReadLine: TypeAlias = tuple[Line, VerificationCall | None, asyncpg.Record | None]

log = structlog.get_logger("gateway.verifications.batch")


class AnsweredLine(NamedTuple):
    """A line's answer or problem, as it is sent; without a line's end."""

    number: int
    text: str
    is_told: bool = True
    """False where the line may be answered another time: it did not fit a quota, or failed."""


@dataclass(slots=True, kw_only=True)
class EvaluatedLines:
    """Lines of a set: answered before, to be committed, and to be answered by themselves."""

    answered: dict[int, AnsweredLine] = field(default_factory=dict)
    pending: list[tuple[Line, PendingDisclosure]] = field(default_factory=list)
    alone: list[tuple[Line, None]] = field(default_factory=list)

    def add(self, line: Line, prepared: PendingDisclosure | StoredAnswer | None) -> None:
        """Add a line with what was prepared for it; `None` if nothing was."""
        match prepared:
            case StoredAnswer():
                told = AnsweredLine(line.number, prepared.answer.decode())
                self.answered[line.position] = told
            case None:
                self.alone.append((line, None))
            case _:
                self.pending.append((line, prepared))


@dataclass(frozen=True, slots=True, kw_only=True)
class LineAnswerer:
    """Answers the lines of one batch or job of one client.

    `name` is the key that the lines' stored answers are found under; without one none are stored.
    `agreement` reads the client's status: a refusal ends the work. `again` is set where lines may have been
    committed before. Where a line that does not fit a quota `waits` it is no refused request: it is asked
    again later.
    """

    runtime: Runtime
    caller: Caller
    name: str | None
    agreement: Callable[[], Awaitable[Agreement | Refusal]]
    again: bool = False
    waits: bool = False

    async def answer(
        self, lines: Sequence[Line], *, prepaid: int = 0
    ) -> Sequence[AnsweredLine] | Refusal:
        """The answers in order, or the refusal that ends the work: nothing of these lines was told then.

        The client was charged for the first `prepaid` lines before.
        """
        agreement = await self.agreement()
        if isinstance(agreement, Refusal):
            await self._log_refusals(lines, agreement)
            return agreement
        answered = {
            line.position: _problem(line, line.parsed)
            for line in lines
            if isinstance(line.parsed, Refusal)
        }
        named = [line for line in lines if not isinstance(line.parsed, Refusal)]
        answered |= await self._limited(named, prepaid)
        for together in rounds(line for line in named if line.position not in answered):
            found = await self._answer_round(together, agreement)
            if isinstance(found, Refusal):
                return found
            answered |= found
        return [answered[line.position] for line in lines]

    async def _limited(self, named: Sequence[Line], prepaid: int) -> dict[int, AnsweredLine]:
        """Charge the lines that were not committed before; the answers to those that do not fit."""
        stored = await self._stored(named)
        charged = [line for line in named if line.position not in stored]
        runtime, token = self.runtime, self.caller.token
        quotas = await runtime.agreements.quotas_of(token.client_id, token.agreement_version)
        subjects = [runtime.digests.of("subject", str(line.uscc)).hex()[:32] for line in charged]
        costs = [0 if place < prepaid else 1 for place in range(len(charged))]
        limits = await runtime.limiter.admit_lines(
            lines_admission(quotas, token.client_id, zip(subjects, costs, strict=True))
        )
        answered = {}
        for line, limit in zip(charged, limits, strict=True):
            if limit is None:
                continue
            refusal = limit_refusal(limit)
            if not self.waits:
                runtime.refusal_counter.count(
                    token.client_id,
                    line.uscc,
                    kind="verification",
                    reason=refusal.error.code,
                    now=runtime.now(),
                )
            answered[line.position] = _problem(line, refusal, is_told=False)
            await runtime.note_refusal(token.client_id, limit.name, limit.retry_after)
        return answered

    async def _stored(self, named: Sequence[Line]) -> frozenset[int]:
        """The positions of lines that were committed before."""
        name = self.name
        if not self.again or name is None:
            return frozenset()
        values = [
            {
                "uscc": line.uscc,
                "client_id": self.caller.client_id,
                "keys": line_keys(name, line.position),
            }
            for line in named
        ]
        rows = await self.runtime.hot.run_set(IS_STORED, values)
        return frozenset(
            line.position
            for line, row in zip(named, rows, strict=True)
            if row is not None and row["is_stored"]
        )

    async def _answer_round(
        self, lines: Sequence[Line], agreement: Agreement
    ) -> dict[int, AnsweredLine] | Refusal:
        """Answer lines about different enterprises."""
        now = self.runtime.now()
        calls = [self._call(line) for line in lines]
        rows = await self._read(calls, agreement, now)
        async with self.runtime.evaluation:
            evaluated = await self._evaluated(
                [*zip(lines, calls, rows, strict=True)], agreement, now
            )
        if isinstance(evaluated, Refusal):
            return evaluated
        written, left = await self._written(evaluated.pending)
        rest = await self._each_alone([*evaluated.alone, *left])
        return rest if isinstance(rest, Refusal) else evaluated.answered | written | rest

    async def _evaluated(
        self,
        read: Sequence[ReadLine],
        agreement: Agreement,
        now: datetime,
    ) -> EvaluatedLines | Refusal:
        """Evaluate lines that were read; other calls have their turn in between."""
        found = EvaluatedLines()
        for first in range(0, len(read), BREATH):
            some = read[first : first + BREATH]
            prepared = prepare_lines([(call, row) for _, call, row in some], agreement, now)
            for (line, call, _), each in zip(some, prepared, strict=True):
                outcome = self._outcome(line, call, each, now)
                if isinstance(outcome, Refusal):
                    return outcome
                found.add(line, outcome)
            await asyncio.sleep(0)
        return found

    async def _written(
        self, pending: Sequence[tuple[Line, PendingDisclosure]]
    ) -> tuple[dict[int, AnsweredLine], list[tuple[Line, PendingDisclosure]]]:
        """The answers that were committed, and what is to be written by itself."""
        outcomes = await commit_set(self.runtime.hot, [each for _, each in pending])
        answered: dict[int, AnsweredLine] = {}
        left: list[tuple[Line, PendingDisclosure]] = []
        for (line, each), outcome in zip(pending, outcomes, strict=True):
            if isinstance(outcome, Committed):
                answered[line.position] = AnsweredLine(line.number, each.answer.decode())
            else:
                left.append((line, each))
        return answered, left

    async def _each_alone(
        self, lines: Sequence[tuple[Line, PendingDisclosure | None]]
    ) -> dict[int, AnsweredLine] | Refusal:
        """Answer lines by themselves, some at once."""
        answered: dict[int, AnsweredLine] = {}
        for first in range(0, len(lines), ALONE_AT_ONCE):
            few = lines[first : first + ALONE_AT_ONCE]
            found = await asyncio.gather(*(self._answer_alone(*each) for each in few))
            for (line, _), one in zip(few, found, strict=True):
                if isinstance(one, Refusal):
                    return one
                answered[line.position] = one
        return answered

    async def _read(
        self, calls: Sequence[VerificationCall | None], agreement: Agreement, now: datetime
    ) -> Sequence[asyncpg.Record | None]:
        """The inputs of each call; none of a refused one, or where a value cannot be read by."""
        places = [place for place, call in enumerate(calls) if call is not None]
        values = [read_values(call, agreement, now) for call in calls if call is not None]
        rows: list[asyncpg.Record | None] = [None] * len(calls)
        try:
            found = await self.runtime.hot.run_set(READ_INPUTS, values)
        except (asyncpg.PostgresError, ValueError) as error:
            if makes_unfit(error):
                raise
            return rows  # each by itself
        for place, row in zip(places, found, strict=True):
            rows[place] = row
        return rows

    def _outcome(
        self,
        line: Line,
        call: VerificationCall | None,
        prepared: PreparedAnswer | None,
        now: datetime,
    ) -> PreparedAnswer | None:
        """Disclosure to commit for a line; `None` if it is to be answered by itself."""
        if isinstance(line.parsed, RefusedRequest):
            return self._pending_refusal(line, line.parsed, now)
        if not isinstance(prepared, Refusal) or call is None:
            return prepared
        if prepared.error is IdempotencyConflictError:
            return prepared
        return self._pending_refusal(line, call.request.refused(prepared), now)

    async def _answer_alone(
        self, line: Line, written: PendingDisclosure | None
    ) -> AnsweredLine | Refusal:
        """Answer a line by itself, as a call; `written` is what the set did not write of it."""
        if written is not None and written.disclosure.outcome == "refused":
            # Not written again where it was logged before: then its key is taken.
            await commit_set(self.runtime.hot, [written])
            return AnsweredLine(line.number, written.answer.decode())
        call = self._call(line)
        if call is None:
            raise TypeError("only a request is answered")
        try:
            answer = await answer_verification(call)
        except Exception as error:
            if is_unavailable(error):
                raise
            log.error("line_failed", kind=name_of(error))  # noqa: TRY400  # no data
            return AnsweredLine(line.number, faulty_line(line.number), is_told=False)
        if not isinstance(answer, Refusal):
            return AnsweredLine(line.number, answer.decode())
        return answer if answer.error is IdempotencyConflictError else _problem(line, answer)

    async def _log_refusals(self, lines: Iterable[Line], refusal: Refusal) -> None:
        """Log the requests that are refused with the whole batch (R10)."""
        now = self.runtime.now()
        refused = (
            line.parsed.refused(refusal)
            for line in lines
            if isinstance(line.parsed, VerificationRequest)
        )
        await asyncio.gather(
            *(log_refusal(self.runtime.hot, each.disclosure(self.caller, now)) for each in refused)
        )

    def _pending_refusal(
        self, line: Line, refused: RefusedRequest, now: datetime
    ) -> PendingDisclosure:
        """The log entry of a refused line, and what is told of it."""
        return pending_refusal(
            refused.disclosure(self.caller, now),
            self._key(line, is_refused=True),
            _problem(line, refused.refusal).text.encode(),
        )

    def _call(self, line: Line) -> VerificationCall | None:
        """A line as a call; `None` of one that is refused."""
        if not isinstance(line.parsed, VerificationRequest):
            return None
        return AdmittedCall(
            runtime=self.runtime, caller=self.caller, request=line.parsed, key=self._key(line)
        )

    def _key(self, line: Line, *, is_refused: bool = False) -> IdempotencyKey | None:
        """The key of a line's stored answer, or of its refusal; `None` where nothing is stored."""
        if self.name is None:
            return None
        key = line_keys(self.name, line.position)[is_refused]
        digest = self.runtime.digests.of("request", line.digest)
        return IdempotencyKey(key=key, request_digest=digest)


def line_keys(name: str, position: int) -> tuple[str, str]:
    """The keys of a line's stored answer and of its refusal; no client can send one like them."""
    key = f"·{name}·{position}"
    return key, f"{key}·{REFUSED}"


def _problem(line: Line, refusal: Refusal, *, is_told: bool = True) -> AnsweredLine:
    """The answer to a line that is refused, with the warnings on its code."""
    warnings = code_warnings(None if line.uscc is None else enterprise_code(line.uscc))
    return AnsweredLine(line.number, line_problem(line.number, refusal, warnings), is_told)
