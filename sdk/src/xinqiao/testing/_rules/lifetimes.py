"""Lifetimes and windows of the gateway; a test holds them equal to the gateway's own."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

#: Authorization code, from the decision to its redemption.
CODE: Final = timedelta(seconds=60)
#: `request_uri`, from the pushed request to the browser's arrival.
PUSHED_REQUEST: Final = timedelta(seconds=90)
ACCESS_TOKEN: Final = timedelta(minutes=5)
#: A client assertion's `exp`, at most so far ahead.
ASSERTION: Final = timedelta(minutes=5)
#: A DPoP proof's `iat`, at most so far back, and the skew of clocks beyond it.
PROOF: Final = timedelta(seconds=60)
SKEW: Final = timedelta(seconds=10)
#: A DPoP nonce is good in its slot and the next.
NONCE_SLOT: Final = timedelta(seconds=60)
IDEMPOTENCY_KEY: Final = timedelta(hours=24)
QUERY_CURSOR: Final = timedelta(minutes=15)
#: A request for a consent, until it is answered.
CONSENT_REQUEST: Final = timedelta(days=7)
#: After a refusal, until the same is asked for again.
COOL_DOWN: Final = timedelta(days=30)
#: Term of a consent: where none is asked for, and the longest.
DEFAULT_TERM: Final = timedelta(days=90)
LONGEST_TERM: Final = timedelta(days=2 * 365 + 1)
#: From a query to the last moment at which its outcome is told.
OUTCOME: Final = timedelta(days=90)
#: Within these a consent's end is notified.
EXPIRY_NOTICE: Final = timedelta(days=30)
#: From an answer to its leaf in the log.
MERGE: Final = timedelta(seconds=10)
#: Distinct values of a question are counted so long.
PROBE_BUDGET: Final = timedelta(days=30)
