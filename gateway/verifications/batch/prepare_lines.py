"""Prepares the answers to some lines of a set from their rows; a fault is its own line's."""

from collections.abc import Sequence
from datetime import datetime

import asyncpg
import structlog

from gateway.clients.agreements import Agreement
from gateway.db.unavailable import name_of
from gateway.verifications.permission import VerificationCall
from gateway.verifications.read_query import VerificationInputs, inputs_of
from gateway.verifications.service import PreparedAnswer, prepare_answer, prepare_answers

log = structlog.get_logger("gateway.verifications.batch")


def prepare_lines(
    read: Sequence[tuple[VerificationCall | None, asyncpg.Record | None]],
    agreement: Agreement,
    now: datetime,
) -> list[PreparedAnswer | None]:
    """The answers in order; `None` where there is no call or row, or where something failed."""
    inputs = [_inputs(row, agreement) for _, row in read]
    calls = [
        None if call is None or known is None else (call, known)
        for (call, _), known in zip(read, inputs, strict=True)
    ]
    prepared = iter(_prepared([each for each in calls if each is not None], now))
    return [None if each is None else next(prepared) for each in calls]


def _prepared(
    calls: Sequence[tuple[VerificationCall, VerificationInputs]], now: datetime
) -> Sequence[PreparedAnswer | None]:
    try:
        return prepare_answers(calls, now)
    except Exception:  # noqa: BLE001  # one line's: each by itself
        return [_prepared_alone(call, inputs, now) for call, inputs in calls]


def _prepared_alone(
    call: VerificationCall, inputs: VerificationInputs, now: datetime
) -> PreparedAnswer | None:
    try:
        return prepare_answer(call, inputs, now)
    except Exception as error:  # noqa: BLE001  # this line's own; it fails again by itself
        log.error("line_failed", kind=name_of(error))  # noqa: TRY400  # no data
        return None


def _inputs(row: asyncpg.Record | None, agreement: Agreement) -> VerificationInputs | None:
    """The inputs of a call; `None` where it was not read, or cannot be."""
    try:
        return None if row is None else inputs_of(row, agreement)
    except Exception as error:  # noqa: BLE001  # this line's own; it fails again by itself
        log.error("line_failed", kind=name_of(error))  # noqa: TRY400  # no data
        return None
