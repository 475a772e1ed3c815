"""A delivery, from what was sent to what is held: one transaction, its notices to clients included.

A bad row leaves the good ones alone. A repeated call finds everything unchanged.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import date
from typing import TypeVar

import asyncpg
import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.access.errors import InvalidRequestError, Refusal, TemporarilyUnavailableError
from gateway.creditfile.key_version import KeysDueError
from gateway.creditfile.natural_keys import fold
from gateway.creditfile.objections.text_input import InvalidText, read_text
from gateway.db.statements import Statement
from gateway.db.unavailable import sqlstate_of
from gateway.ingest import BatchResult, RowOutcome, ingest_rows
from gateway.ingest.record_actions import ActionContext, RecordAction, apply_actions
from gateway.ingest.results import MaskedField
from gateway.records.schemas import ActionIn, Row
from gateway.records.source_authentication import AuthenticatedSource
from gateway.runtime import Runtime
from verification.uscc import normalise_uscc

log = structlog.get_logger("gateway.records")

# A large file of the same source and dataset may be under way; it gives way after each batch.
SET_LOCK_TIMEOUT = Statement("SET LOCAL lock_timeout = '8s'")
LOCK_NOT_AVAILABLE = "55P03"
RETRYABLE = frozenset({"40P01", "40001"})  # deadlock, serialization failure
MAX_ATTEMPTS = 5
KEYS_DUE_RETRY_SECONDS = 300  # seconds: the operator's command is under way, or comes first
MIN_REASON, MAX_REASON = 2, 500

T = TypeVar("T")


async def deliver(
    runtime: Runtime, department: AuthenticatedSource, dataset: str, rows: Sequence[Row]
) -> tuple[RowOutcome, ...]:
    """Take these rows."""
    now = runtime.now()

    async def work(connection: AsyncConnection) -> tuple[RowOutcome, ...]:
        return await ingest_rows(
            connection,
            department.source,
            dataset,
            rows,
            now=now,
            catalogue=runtime.catalogue,
            vault=runtime.vault,
        )

    outcomes = await _in_turn(runtime, work)
    _note("records_delivered", department, outcomes)
    return outcomes


async def apply_to_records(
    runtime: Runtime, department: AuthenticatedSource, amendments: Sequence[RecordAction]
) -> tuple[RowOutcome, ...]:
    """Do these acts."""
    now = runtime.now()

    async def work(connection: AsyncConnection) -> tuple[RowOutcome, ...]:
        at = ActionContext(
            connection=connection,
            source=department.source,
            now=now,
            catalogue=runtime.catalogue,
            vault=runtime.vault,
        )
        return await apply_actions(at, amendments)

    outcomes = await _in_turn(runtime, work)
    _note("records_amended", department, outcomes)
    return outcomes


def parse_action(asked: ActionIn, *, today: date) -> RecordAction | Refusal:
    """What is asked for, with a reason as it may be kept; or what is wrong with it."""
    reason = read_text(asked.reason, today=today, shortest=MIN_REASON, longest=MAX_REASON)
    if isinstance(reason, InvalidText):
        return Refusal(
            InvalidRequestError,
            f"reason has {MIN_REASON} to {MAX_REASON} characters: it is kept with the record.",
        )
    if (asked.fields is None) is (asked.action == "correct"):
        return Refusal(
            InvalidRequestError, "fields stand beside the action correct, and only there."
        )
    return RecordAction(
        dataset=asked.dataset,
        uscc=normalise_uscc(asked.uscc),
        key=fold(asked.key),
        verb=asked.action,
        reason=reason.text,
        masked=tuple(MaskedField(field="reason", masking=each) for each in reason.maskings),
        decided_on=asked.decided_on,
        fields=asked.fields or {},
    )


async def _in_turn(runtime: Runtime, work: Callable[[AsyncConnection], Awaitable[T]]) -> T:
    """Do it in one transaction; begin again where another was in the way."""
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
            if state not in RETRYABLE:
                raise
    raise TemporarilyUnavailableError(retry_after=5)


def _note(event: str, department: AuthenticatedSource, outcomes: Sequence[RowOutcome]) -> None:
    """Who and how many; never what."""
    counts = {kind.value: sum(each.outcome is kind for each in outcomes) for kind in BatchResult}
    log.info(event, source=department.source.source_id, **counts)
