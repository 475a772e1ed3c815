"""The fake gateway as an httpx2 transport: routes requests, signs answers, injects faults."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import formatdate
from functools import partial
from typing import Any, Final, Unpack

import httpx2

from xinqiao._async_client import AsyncClient
from xinqiao._client import Client
from xinqiao._core.batch.answer import PATH
from xinqiao._core.connection import ClientOptions
from xinqiao._core.session import check_issuer
from xinqiao._core.signatures.exchange import combine_fields
from xinqiao._core.signatures.http_signatures import digest_fits
from xinqiao._core.signatures.jose import generate_dpop_key
from xinqiao._core.transport.retry import RetryPolicy
from xinqiao.errors import ConfigurationError
from xinqiao.testing._endpoints.authorization_server import FakeAuthorizationServer
from xinqiao.testing._endpoints.resource_server import FakeResourceServer
from xinqiao.testing._rules.http_rules import challenge, scopes_of
from xinqiao.testing._state.enterprises import Answers, FakeAgreement, FakeEnterprise

from ._acts.outages import Endpoint, FakeOutages
from ._acts.reports import PATH as REPORTS
from ._acts.reports import FakeReportActs, FakeReports
from ._endpoints.batches import FakeBatch
from ._endpoints.signing import (
    ResponseSigner,
    json_response,
    problem,
    request_id_of,
    with_request_id,
)
from ._rules.dpop import OAuthRefusal
from ._rules.record_rules import checked_answers, checked_elements, checked_record
from ._rules.request_signatures import signature_refusal
from ._rules.setup_checks import FakeSetupError, address, credit_code, identifier, listed, whole
from ._state.limit import FakeLimit
from ._state.transparency_log import FakeLog

LONG_POLL_SECONDS: Final = 0.01
REDIRECT_URI: Final = "https://bank.test/callback"

_ENCODED: Final = "Send the body as it is: no Content-Encoding is taken here."
_PUBLIC: Final = frozenset({"/v1/bundles", "/v1/questions"})


class FakeGateway(FakeReportActs, FakeOutages, httpx2.BaseTransport, httpx2.AsyncBaseTransport):
    """A gateway for tests; pass it as `transport`, or take a ready client from it."""

    def __init__(
        self,
        *,
        issuer: str = "https://gateway.test",
        client_id: str = "bank",
        clock: Callable[[], float] = time.time,
        retention_days: int = 0,
        agreement: FakeAgreement | None = None,
        redirect_uris: Iterable[str] = (REDIRECT_URI,),
    ) -> None:
        """Make a gateway with one registered client and a new key pair for each side.

        `retention_days` are those of the client's agreement; `agreement` is what it covers, by default
        everything that is published. `redirect_uris` are registered; clients that are taken from the gateway
        have the first, or another that they are opened with. Raises `FakeSetupError`, as every method with
        which a test sets it up, for a value that the real gateway does not have.
        """
        issuer = _checked_issuer(issuer)
        identifier(client_id, "client id")
        if not callable(clock):
            raise FakeSetupError(f"{clock!r} is no clock: a function such as time.time.")
        if agreement is not None and not isinstance(agreement, FakeAgreement):
            raise FakeSetupError(f"{agreement!r} is no agreement: FakeAgreement(…).")
        whole(retention_days, "number of days", least=0, most=36_500)
        self.issuer = issuer
        self.client_id = client_id
        self.private_jwk: dict[str, str] = {**generate_dpop_key(), "kid": "client-1"}
        self.signer: ResponseSigner = ResponseSigner("response-1")
        self.requests: list[httpx2.Request] = []
        self._source, self._ahead = clock, 0.0
        self._faults = defaultdict(deque)
        self._published = [self.signer.jwk]
        self.oauth: FakeAuthorizationServer = FakeAuthorizationServer(
            issuer=issuer,
            client_id=client_id,
            client_jwk=self.private_jwk,
            agreement=agreement or FakeAgreement(),
            redirect_uris=dict.fromkeys(map(address, listed(redirect_uris, "redirect address"))),
        )
        self._limit = FakeLimit(per_minute=self.oauth.agreement.per_minute)
        self._log = FakeLog(issuer)
        self._reports = FakeReports()
        self._resources = FakeResourceServer(
            recipient=client_id,
            log=self._log,
            agreement=self.oauth.agreement,
            retention_days=retention_days,
        )

    # Clients

    def client(self, **options: Unpack[ClientOptions[httpx2.BaseTransport]]) -> Client:
        """Open a client of this gateway; retries do not wait long. Its `redirect_uri` is registered."""
        return Client(**{**self._options(options.get("redirect_uri")), **options})

    def async_client(
        self, **options: Unpack[ClientOptions[httpx2.AsyncBaseTransport]]
    ) -> AsyncClient:
        """Open an asyncio client of this gateway, as `client`."""
        return AsyncClient(**{**self._options(options.get("redirect_uri")), **options})

    @property
    def jwks(self) -> dict[str, Any]:
        """The public keys that this gateway publishes."""
        return {"keys": [*self._published, self._log.jwk]}

    @property
    def outcomes(self) -> Mapping[str, tuple[str, tuple[str, ...]]]:
        """Outcomes that the client told of its queries, with reasons as they stand, by disclosure id."""
        return {
            query: (versions[-1]["outcome"], tuple(versions[-1]["reasons"]))
            for query, versions in self._resources.outcomes.told.items()
            if versions
        }

    def advance(self, period: timedelta) -> None:
        """Let so much time pass, for the gateway and for the clients that it makes; what ends is notified."""
        if not isinstance(period, timedelta) or period <= timedelta():
            raise FakeSetupError(
                f"{period!r} is no time to pass: a timedelta ahead, such as timedelta(seconds=60)."
            )
        self._ahead += period.total_seconds()
        self._resources.notify_expired(self._time)

    def _clock(self) -> float:
        return self._source() + self._ahead

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
        code = credit_code(uscc)
        given = tuple(checked_record(each) for each in listed(records, "record"))
        self._check_ids(code, [each["record_id"] for each in given])
        enterprise = FakeEnterprise(
            uscc=code,
            answers=checked_answers({} if answers is None else answers),
            elements=checked_elements({} if elements is None else elements),
            records=given,
        )
        self._resources.files.enterprises[code] = enterprise
        return enterprise

    def _check_ids(self, uscc: str, record_ids: list[str]) -> None:
        """Each record has an id of its own; an enterprise that is added anew may keep its ids."""
        others = {
            name: each for name, each in self._resources.files.enterprises.items() if name != uscc
        }
        taken = {each["record_id"] for other in others.values() for each in other.records}
        for record_id in record_ids:
            if record_id in taken:
                raise FakeSetupError(f"{record_id!r} is another record's id; each has its own.")
            taken.add(record_id)

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
        if path.startswith(REPORTS) and request.method == "GET":
            return self._faulty(request, self._report_page(request), "discovery")
        return self._resource(request, path)

    def _resource(self, request: httpx2.Request, path: str) -> httpx2.Response:
        """Answer under /v1, by the next fault, if there is one."""
        is_open = path in _PUBLIC and "authorization" not in request.headers
        refusal = None if is_open else self._refusal(request)
        if refusal is not None:
            return self._signed(request, refusal)
        faulty: Endpoint = (
            "log" if path.startswith("/v1/receipts/") and self._faults["log"] else "api"
        )
        outage = self._outage(request, faulty)
        if outage is not None:
            return outage
        if path == "/v1/limits" and request.method in {"GET", "HEAD"}:
            return self._signed(request, json_response(200, self._limit.report(self._clock())))
        if path == PATH and request.method == "POST":
            return self._batch(request)
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

    def _batch(self, request: httpx2.Request) -> httpx2.Response:
        """A batch; its answer is signed by its last line alone."""
        now = self._clock()
        _, _, token = request.headers.get("authorization", "").partition(" ")
        response = FakeBatch(
            request=request,
            stored=self._resources.stored,
            signer=self.signer,
            now=now,
            answer=partial(self._resources.answer, now=now, bound=self.oauth.bound.get(token)),
            charge=lambda: self._limit.charge(now)[0],
        ).response()
        if self._faults["api"]:
            return self._faulty(request, response, "api")
        if not response.is_success:
            return self._signed(request, response)
        return with_request_id(response, request_id_of(request))

    def _outage(self, request: httpx2.Request, endpoint: Endpoint) -> httpx2.Response | None:
        """Answer of the next fault, where the call is not to be carried out."""
        faults = self._faults[endpoint]
        if not faults or faults[0].processed:
            return None
        return faults.popleft().fault(request, httpx2.Response(503))

    def _faulty(
        self, request: httpx2.Request, response: httpx2.Response, endpoint: Endpoint
    ) -> httpx2.Response:
        """Answer to a call that was carried out, by the next fault, if there is one."""
        faults = self._faults[endpoint]
        return faults.popleft().fault(request, response) if faults else response

    def _refusal(self, request: httpx2.Request) -> httpx2.Response | None:
        """Check token, proof, scope, digest and signature."""
        try:
            self.oauth.check_token(request, now=self._clock(), scopes=scopes_of(request.url.path))
        except OAuthRefusal as refused:
            named = "authorization" in request.headers
            return challenge(refused, nonce=self.oauth.proofs.nonce(self._clock()), named=named)
        if request.headers.get("content-encoding", "identity") != "identity":
            headers = {"Accept-Encoding": "identity"}
            return problem(415, "unsupported_media_type", headers=headers, detail=_ENCODED)
        declared = combine_fields(request.headers, ("content-digest",))
        if not digest_fits(declared, request.content):
            return problem(400, "digest_mismatch")
        required = self.oauth.agreement.requires_signed_requests
        return signature_refusal(request, self.private_jwk, required=required, now=self._clock())

    def _signed(self, request: httpx2.Request, response: httpx2.Response) -> httpx2.Response:
        response = with_request_id(response, request_id_of(request))
        return self.signer.sign(request, response, created=self.now)

    def _options(self, redirect_uri: str | None) -> dict[str, Any]:
        if redirect_uri is not None:
            self.oauth.redirect_uris[address(redirect_uri)] = None
        return {
            "issuer": self.issuer,
            "client_id": self.client_id,
            "private_jwks": self.private_jwk,
            "redirect_uri": next(iter(self.oauth.redirect_uris), None),
            "transport": self,
            "clock": self._clock,
            "retry": RetryPolicy(base=0.001),
        }


def _checked_issuer(issuer: str) -> str:
    try:
        return check_issuer(issuer)
    except (ConfigurationError, AttributeError, TypeError):
        raise FakeSetupError(
            f"{issuer!r} is no issuer: an origin such as 'https://gateway.test'."
        ) from None
