"""Signature verification of each answer before it is read, and the key cache for it.

The keys are the pinned ones and no others; or, where none are pinned, those that the issuer
publishes, fetched again when they are an hour old, and for unknown keys (at most once a minute).
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

import httpx2

from xinqiao._core import flow
from xinqiao._core.evidence.answer import Evidence, make_evidence
from xinqiao._core.session import Session
from xinqiao._core.signatures.exchange import Exchange
from xinqiao._core.signatures.http_signatures import read_claims, verify_signature
from xinqiao._core.signatures.keys import KeySet, ResponseKey
from xinqiao._core.transport.connection_errors import HARMLESS
from xinqiao._core.transport.oauth import get_json, metadata
from xinqiao._core.transport.retry import utc_time
from xinqiao._core.transport.send import clock_hint, retry_after
from xinqiao.errors import (
    AnswerLost,
    ConfigurationError,
    ProtocolError,
    ServerUnavailable,
    SignatureInvalid,
)

if TYPE_CHECKING:
    from xinqiao._core.flow import Flow

#: Seconds after which published keys are fetched again.
KEYS_MAX_AGE: Final = 3600
#: Seconds between two fetches because of unknown keys.
UNKNOWN_KEY_INTERVAL: Final = 60
#: A proxy in front of the gateway answers with these itself, unsigned.
_PROXY_STATUSES: Final = frozenset({502, 503, 504})


def verify_response(session: Session, response: httpx2.Response, *, lost: str) -> Flow[Evidence]:
    """Verify an answer's signature, whatever its status, or raise `SignatureInvalid`.

    `lost`: what is open where the answer of the gateway itself never came, or cannot be verified now.
    """
    _refuse_unsigned_proxy_answer(session, response, lost)
    exchange = Exchange.of(response)
    try:
        claimed = read_claims(exchange)
        key = yield from response_key(session, claimed.keyid)
        now, skew = utc_time(session.now()), timedelta(seconds=session.settings.max_clock_skew)
        covered = verify_signature(exchange, claimed, key, earliest=now - skew, latest=now + skew)
    except ServerUnavailable as error:
        raise AnswerLost(
            f"The answer came, and cannot be verified without the gateway's keys. "
            f"{error.detail.removesuffix(HARMLESS)}{lost}",
            status=error.status,
            retry_after=error.retry_after,
        ) from error
    except SignatureInvalid as error:
        error = _with_clock(session, response, error)
        error.status = response.status_code
        error.request_id = response.headers.get("x-request-id")
        raise error from None
    return make_evidence(covered, key, claimed.created, request_key=_request_key(session))


def _request_key(session: Session) -> dict[str, str] | None:
    """The public key by which this client signs its requests, if it does."""
    key = session.settings.client_key
    if not session.settings.sign_requests:
        return None
    return {**key.public_jwk, "kid": key.kid or key.thumbprint}


def _with_clock(
    session: Session, response: httpx2.Response, error: SignatureInvalid
) -> SignatureInvalid:
    """The error, with a sentence on this machine's clock where the signature's time is refused."""
    clock = clock_hint(session, response.headers) if error.reason == "created" else None
    if clock is None:
        return error
    return SignatureInvalid(f"{error.detail} {clock}", reason=error.reason)


def _refuse_unsigned_proxy_answer(session: Session, response: httpx2.Response, lost: str) -> None:
    unsigned = not {"signature", "signature-input"} & set(response.headers)
    if unsigned and response.status_code in _PROXY_STATUSES:
        raise AnswerLost(
            f"Something in front of the gateway answered {response.status_code}, as a proxy does that "
            f"got no answer from it. {lost}",
            status=response.status_code,
            retry_after=retry_after(session, response.headers),
        )


def response_key(session: Session, kid: str) -> Flow[ResponseKey]:
    """The trusted key of this id; raises `SignatureInvalid` where there is none."""
    keys = yield from trusted_keys(session)
    key = keys.get(kid)
    if key is None and session.settings.pinned is None:
        key = (yield from flow.exclusive(_fetch_unknown(session, kid))).get(kid)
    if key is None:
        raise SignatureInvalid(f"The key {kid} is not one of the gateway's.", reason="key")
    return key


def trusted_keys(session: Session) -> Flow[KeySet]:
    """Trusted keys: the pinned ones, else the published ones, cached for an hour."""
    if session.settings.pinned is not None:
        return session.settings.pinned
    return (yield from published_keys(session))


def published_keys(session: Session) -> Flow[KeySet]:
    """The keys that the issuer publishes, cached for an hour."""
    return _cached_keys(session) or (yield from flow.exclusive(_cached_or_fetched(session)))


def _cached_keys(session: Session) -> KeySet | None:
    return session.keys if session.now() - session.keys_fetched_at < KEYS_MAX_AGE else None


def _cached_or_fetched(session: Session) -> Flow[KeySet]:
    """Cached keys if another flow fetched them while this one waited for the lock, else fetched."""
    return _cached_keys(session) or (yield from _fetch_keys(session))


def _fetch_unknown(session: Session, kid: str) -> Flow[KeySet]:
    """Fetch because of an unknown key, unless it is cached by now or the last miss is recent."""
    live = _cached_keys(session)
    if live is not None and (
        live.get(kid) or session.now() - session.keys_missed_at < UNKNOWN_KEY_INTERVAL
    ):
        return live
    session.keys_missed_at = session.now()
    return (yield from _fetch_keys(session))


def _fetch_keys(session: Session) -> Flow[KeySet]:
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
