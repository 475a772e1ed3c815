"""Consent by browser redirect: pushed authorization request (RFC 9126), PKCE, checked callback.

A `ConsentStart` holds secrets that finish the flow: keep it on the server's side.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, urlencode, urlsplit

from xinqiao._core.session import Session
from xinqiao._core.signatures.jose import pkce_challenge
from xinqiao._core.transport.oauth import authenticated_post, metadata, read_token
from xinqiao._core.transport.retry import utc_time
from xinqiao._core.transport.send import with_retries
from xinqiao._core.wire.closed_lists import BundleName, Purpose, QuestionTag
from xinqiao._core.wire.json_reader import Reader
from xinqiao._core.wire.parsing import separate_consents
from xinqiao._core.wire.results import SeparateConsent
from xinqiao._core.wire.serialization import Serializable
from xinqiao._core.wire.unknown_names import name_unknown
from xinqiao.errors import (
    CallbackExpired,
    ConfigurationError,
    ConsentFlowInvalid,
    ConsentRefused,
    InvalidAuthorizationDetails,
    OAuthError,
    ProtocolError,
)

from .consents import credit_data

if TYPE_CHECKING:
    from xinqiao._core.flow import Flow

#: What is open where the answer to the callback's code is lost.
_REDEEMED: Final = (
    "The callback's code may have been used: look for the consent with "
    'client.consents(status="active"); its data can be queried by its id.'
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentStart(Serializable):
    """A started consent flow: send the browser to `url`, and keep this object until it comes back.

    Keep it on the server, by browser session and `state` (the callback has the same `state`), so that two
    tabs do not meet and no other browser can finish the flow. It holds secrets: a session that lies in a
    cookie, as Flask's and Starlette's by default, shows them to whoever has the browser.
    """

    url: str
    state: str = field(repr=False)
    redirect_uri: str
    expires_at: datetime
    verifier: str = field(repr=False)
    dpop_jkt: str = field(repr=False)

    def to_json(self) -> str:
        """Serialise to JSON, secrets included."""
        return json.dumps(self.to_dict())

    @classmethod
    def from_json(cls, text: str) -> ConsentStart:
        """Parse the output of `to_json`."""
        try:
            stored = json.loads(text)
            values = {f.name: str(stored[f.name]) for f in fields(cls)}
            expires_at = datetime.fromisoformat(values.pop("expires_at"))
        except (ValueError, KeyError, TypeError):
            # The cause could quote the verifier.
            raise ConfigurationError("This is not a consent flow that was stored.") from None
        return cls(expires_at=expires_at, **values)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentGrant(Serializable):
    """The granted consent with its tokens; it may cover less than was requested."""

    consent_id: str
    uscc: str
    purpose: str
    datasets: tuple[str, ...]
    questions: tuple[str, ...]
    separate_consents: tuple[SeparateConsent, ...]
    valid_until: datetime | None
    max_uses: int | None
    scope: str | None
    access_token: str = field(repr=False)
    access_token_ends_at: datetime
    refresh_token: str | None = field(repr=False)

    def to_dict(self) -> dict[str, Any]:
        """The grant as a JSON object, without its tokens."""
        whole = Serializable.to_dict(self)
        del whole["access_token"], whole["refresh_token"]
        return whole


def start_consent(
    session: Session,
    *,
    purpose: Purpose,
    datasets: Iterable[str] = (),
    questions: Iterable[QuestionTag] = (),
    bundle: BundleName | None = None,
    uscc: str | None = None,
    valid_until: date | datetime | str | None = None,
    max_uses: int | None = None,
    redirect_uri: str | None = None,
) -> Flow[ConsentStart]:
    """Start a consent flow; without `uscc`, the person who signs in chooses the enterprise.

    `bundle` and `valid_until` are as in `request_consent`. `redirect_uri` must be registered; it defaults
    to the client's own. A mistake in what is asked for, or what the agreement does not cover, raises
    `InvalidAuthorizationDetails`, which is a `RequestRefused`.
    """
    callback = redirect_uri or session.settings.redirect_uri
    if callback is None:
        raise ConfigurationError("A consent flow needs a redirect_uri.")
    wanted = credit_data(
        uscc=uscc,
        purpose=purpose,
        datasets=datasets,
        questions=questions,
        bundle=bundle,
        valid_until=valid_until,
        max_uses=max_uses,
    )
    verifier, state = session.world.new_id() + session.world.new_id(), session.world.new_id()
    form = {
        "response_type": "code",
        "redirect_uri": callback,
        "state": state,
        "scope": _token_scope(wanted),
        "code_challenge": pkce_challenge(verifier),
        "code_challenge_method": "S256",
        "authorization_details": json.dumps(
            [{"type": "credit_data", **wanted}], ensure_ascii=False, separators=(",", ":")
        ),
    }
    try:
        request_uri, lifetime = yield from with_retries(
            session, lambda: _push_request(session, form), idempotent=True
        )
    except InvalidAuthorizationDetails as error:
        name_unknown(error, wanted)
        raise
    server = yield from metadata(session)
    names = {"client_id": session.settings.client_id, "request_uri": request_uri}
    return ConsentStart(
        url=f"{server.authorization_endpoint}?{urlencode(names)}",
        state=state,
        redirect_uri=callback,
        expires_at=utc_time(session.now() + lifetime),
        verifier=verifier,
        dpop_jkt=session.settings.dpop_key.thumbprint,
    )


def finish_consent(session: Session, start: ConsentStart, callback_url: str) -> Flow[ConsentGrant]:
    """Finish a consent flow with the URL of the browser's callback.

    Raises `ConsentRefused` if the enterprise refused, `ConsentFlowInvalid` if the callback does not
    belong to `start`, and `CallbackExpired` where its code was used before, as by a reload of the page,
    or is older than 60 seconds. After `AnswerLost` or a worker that died the consent itself stands:
    `consents(status="active")` has it.
    """
    code = _check_callback(callback_url, start, issuer=session.settings.issuer)
    if start.dpop_jkt != session.settings.dpop_key.thumbprint:
        raise ConfigurationError(
            "This flow was begun with another DPoP key: give all workers the same dpop_key."
        )
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": start.redirect_uri,
        "code_verifier": start.verifier,
    }
    yield from with_retries(session, lambda: metadata(session), idempotent=True)
    # Whatever is answered: a second use of the code would revoke the tokens of the first.
    answer = yield from with_retries(
        session, lambda: _redeem_code(session, form), idempotent=False, once=True
    )
    return _read_grant(answer, now=session.now())


def _push_request(session: Session, form: Mapping[str, str]) -> Flow[tuple[str, int]]:
    server = yield from metadata(session)
    url = server.pushed_authorization_request_endpoint
    answer = yield from authenticated_post(session, url, form)
    body = Reader.of(answer, "the pushed request's answer")
    return body.text("request_uri"), body.integer("expires_in")


def _redeem_code(session: Session, form: Mapping[str, str]) -> Flow[Mapping[str, Any]]:
    server = yield from metadata(session)
    try:
        return (yield from authenticated_post(session, server.token_endpoint, form, lost=_REDEEMED))
    except OAuthError as error:
        if error.code != CallbackExpired.known_code:
            raise
        raise CallbackExpired(status=error.status, request_id=error.request_id) from None


def _token_scope(details: Mapping[str, Any]) -> str:
    return "query verify" if {"questions", "bundle"} & set(details) else "query"


def _check_callback(callback_url: str, start: ConsentStart, *, issuer: str) -> str:
    """Check that the callback belongs to this flow (RFC 9207, RFC 9700); return its code."""
    pairs = parse_qsl(urlsplit(callback_url).query, keep_blank_values=True)
    given = dict(pairs)
    # 1. no parameter twice
    if len(given) != len(pairs):
        raise ConsentFlowInvalid("The callback repeats a parameter.")
    # 2. our own state
    if not hmac.compare_digest(given.get("state", "").encode(), start.state.encode()):
        raise ConsentFlowInvalid("The callback's state is not that of this flow.")
    # 3. our own issuer
    if given.get("iss") != issuer:
        raise ConsentFlowInvalid("The callback does not come from this issuer.")
    # 4. the decision
    if "error" in given:
        kind = ConsentRefused if given["error"] == "access_denied" else OAuthError
        raise kind(given.get("error_description"), code=given["error"])
    if not given.get("code"):
        raise ConsentFlowInvalid("The callback has neither a code nor an error.")
    return given["code"]


def _read_grant(answer: Mapping[str, Any], *, now: float) -> ConsentGrant:
    token, lifetime = read_token(answer)
    body = Reader.of(answer, "the token endpoint's answer")
    details = [
        item
        for item in body.objects("authorization_details")
        if item.optional_text("type") == "credit_data"
    ]
    if len(details) != 1:
        raise ProtocolError("The token does not name the one consent that was granted.")
    detail = details[0]
    return ConsentGrant(
        consent_id=detail.optional_text("consent_id") or body.text("consent_id"),
        uscc=detail.object("enterprise").text("uscc"),
        purpose=detail.text("purpose"),
        datasets=detail.texts("datasets"),
        questions=detail.texts("questions"),
        separate_consents=separate_consents(detail),
        valid_until=detail.optional_time("valid_until"),
        max_uses=detail.optional_integer("max_uses"),
        scope=body.optional_text("scope"),
        access_token=token,
        access_token_ends_at=utc_time(now + lifetime),
        refresh_token=body.optional_text("refresh_token"),
    )
