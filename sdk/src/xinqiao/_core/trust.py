"""Nothing of an answer is read before `verified` has turned it into evidence.

The keys are the pinned ones and no others; or, where none are pinned, those that the issuer
publishes, fetched again when they are an hour old or an unknown key turns up (at most each minute).
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

import httpx2

from xinqiao.errors import ConfigurationError, ProtocolError, ServerUnavailable, SignatureInvalid

from . import steps
from .evidence import Evidence, witness
from .exchange import Exchange
from .http_signatures import check, read_claim
from .keys import KeySet, ResponseKey
from .oauth import get_json, metadata
from .retry import http_time
from .session import Session
from .transport import retry_after

if TYPE_CHECKING:
    from .steps import Flow

#: Seconds after which published keys are fetched again, and between two fetches at least.
KEYS_LIVE: Final = 3600
BETWEEN_FETCHES: Final = 60
#: A proxy in front of the gateway answers with these itself, unsigned.
_PROXY_STATUSES: Final = frozenset({502, 503, 504})


def verified(session: Session, response: httpx2.Response) -> Flow[Evidence]:
    """Verify an answer's signature, whatever its status, or raise `SignatureInvalid`."""
    _refuse_proxy(session, response)
    exchange = Exchange.of(response)
    try:
        claimed = read_claim(exchange)
        key = yield from _key(session, claimed.keyid)
        now, skew = http_time(session.now()), timedelta(seconds=session.settings.max_clock_skew)
        check(exchange, claimed, key, earliest=now - skew, latest=now + skew)
    except SignatureInvalid as error:
        error.status = response.status_code
        error.request_id = response.headers.get("x-request-id")
        raise
    return witness(exchange, key, claimed.created)


def _refuse_proxy(session: Session, response: httpx2.Response) -> None:
    unsigned = not {"signature", "signature-input"} & set(response.headers)
    if unsigned and response.status_code in _PROXY_STATUSES:
        raise ServerUnavailable(
            f"Something in front of the gateway answered {response.status_code}.",
            status=response.status_code,
            retry_after=retry_after(session, response.headers),
        )


def _key(session: Session, kid: str) -> Flow[ResponseKey]:
    keys = yield from response_keys(session)
    key = keys.get(kid)
    if key is None and session.settings.pinned is None:
        key = (yield from steps.alone(_fetched(session, older_than=BETWEEN_FETCHES))).get(kid)
    if key is None:
        raise SignatureInvalid(f"The key {kid} is not one of the gateway's.", reason="key")
    return key


def response_keys(session: Session) -> Flow[KeySet]:
    """Get the keys that may sign answers."""
    if session.settings.pinned is not None:
        return session.settings.pinned
    if session.keys is not None and session.now() - session.keys_fetched_at < KEYS_LIVE:
        return session.keys
    return (yield from steps.alone(_fetched(session, older_than=KEYS_LIVE)))


def _fetched(session: Session, *, older_than: float) -> Flow[KeySet]:
    if session.keys is not None and session.now() - session.keys_fetched_at < older_than:
        return session.keys
    jwks_uri = (yield from metadata(session)).jwks_uri
    document = yield from get_json(session, jwks_uri)
    keys = document.get("keys")
    if not isinstance(keys, list):
        raise ProtocolError("The issuer's key set has no keys.")
    try:
        session.keys = KeySet.of(keys)
    except ConfigurationError as error:
        raise ProtocolError(error.detail) from None
    session.keys_fetched_at = session.now()
    return session.keys
