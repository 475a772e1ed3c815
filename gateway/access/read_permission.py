"""SQL conditions of a call's read permission, evaluated inside its own read statement.

Reading time tells how much there is: so nothing is read that token, client, agreement and consent do
not allow, and every refused call costs the same. Afterwards Python decides the same again and finds
the reason for a refusal (`current_agreement`, `consent.decide`).
"""

from datetime import datetime
from typing import Any, Final

from gateway.access.answer_loop import AdmittedCall, R
from gateway.access.client_status import CLIENT_STATUS_JSON
from gateway.disclosure.idempotency import STORED_ANSWER_JSON, oldest_answer_time

CALLER_AND_STORED_ANSWER: Final = f"""
    client_status AS MATERIALIZED (SELECT {CLIENT_STATUS_JSON} AS found),
    kept AS MATERIALIZED (SELECT {STORED_ANSWER_JSON} AS found)"""  # constants only
"""Two common table expressions; parameters `client_id`, `jti`, `uscc`, `key`."""

CALLER_IS_ENTITLED: Final = """coalesce(
    client_status.found ->> 'token' = 'live'
    AND client_status.found ->> 'client' = 'active'
    AND CAST(client_status.found #>> '{agreement,valid_from}' AS timestamptz)
        <= CAST(:now AS timestamptz)
    AND CAST(client_status.found #>> '{agreement,valid_until}' AS timestamptz)
        > CAST(:now AS timestamptz)
    AND coalesce(CAST(client_status.found #>> '{agreement,ended_at}' AS timestamptz)
                 > CAST(:now AS timestamptz), true)
    AND client_status.found #> '{agreement,purposes}' ? CAST(:purpose AS text), false)"""
"""True where token, client and agreement hold at `now` for `purpose`; over `client_status`."""

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


def call_parameters(call: AdmittedCall[R], now: datetime) -> dict[str, Any]:
    """The parameters of these conditions, but for `continues`."""
    key = call.key
    return {
        "client_id": call.caller.client_id,
        "jti": call.caller.token.jti,
        "uscc": call.request.uscc,
        "purpose": call.request.purpose,
        "key": key.key if key else None,
        "request_digest": key.request_digest.hex() if key else None,
        "kept_since": oldest_answer_time(now),
        "now": now,
    }
