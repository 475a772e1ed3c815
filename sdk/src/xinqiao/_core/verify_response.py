"""Nothing of an answer is read before `verified` has turned it into evidence.

The keys are the pinned ones and no others; or, where none are pinned, those that the issuer
publishes, fetched again when they are an hour old, and for unknown keys (at most once a minute).
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

import httpx2

from xinqiao._core import flow
from xinqiao.errors import ConfigurationError, ProtocolError, ServerUnavailable, SignatureInvalid

from .evidence import Evidence, witness
from .exchange import Exchange
from .http_signatures import check, read_claim
from .keys import KeySet, ResponseKey
from .oauth import get_json, metadata
from .retry import http_time
from .session import Session
from .transport import retry_after

if TYPE_CHECKING:
    from xinqiao._core.flow import Flow

#: Seconds after which published keys are fetched again.
KEYS_LIVE: Final = 3600
#: Seconds between two fetches for the sake of unknown keys.
BETWEEN_MISSES: Final = 60
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
        covered = check(exchange, claimed, key, earliest=now - skew, latest=now + skew)
    except SignatureInvalid as error:
        error.status = response.status_code
        error.request_id = response.headers.get("x-request-id")
        raise
    return witness(covered, key, claimed.created)


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
        key = (yield from flow.alone(_fetched_for(session, kid))).get(kid)
    if key is None:
        raise SignatureInvalid(f"The key {kid} is not one of the gateway's.", reason="key")
    return key


def response_keys(session: Session) -> Flow[KeySet]:
    """Get the keys that may sign answers."""
    if session.settings.pinned is not None:
        return session.settings.pinned
    return _live(session) or (yield from flow.alone(_live_or_fetched(session)))


def published_keys(session: Session) -> Flow[KeySet]:
    """Get the keys with those of the log: the pinned ones, or what the issuer publishes."""
    return (yield from response_keys(session))


def _live(session: Session) -> KeySet | None:
    return session.keys if session.now() - session.keys_fetched_at < KEYS_LIVE else None


def _live_or_fetched(session: Session) -> Flow[KeySet]:
    """Look again: another flow may have fetched them while this one waited to run alone."""
    return _live(session) or (yield from _fetched(session))


def _fetched_for(session: Session, kid: str) -> Flow[KeySet]:
    """Fetch for the sake of an unknown key, unless it has come or the last miss is too near."""
    live = _live(session)
    if live is not None and (
        live.get(kid) or session.now() - session.keys_missed_at < BETWEEN_MISSES
    ):
        return live
    session.keys_missed_at = session.now()
    return (yield from _fetched(session))


def _fetched(session: Session) -> Flow[KeySet]:
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
