"""Ingest of one API call: rows or actions in one transaction, retried on serialization conflicts.

A rejected row does not affect the others. A repeated call finds every record unchanged.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import date
from functools import partial
from typing import Final, TypeVar

import asyncpg
import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.access.errors import (
    ConflictError,
    InvalidRequestError,
    NotFoundError,
    Refusal,
    SecondOperatorNeededError,
    TemporarilyUnavailableError,
)
from gateway.creditfile.natural_key_version import KeysDueError
from gateway.creditfile.natural_keys import fold
from gateway.creditfile.objections.text_input import InvalidText, read_text
from gateway.db.statements import Statement
from gateway.db.unavailable import CONFLICTS, LOCK_NOT_AVAILABLE, sqlstate_of
from gateway.ingest import BatchResult, RowOutcome, ingest_rows
from gateway.ingest.actions.approve import ApprovalRefused, approve
from gateway.ingest.actions.effects import ActionContext
from gateway.ingest.actions.operator_names import FORM, parse_operator
from gateway.ingest.actions.record_actions import RecordAction, apply_actions
from gateway.ingest.actions.verdicts import TWO_PERSONS
from gateway.ingest.actions.waiting_acts import WaitingAct
from gateway.ingest.results import MaskedField
from gateway.records.schemas import ActionIn, Row
from gateway.records.source_authentication import AuthenticatedSource
from gateway.runtime import Runtime
from verification.uscc import normalise_uscc

log = structlog.get_logger("gateway.records")

# A file ingest of the same source and dataset releases its lock after each chunk.
SET_LOCK_TIMEOUT = Statement("SET LOCAL lock_timeout = '8s'")
MAX_ATTEMPTS = 5
KEYS_DUE_RETRY_SECONDS = 300  # seconds
MIN_REASON, MAX_REASON = 2, 500
_REFUSALS: Final = {
    ApprovalRefused.UNKNOWN: Refusal(NotFoundError),
    ApprovalRefused.SAME_PERSON: Refusal(
        SecondOperatorNeededError,
        "Whoever asked for this cannot approve it, under whatever spelling; another person must.",
    ),
    ApprovalRefused.APPROVED_BEFORE: Refusal(
        ConflictError, "Another person has approved this already; it is done."
    ),
    ApprovalRefused.LAPSED: Refusal(
        ConflictError, "This was not approved within 24 hours and has lapsed; ask for it again."
    ),
    ApprovalRefused.RECORD_CHANGED: Refusal(
        ConflictError,
        "The record has changed since this was asked for; look at it and ask for it again.",
    ),
}

T = TypeVar("T")


async def deliver(
    runtime: Runtime, source: AuthenticatedSource, dataset: str, rows: Sequence[Row]
) -> tuple[RowOutcome, ...]:
    """Ingest the rows."""
    ingest = partial(
        ingest_rows,
        source=source,
        dataset=dataset,
        rows=rows,
        now=runtime.now(),
        catalogue=runtime.catalogue,
        vault=runtime.vault,
    )
    outcomes = await in_transaction(runtime, ingest)
    _log_outcomes("records_delivered", source, outcomes)
    return outcomes


async def apply_to_records(
    runtime: Runtime, source: AuthenticatedSource, actions: Sequence[RecordAction]
) -> tuple[RowOutcome, ...]:
    """Apply the actions; those of two persons wait for the second."""
    outcomes = await in_transaction(
        runtime,
        lambda connection: apply_actions(_context(runtime, source, connection), actions),
    )
    _log_outcomes("records_amended", source, outcomes)
    return outcomes


async def approve_action(
    runtime: Runtime, source: AuthenticatedSource, action_id: str, operator: str
) -> WaitingAct | Refusal:
    """Approve what waits for a second person; the refusal says what to do."""
    outcome = await in_transaction(
        runtime,
        lambda connection: approve(_context(runtime, source, connection), action_id, operator),
    )
    if isinstance(outcome, ApprovalRefused):
        log.info("record_action_refused", source=source.source_id, reason=outcome.name.lower())
        return _REFUSALS[outcome]
    log.info("record_action_approved", source=source.source_id, verb=outcome.verb)
    return outcome


def read_operator(typed: str, *, today: date) -> str | Refusal:
    """The name of an operator as stored, or the error in it."""
    return parse_operator(typed, today=today) or Refusal(InvalidRequestError, FORM)


def _context(
    runtime: Runtime, source: AuthenticatedSource, connection: AsyncConnection
) -> ActionContext:
    return ActionContext(
        connection=connection,
        source=source,
        now=runtime.now(),
        catalogue=runtime.catalogue,
        vault=runtime.vault,
    )


def parse_action(request: ActionIn, *, today: date) -> RecordAction | Refusal:
    """The action, with its reason as stored, or the error in it."""
    reason = read_text(request.reason, today=today, shortest=MIN_REASON, longest=MAX_REASON)
    if isinstance(reason, InvalidText):
        return Refusal(
            InvalidRequestError,
            f"reason has {MIN_REASON} to {MAX_REASON} characters: it is kept with the record.",
        )
    if (request.fields is None) is (request.action == "correct"):
        return Refusal(
            InvalidRequestError, "fields stand beside the action correct, and only there."
        )
    operator = None if request.operator is None else read_operator(request.operator, today=today)
    if isinstance(operator, Refusal):
        return operator
    if operator is None and request.action in TWO_PERSONS:
        return Refusal(
            InvalidRequestError,
            f"{request.action} takes two persons: name the one who asks for it in operator; "
            "another one approves it.",
        )
    return RecordAction(
        dataset=request.dataset,
        uscc=normalise_uscc(request.uscc),
        key=fold(request.key),
        verb=request.action,
        reason=reason.text,
        masked=tuple(MaskedField(field="reason", masking=each) for each in reason.maskings),
        decided_on=request.decided_on,
        operator=operator,
        fields=request.fields or {},
    )


async def in_transaction(runtime: Runtime, work: Callable[[AsyncConnection], Awaitable[T]]) -> T:
    """Run `work` in one transaction; retry on deadlock or serialization failure."""
    for _ in range(MAX_ATTEMPTS):
        try:
            async with runtime.engine.begin() as connection:
                await connection.execute(SET_LOCK_TIMEOUT)
                return await work(connection)
        except KeysDueError:
            raise TemporarilyUnavailableError(
                "The keys of the records held are being folded anew: deliver again later.",
                retry_after=KEYS_DUE_RETRY_SECONDS,
            ) from None
        except (DBAPIError, asyncpg.PostgresError) as error:
            state = sqlstate_of(error)
            if state == LOCK_NOT_AVAILABLE:
                raise TemporarilyUnavailableError(
                    "Another delivery of yours of this dataset is under way.", retry_after=5
                ) from None
            if state not in CONFLICTS:
                raise
    raise TemporarilyUnavailableError(retry_after=5)


def _log_outcomes(event: str, source: AuthenticatedSource, outcomes: Sequence[RowOutcome]) -> None:
    """Log the source and the counts, never contents."""
    counts = {kind.value: sum(each.outcome is kind for each in outcomes) for kind in BatchResult}
    log.info(event, source=source.source_id, **counts)
