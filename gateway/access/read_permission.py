"""Read permission of a call: its client's status read with the row, its consent checked inside the statement.

Reading time tells how much there is: so nothing is read that token, client, agreement and consent do
not allow, and every refused call costs the same. Afterwards Python decides the same again and finds
the reason for a refusal (`current_agreement`, `consent.decide`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

import asyncpg

from gateway.access.answer_loop import AdmittedCall, R
from gateway.access.client_status import (
    client_status_from_json,
    current_agreement,
    status_digest,
    submit_client_status,
    under_expected_status,
)
from gateway.access.errors import Refusal
from gateway.clients.agreements import Agreement
from gateway.db.prepared import certain
from gateway.db.statements import SetStatement
from gateway.disclosure.idempotency import STORED_ANSWER_JSON, oldest_answer_time

STORED_ANSWER: Final = f"kept AS MATERIALIZED (SELECT {STORED_ANSWER_JSON} AS found)"
"""Common table expression; parameters `uscc`, `client_id`, `key`."""

CONSENT_HOLDS: Final = """coalesce(
    held.found ->> 'status' = 'active'
    AND held.found ->> 'purpose' = CAST(:purpose AS text)
    AND CAST(held.found ->> 'valid_until' AS timestamptz) > CAST(:now AS timestamptz)
    AND (held.found ->> 'max_uses' IS NULL
         OR CAST(held.found ->> 'uses' AS integer) < CAST(held.found ->> 'max_uses' AS integer)
         OR coalesce(held.found ->> 'consent_id' = CAST(:continues AS text), false)
         OR coalesce(kept.found ->> 'request_digest' = CAST(:request_digest AS text)
                     AND kept.found ->> 'answer' <> ''
                     AND CAST(kept.found ->> 'at' AS timestamptz)
                         >= CAST(:kept_since AS timestamptz), false)),
    false)"""
"""True where the consent in `held` (`found`: its row as jsonb) allows a call at `now`; over `kept` too.

A further page (`continues`: the consent that its cursor is of), or a repeated call (`request_digest`,
in hex, of an answer that is kept since `kept_since` at the earliest), needs no use that is left.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class PermittedRead:
    """The agreement in force and the row that was read under it."""

    agreement: Agreement
    row: asyncpg.Record


class ExpectedStatus(NamedTuple):
    """A client's status that allows a call, if it is still the same."""

    agreement: Agreement
    digest: bytes


async def read_under_agreement(
    call: AdmittedCall[R],
    statement: SetStatement,
    values: Callable[[Agreement], Mapping[str, Any]],
    now: datetime,
) -> PermittedRead | Refusal:
    """Read a client's status and its call's row: `values` say what the agreement allows.

    They are read at once: the row under the agreement by which the client was last allowed to call. Where
    its status is another now, the row is read again. Who is refused waits for no row.
    In one database one statement reads both, and of the row nothing where the status is another.
    """
    caller, hot, agreements = call.caller, call.runtime.hot, call.runtime.agreements
    expected = _expected(call, now)
    row = None
    if expected is not None and hot.has_sets:
        found = await hot.submit(
            under_expected_status(statement),
            {
                **values(expected.agreement),
                "jti": caller.token.jti,
                "expected_status": expected.digest,
            },
        )
        status = certain(found)["client_status"]
        if status is None:
            return PermittedRead(agreement=expected.agreement, row=certain(found))
    else:
        to_come = submit_client_status(hot, caller)
        row = None if expected is None else hot.submit(statement, values(expected.agreement))
        status = certain(await to_come)["client_status"]
    agreement = current_agreement(client_status_from_json(status), caller, now)
    if isinstance(agreement, Refusal):
        return agreement
    agreements.remember(caller.client_id, agreement)
    agreements.remember_status(caller.client_id, status)
    if row is None or expected is None or agreement != expected.agreement:
        row = hot.submit(statement, values(agreement))
    return PermittedRead(agreement=agreement, row=certain(await row))


def _expected(call: AdmittedCall[R], now: datetime) -> ExpectedStatus | None:
    """The status by which the client was last allowed to call, if it allows this call too."""
    status = call.runtime.agreements.last_status(call.caller.client_id)
    if status is None:
        return None
    agreement = current_agreement(client_status_from_json(status), call.caller, now)
    if isinstance(agreement, Refusal):
        return None
    return ExpectedStatus(agreement=agreement, digest=status_digest(status))


def call_parameters(call: AdmittedCall[R], now: datetime) -> dict[str, Any]:
    """The parameters of these conditions, but for `continues`."""
    key = call.key
    return {
        "client_id": call.caller.client_id,
        "uscc": call.request.uscc,
        "purpose": call.request.purpose,
        "key": key.key if key else None,
        "request_digest": key.request_digest.hex() if key else None,
        "kept_since": oldest_answer_time(now),
        "now": now,
    }
