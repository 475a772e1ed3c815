"""The fake gateway as an httpx2 transport: routes requests, signs answers, injects faults."""

from __future__ import annotations

import asyncio
import re
import secrets
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import formatdate
from functools import partial
from typing import Any, Final, Literal, TypeAlias, Unpack

import httpx2

from xinqiao._async_client import AsyncClient
from xinqiao._client import Client
from xinqiao._core.connection import ClientOptions
from xinqiao._core.exchange import combine_fields
from xinqiao._core.http_signatures import digest_fits
from xinqiao._core.jose import generate_dpop_key
from xinqiao._core.retry import RetryPolicy
from xinqiao._core.uscc import normalise
from xinqiao.testing._acts import FakeActs
from xinqiao.testing._authorization_server import NONCE, FakeAuthorizationServer, OAuthRefusal
from xinqiao.testing._enterprises import Answers, FakeAgreement, FakeEnterprise
from xinqiao.testing._http_rules import scopes_of
from xinqiao.testing._resource_server import FakeResourceServer

from ._faults import TAMPERINGS, Part, Tampering
from ._ids import new_id
from ._limit import FakeLimit
from ._log import FakeLog
from ._signing import ResponseSigner, json_response, problem

LONG_POLL_SECONDS: Final = 0.01

#: Endpoints that can fail: `discovery` are metadata and keys, `log` are receipts.
Endpoint: TypeAlias = Literal["api", "token", "par", "log", "discovery"]
_UNSIGNED: Final = frozenset({"token", "par", "discovery"})
_PUBLIC: Final = "/v1/questions"
_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")

#: From the request and its correct answer to the answer that is sent instead.
Fault: TypeAlias = Callable[[httpx2.Request, httpx2.Response], httpx2.Response]


@dataclass(frozen=True, slots=True)
class PlannedFault:
    """A fault of one call to come, which is carried out all the same, or not."""

    fault: Fault
    processed: bool = True


class FakeGateway(FakeActs, httpx2.BaseTransport, httpx2.AsyncBaseTransport):
    """A gateway for tests; pass it as `transport`, or take a ready client from it."""

    def __init__(
        self,
        *,
        issuer: str = "https://gateway.test",
        client_id: str = "bank",
        clock: Callable[[], float] = time.time,
        retention_days: int = 0,
        agreement: FakeAgreement | None = None,
    ) -> None:
        """Make a gateway with one registered client and a new key pair for each side.

        `retention_days` are those of the client's agreement; `agreement` is what it covers, by default
        everything that is published.
        """
        self.issuer = issuer
        self.client_id = client_id
        self.private_jwk: dict[str, str] = {**generate_dpop_key(), "kid": "client-1"}
        self.signer: ResponseSigner = ResponseSigner("response-1")
        self.requests: list[httpx2.Request] = []
        self._clock = clock
        self._faults: dict[Endpoint, deque[PlannedFault]] = defaultdict(deque)
        self._published = [self.signer.jwk]
        self.oauth: FakeAuthorizationServer = FakeAuthorizationServer(
            issuer=issuer,
            client_id=client_id,
            client_jwk=self.private_jwk,
            agreement=agreement or FakeAgreement(),
        )
        self._limit = FakeLimit(per_minute=self.oauth.agreement.per_minute)
        self._log = FakeLog(issuer)
        self._resources = FakeResourceServer(
            recipient=client_id,
            log=self._log,
            agreement=self.oauth.agreement,
            retention_days=retention_days,
        )

    # Clients

    def client(self, **options: Unpack[ClientOptions[httpx2.BaseTransport]]) -> Client:
        """Open a client of this gateway; retries do not wait long."""
        return Client(**{**self._options(), **options})

    def async_client(
        self, **options: Unpack[ClientOptions[httpx2.AsyncBaseTransport]]
    ) -> AsyncClient:
        """Open an asyncio client of this gateway; retries do not wait long."""
        return AsyncClient(**{**self._options(), **options})

    @property
    def jwks(self) -> dict[str, Any]:
        """The public keys that this gateway publishes."""
        return {"keys": [*self._published, self._log.jwk]}

    @property
    def now(self) -> int:
        """The gateway's time."""
        return int(self._clock())

    @property
    def _time(self) -> datetime:
        return datetime.fromtimestamp(self.now, UTC)

    # Setting up data

    def add_enterprise(
        self,
        uscc: str,
        *,
        answers: Answers | None = None,
        elements: Mapping[str, str] | None = None,
        records: Iterable[Mapping[str, Any]] = (),
    ) -> FakeEnterprise:
        """Add an enterprise: answers by question or (question, value), records as on the wire.

        `elements` answer questions on groups: `name`, `legal_representative`, `id_number`. A record needs
        `dataset` and `fields`; the rest is filled in. Its own `use_until` is the end of its clock.
        """
        known = tuple({"record_id": new_id("rec"), **each} for each in records)
        uscc = normalise(uscc)
        enterprise = FakeEnterprise(
            uscc=uscc, answers=answers or {}, elements=elements or {}, records=known
        )
        self._resources.enterprises[uscc] = enterprise
        return enterprise

    def decide(self, url: str, *, grant: bool = True, uscc: str | None = None) -> str:
        """Play the enterprise at a consent flow's `url`; return where the browser comes back.

        Within the cool-down after a refusal of the same, the browser comes back refused, whatever `grant` is.
        """
        asked = self.oauth.asked(url)
        until = asked.get("valid_until")
        chosen = uscc or asked.get("enterprise", {}).get("uscc")
        if chosen is None:
            if grant:
                raise ValueError("This flow leaves the enterprise open: choose one with uscc=….")
            return self.oauth.decide(url, None)
        if self._resources.consents.cools_down(normalise(chosen), asked["purpose"], self._time):
            return self.oauth.decide(url, None)
        consent = self.grant_consent(
            chosen,
            purpose=asked["purpose"],
            datasets=asked.get("datasets", ()),
            questions=asked.get("questions", ()),
            valid_until=datetime.fromisoformat(until) if until else None,
            max_uses=asked.get("max_uses"),
        )
        self.answer_consent(consent.consent_id, grant=grant)
        details = {"type": "credit_data", **consent.credit_data()}
        return self.oauth.decide(url, details if grant else None)

    def take_offline(self, *datasets: str) -> None:
        """Let the sources of these datasets be unavailable from now on; of none, let all be back."""
        self._resources.unavailable = set(datasets)

    # Injecting faults: by default in the next calls of /v1, or of another `endpoint`

    def refuse(
        self,
        status: int,
        code: str,
        *,
        retry_after: int | None = None,
        times: int = 1,
        endpoint: Endpoint = "api",
    ) -> None:
        """Refuse the next calls with this problem, signed; at `token` and `par` with an OAuth error.

        They are not carried out: no use of a consent is spent, no code is redeemed, no key is pinned. One
        call of a client makes up to 1 + `retry.retries` requests (1 + 3), and each counts in `times`.
        """

        def fault(request: httpx2.Request, _: httpx2.Response) -> httpx2.Response:
            if endpoint in _UNSIGNED:
                return _oauth_error(status, code, retry_after)
            return self._signed(request, problem(status, code, retry_after=retry_after))

        self._plan(fault, times, endpoint, processed=False)

    def break_down(
        self,
        status: int = 502,
        *,
        times: int = 1,
        endpoint: Endpoint = "api",
        processed: bool = False,
    ) -> None:
        """Answer the next calls unsigned, as a proxy in front of the gateway.

        They do not reach the gateway; with `processed` they were carried out, and only the answer is lost.
        """

        def fault(_: httpx2.Request, __: httpx2.Response) -> httpx2.Response:
            return httpx2.Response(status, text="Bad gateway")

        self._plan(fault, times, endpoint, processed=processed)

    def disconnect(self, *, times: int = 1, endpoint: Endpoint = "api") -> None:
        """Carry the next calls out, but lose the answers."""

        def fault(request: httpx2.Request, _: httpx2.Response) -> httpx2.Response:
            raise httpx2.ReadError("The connection was lost.", request=request)

        self._plan(fault, times, endpoint)

    def answer_with(self, fault: Fault, *, times: int = 1, endpoint: Endpoint = "api") -> None:
        """Carry the next calls out, and send what `fault` makes of their answers."""
        self._plan(fault, times, endpoint)

    def tamper(self, part: Part, *, times: int = 1) -> None:
        """Forge this part of the next answers of /v1."""

        def fault(request: httpx2.Request, response: httpx2.Response) -> httpx2.Response:
            return TAMPERINGS[part](Tampering(gateway=self, request=request, response=response))

        self._plan(fault, times, "api")

    def leave_out_leaf(self, *, times: int = 1) -> None:
        """Promise the next leaves, but leave them out of the log."""
        self._log.left_out += times

    def recover(self) -> None:
        """End every outage: no fault is left to come, and all sources are back."""
        self._faults.clear()
        self._log.left_out = 0
        self._resources.unavailable = set()

    def _plan(
        self, fault: Fault, times: int, endpoint: Endpoint, *, processed: bool = True
    ) -> None:
        self._faults[endpoint].extend([PlannedFault(fault, processed)] * times)

    def revoke_tokens(self) -> None:
        """Refuse all tokens given so far."""
        self.oauth.tokens.clear()

    def rotate_key(self) -> None:
        """Sign with a new key from now on; the old one stays published."""
        self.signer = ResponseSigner(f"response-{len(self._published) + 1}")
        self._published.append(self.signer.jwk)

    # The transport

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Answer a blocking client."""
        request.read()
        time.sleep(self._wait(request))
        return self._dated(self._answer(request))

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Answer an asyncio client."""
        await request.aread()
        await asyncio.sleep(self._wait(request))
        return self._dated(self._answer(request))

    def _wait(self, request: httpx2.Request) -> float:
        """Seconds to hold a long poll: a moment, so that a test neither waits nor runs hot."""
        return LONG_POLL_SECONDS if "wait" in request.url.params else 0

    def _dated(self, response: httpx2.Response) -> httpx2.Response:
        response.headers.setdefault("Date", formatdate(self._clock(), usegmt=True))
        return response

    def _answer(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(request)
        path = request.url.path
        if path == "/.well-known/oauth-authorization-server":
            return self._faulty(request, json_response(200, self.oauth.metadata()), "discovery")
        if path == "/.well-known/jwks.json":
            return self._faulty(request, json_response(200, self.jwks), "discovery")
        if path in {"/oauth/par", "/oauth/token"}:
            endpoint: Endpoint = "par" if path == "/oauth/par" else "token"
            answer = self.oauth.post(
                request, now=self._clock(), outage=partial(self._outage, request, endpoint)
            )  # a fault is for a call that would succeed
            return self._faulty(request, answer, endpoint) if answer.is_success else answer
        return self._resource(request, path)

    def _resource(self, request: httpx2.Request, path: str) -> httpx2.Response:
        """What /v1 answers, by the next fault, if there is one."""
        is_open = path == _PUBLIC and "authorization" not in request.headers
        refusal = None if is_open else self._refusal(request)
        if refusal is not None:
            return self._signed(request, refusal)
        faulty: Endpoint = (
            "log" if path.startswith("/v1/receipts/") and self._faults["log"] else "api"
        )
        outage = self._outage(request, faulty)
        if outage is not None:
            return outage
        wait, headers = self._limit.charge(self._clock())
        if wait is None:
            _, _, token = request.headers.get("authorization", "").partition(" ")
            bound = self.oauth.bound.get(token)
            response = self._resources.answer(request, now=self._clock(), bound=bound)
        else:
            response = problem(429, "rate_limited", retry_after=wait)
        response.headers.update(headers)
        if self._faults[faulty]:
            return self._faulty(request, response, faulty)
        return self._signed(request, response)

    def _outage(self, request: httpx2.Request, endpoint: Endpoint) -> httpx2.Response | None:
        """Answer of the next fault, where the call is not to be carried out."""
        faults = self._faults[endpoint]
        if not faults or faults[0].processed:
            return None
        return faults.popleft().fault(request, httpx2.Response(503))

    def _faulty(
        self, request: httpx2.Request, response: httpx2.Response, endpoint: Endpoint
    ) -> httpx2.Response:
        """What is answered to a call that was carried out: by the next fault, if there is one."""
        faults = self._faults[endpoint]
        return faults.popleft().fault(request, response) if faults else response

    def _refusal(self, request: httpx2.Request) -> httpx2.Response | None:
        """Check token, proof, scope and digest."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        jkt, ends_at, scope = self.oauth.tokens.get(token, ("", 0.0, ""))
        if scheme != "DPoP" or self._clock() >= ends_at:
            return _challenge("invalid_token", named=scheme != "")
        try:
            proven = self.oauth.verify_proof(request, now=self._clock(), token=token)
        except OAuthRefusal as refused:
            return _challenge(refused.code)
        if proven != jkt:
            return _challenge("invalid_token")
        if scopes_of(request.url.path).isdisjoint(scope.split(" ")):
            return _challenge("insufficient_scope", status=403)
        if request.headers.get("content-encoding", "identity") != "identity":
            return problem(415, "unsupported_media_type", headers={"Accept-Encoding": "identity"})
        declared = combine_fields(request.headers, ("content-digest",))
        return None if digest_fits(declared, request.content) else problem(400, "digest_mismatch")

    def _signed(self, request: httpx2.Request, response: httpx2.Response) -> httpx2.Response:
        given = request.headers.get("x-request-id", "")
        own = given if _REQUEST_ID.fullmatch(given) else secrets.token_urlsafe(12)
        response.headers.setdefault("X-Request-Id", own)
        return self.signer.sign(request, response, created=self.now)

    def _options(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer,
            "client_id": self.client_id,
            "private_jwks": self.private_jwk,
            "redirect_uri": "https://bank.test/callback",
            "transport": self,
            "clock": self._clock,
            "retry": RetryPolicy(base=0.001),
        }


def _oauth_error(status: int, code: str, retry_after: int | None) -> httpx2.Response:
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    return json_response(status, {"error": code}, headers=headers)


def _challenge(code: str, *, status: int = 401, named: bool = True) -> httpx2.Response:
    """A challenge; one that is not `named` has no error, as for a call without credentials (RFC 6750)."""
    challenge = f'DPoP error="{code}"' if named else 'DPoP algs="ES256"'
    headers = {"DPoP-Nonce": NONCE, "WWW-Authenticate": challenge}
    return problem(status, code, headers=headers)
