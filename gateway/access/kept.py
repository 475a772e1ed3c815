"""A call that repeats its idempotency key gets the bytes it was given before, and spends nothing."""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from gateway.access.admission import KEY_LIFE_SECONDS, IdempotencyKey
from gateway.access.errors import IdempotencyConflictError

# One jsonb object: the answer kept under :key for client :client_id about :uscc, or NULL.
KEPT_JSON = """(
    SELECT jsonb_build_object(
        'request_digest', encode(i.request_digest, 'hex'), 'answer', i.answer,
        'uses_left', i.uses_left, 'at', i.at)
    FROM idempotency i
    WHERE i.uscc = CAST(:uscc AS text) AND i.client_id = CAST(:client_id AS text)
      AND i.key = CAST(:key AS text))"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """An answer given before."""

    answer: str
    uses_left: int | None


def kept_for(
    key: IdempotencyKey | None,
    found: Mapping[str, Any] | None,
    now: datetime,
) -> Kept | IdempotencyConflictError | None:
    """The kept answer to this very request; a conflict if the key stood for another one."""
    if key is None or found is None:
        return None
    if datetime.fromisoformat(found["at"]) < now - timedelta(seconds=KEY_LIFE_SECONDS):
        return None
    if not hmac.compare_digest(found["request_digest"], key.request_digest.hex()):
        return IdempotencyConflictError()
    return Kept(answer=found["answer"], uses_left=found["uses_left"])
