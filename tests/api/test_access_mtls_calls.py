"""Calls with certificate-bound tokens (RFC 8705) through a trusted proxy."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import httpx2
import orjson
import pytest
import pytest_asyncio
from structlog.testing import capture_logs

from gateway.limits.quotas import Quotas
from gateway.runtime import Runtime
from gateway.synthetic.demo.clients import DEMO_CLIENTS, terms_of
from tests.client_builders import set_active
from tests.gateway_fixture import UNKNOWN, Caller, GatewayFixture, in_process, verification_body
from tests.mtls_builders import Holder, make_authority, make_certificate
from tests.request_signing import code_of, signed_call
from xinqiao._core.signatures.exchange import sha256_digest

pytestmark = pytest.mark.asyncio(loop_scope="session")

CA = make_authority()
PATH = "/v1/verifications"
MTLS = "https://mtls.credit.test"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxiedGateway:
    """A gateway behind a trusted proxy, also reachable directly."""

    gateway: GatewayFixture
    runtime: Runtime
    http: httpx2.AsyncClient
    around: httpx2.AsyncClient

    async def client(self, holder: Holder, *, bound: bool = True, **terms: Any) -> Caller:
        """A client that authenticates by this certificate."""
        caller = await self.gateway.client(**terms)
        name = holder.certificate.subject.rfc4514_string()
        await self.gateway.rows(
            "UPDATE client SET token_endpoint_auth_method = 'tls_client_auth',"
            " tls_client_auth_subject_dn = :name,"
            " tls_client_certificate_bound_access_tokens = :bound WHERE client_id = :client",
            name=name,
            bound=bound,
            client=caller.client_id,
        )
        return caller

    async def nonce(self) -> str:
        """A valid DPoP nonce."""
        generation = await self.runtime.limiter.generation()
        return self.runtime.nonces.issue(generation, self.gateway.clock())

    async def token(
        self, caller: Caller, holder: Holder, *, proven: bool = False, scope: str = "query verify"
    ) -> str:
        """A token bound to this certificate, and to the caller's DPoP key if `proven`."""
        headers = {"Client-Cert": holder.header}
        if proven:
            nonce = await self.nonce()
            headers["DPoP"] = await caller.proof("POST", "/oauth/token", None, nonce=nonce)
        form = {
            "grant_type": "client_credentials",
            "client_id": caller.client_id,
            "scope": scope,
        }
        answer = await self.http.post("/oauth/token", data=form, headers=headers)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["access_token"])

    async def call(
        self,
        headers: Mapping[str, str] | list[tuple[str, str]],
        *,
        uscc: str,
        http: httpx2.AsyncClient | None = None,
        checked: bool = True,
    ) -> httpx2.Response:
        """Ask one question with these headers; the answer is signed."""
        raw = orjson.dumps(verification_body(uscc, "is_active.v1"))
        own = [("Content-Type", "application/json"), ("Content-Digest", sha256_digest(raw))]
        given = list(headers.items()) if isinstance(headers, Mapping) else headers
        sent = httpx2.Headers([*own, *given])
        answer = await (http or self.http).post(PATH, content=raw, headers=sent)
        return self.gateway.checked(answer) if checked else answer


@asynccontextmanager
async def behind_a_proxy(gateway: GatewayFixture) -> AsyncIterator[ProxiedGateway]:
    """The gateway's database behind a proxy at 127.0.0.1, from where the tests call."""
    changed = {"trusted_proxies": "127.0.0.1", "mtls_origin": MTLS}
    settings = type(gateway.settings).model_validate(
        {**gateway.settings.model_dump(), **changed}, by_name=True
    )
    async with in_process(settings, gateway.clock) as (app, http):
        transport = httpx2.ASGITransport(app=app, client=("127.0.0.9", 1))
        base = gateway.settings.issuer
        async with httpx2.AsyncClient(transport=transport, base_url=base) as around:
            yield ProxiedGateway(
                gateway=gateway, runtime=app.state.runtime, http=http, around=around
            )


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def proxied(gateway: GatewayFixture) -> AsyncIterator[ProxiedGateway]:
    """The module's gateway behind a proxy."""
    async with behind_a_proxy(gateway) as made:
        yield made


@pytest.fixture
def holder() -> Holder:
    """A certificate of the authority."""
    return make_certificate(issuer=CA)


def refused(answer: httpx2.Response, code: str, *, scheme: str = "Bearer") -> bool:
    """True if the call was refused so, with the challenge of this scheme."""
    told = answer.headers.get("www-authenticate", "")
    return (
        answer.status_code == (403 if code == "insufficient_scope" else 401)
        and answer.json()["code"] == code
        and told.startswith(f'{scheme} error="{code}"')
    )


async def test_a_bound_token_with_its_certificate_is_answered(
    proxied: ProxiedGateway, holder: Holder
) -> None:
    """Scheme Bearer in any case; counted, signed and logged as any other call."""
    caller, uscc = await proxied.client(holder), proxied.gateway.uscc("clean")
    token = await proxied.token(caller, holder)
    for scheme in ("Bearer", "bearer", "BEARER"):
        headers = {"Authorization": f"{scheme} {token}", "Client-Cert": holder.header}
        answer = await proxied.call(headers, uscc=uscc)
        assert answer.status_code == 200, answer.text
    assert answer.headers["ratelimit-policy"].startswith('"client";q=')
    assert "dpop-nonce" not in answer.headers
    assert len(await proxied.gateway.log_of(caller)) == 3


async def test_a_signature_without_a_proof_is_good_once(
    proxied: ProxiedGateway, holder: Holder
) -> None:
    """Its nonce is the client's own, and is needed; the agreement may require the signature."""
    caller, uscc = await proxied.client(holder, requires_signed_requests=True), UNKNOWN
    token = {
        "Authorization": f"Bearer {await proxied.token(caller, holder)}",
        "Client-Cert": holder.header,
    }
    call = signed_call(verification_body(uscc, "is_active.v1"))
    codes, details = [code_of(await proxied.call(token, uscc=uscc))], []
    for parameters in ({}, {"nonce": None}, {"nonce": ""}):
        fields = replace(call, parameters=parameters).fields(caller, "once")
        answers = [await proxied.call(token | fields, uscc=uscc) for _ in range(2)]
        codes += map(code_of, answers)
        details += [each.json().get("detail", "") for each in answers]
    assert codes == ["signature_required", 200, *["signature_invalid"] * 5]
    assert "used before" in details[1]
    assert all("nonce is missing" in each for each in details[2:])


async def test_a_token_without_its_certificate_is_refused(
    proxied: ProxiedGateway, holder: Holder
) -> None:
    """Refused with no certificate, another one of the same name, or an older one."""
    caller, uscc = await proxied.client(holder), proxied.gateway.uscc("clean")
    token = {"Authorization": f"Bearer {await proxied.token(caller, holder)}"}
    renewed = make_certificate(issuer=CA)
    assert refused(await proxied.call(token, uscc=uscc), "invalid_token")
    stolen = {**token, "Client-Cert": renewed.header}
    assert refused(await proxied.call(stolen, uscc=uscc), "invalid_token")
    with_it = {**token, "Client-Cert": holder.header}
    assert (await proxied.call(with_it, uscc=uscc)).status_code == 200
    assert len(await proxied.gateway.log_of(caller)) == 1


async def test_a_header_that_bypasses_the_proxy_is_ignored(
    proxied: ProxiedGateway, holder: Holder
) -> None:
    """The same answer as without a certificate, and a log line, whatever is forwarded."""
    caller, uscc = await proxied.client(holder), proxied.gateway.uscc("clean")
    token = {"Authorization": f"Bearer {await proxied.token(caller, holder)}"}
    forged = {
        **token,
        "Client-Cert": holder.header,
        "X-Forwarded-For": "127.0.0.1",
        "Forwarded": "for=127.0.0.1",
    }
    with capture_logs() as logs:
        answer = await proxied.call(forged, uscc=uscc, http=proxied.around)
    bare = await proxied.call(token, uscc=uscc, http=proxied.around)
    assert refused(answer, "invalid_token")
    assert answer.json()["detail"] == bare.json()["detail"]
    assert "client_cert_ignored" in [each["event"] for each in logs]
    alike = {**token, "Client_Cert": holder.header, "X-Client-Cert": holder.header}
    assert refused(await proxied.call(alike, uscc=uscc), "invalid_token")


async def test_a_certificate_that_ran_out_ends_its_token(proxied: ProxiedGateway) -> None:
    """Expiry is checked by the gateway, not only by the proxy."""
    brief = make_certificate(issuer=CA, days=(-1, 2 / 86_400 * 60))
    caller, uscc = await proxied.client(brief), proxied.gateway.uscc("clean")
    token = await proxied.token(caller, brief)
    headers = {"Authorization": f"Bearer {token}", "Client-Cert": brief.header}
    assert (await proxied.call(headers, uscc=uscc)).status_code == 200
    with proxied.gateway.clock.later(minutes=3):
        answer = await proxied.call(headers, uscc=uscc)
    assert refused(answer, "invalid_token")
    assert "term" in answer.json()["detail"]


async def test_two_or_broken_certificates_are_refused(
    proxied: ProxiedGateway, holder: Holder
) -> None:
    """Also beside a DPoP token: the proxy is misconfigured."""
    caller, uscc = await proxied.client(holder), proxied.gateway.uscc("clean")
    token = ("Authorization", f"Bearer {await proxied.token(caller, holder)}")
    own = ("Client-Cert", holder.header)
    for headers in (
        [token, own, own],
        [token, own, ("Client-Cert", make_certificate().header)],
        [token, ("Client-Cert", holder.header[:-1])],
        [token, ("Client-Cert", ":" + "QUFB" * 12_000 + ":")],
    ):
        answer = await proxied.call(headers, uscc=uscc)
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")


async def test_a_dpop_token_is_never_a_bearer_token(
    proxied: ProxiedGateway, holder: Holder
) -> None:
    """With or without a certificate or a proof."""
    gateway = proxied.gateway
    bank, uscc = await gateway.client(), gateway.uscc("clean")
    token = await bank.token()
    proof = await bank.proof("POST", PATH, token, nonce=await proxied.nonce())
    for more in ({}, {"Client-Cert": holder.header}, {"DPoP": proof}):
        headers = {"Authorization": f"Bearer {token}", **more}
        answer = await proxied.call(headers, uscc=uscc)
        assert refused(answer, "invalid_token")
        assert "DPoP" in answer.json()["detail"]
    good = {"Authorization": f"DPoP {token}", "DPoP": proof, "Client-Cert": holder.header}
    assert (await proxied.call(good, uscc=uscc)).status_code == 200


async def test_a_certificate_token_is_never_a_dpop_token(
    proxied: ProxiedGateway, holder: Holder
) -> None:
    """A DPoP proof neither replaces the certificate nor is ignored beside it."""
    caller, uscc = await proxied.client(holder), proxied.gateway.uscc("clean")
    token = await proxied.token(caller, holder)
    proof = await caller.proof("POST", PATH, token, nonce=await proxied.nonce())
    as_dpop = {"Authorization": f"DPoP {token}", "DPoP": proof, "Client-Cert": holder.header}
    assert refused(await proxied.call(as_dpop, uscc=uscc), "invalid_token", scheme="DPoP")
    beside = {"Authorization": f"Bearer {token}", "DPoP": proof, "Client-Cert": holder.header}
    assert refused(await proxied.call(beside, uscc=uscc), "invalid_dpop_proof")


async def test_a_token_that_is_bound_twice_is_judged_twice(
    proxied: ProxiedGateway, holder: Holder
) -> None:
    """Certificate and DPoP proof are both required, under the scheme DPoP."""
    caller, uscc = await proxied.client(holder), proxied.gateway.uscc("clean")
    token = await proxied.token(caller, holder, proven=True)

    async def headers(**changes: str | None) -> dict[str, str]:
        made: dict[str, str | None] = {
            "Authorization": f"DPoP {token}",
            "DPoP": await caller.proof("POST", PATH, token, nonce=await proxied.nonce()),
            "Client-Cert": holder.header,
        }
        return {name: value for name, value in (made | changes).items() if value is not None}

    assert (await proxied.call(await headers(), uscc=uscc)).status_code == 200
    other = replace(caller, proof_key=caller.key)
    foreign = await other.proof("POST", PATH, token, nonce=await proxied.nonce())
    for wrong, code, scheme in (
        ({"Client-Cert": None}, "invalid_token", "DPoP"),
        ({"Client-Cert": make_certificate(issuer=CA).header}, "invalid_token", "DPoP"),
        ({"DPoP": None}, "invalid_dpop_proof", "DPoP"),
        ({"DPoP": foreign}, "invalid_token", "DPoP"),
        ({"Authorization": f"Bearer {token}"}, "invalid_token", "Bearer"),
        ({"Authorization": f"Bearer {token}", "DPoP": None}, "invalid_token", "Bearer"),
    ):
        answer = await proxied.call(await headers(**wrong), uscc=uscc)
        assert refused(answer, code, scheme=scheme), wrong
    used = await headers()
    assert (await proxied.call(used, uscc=uscc)).status_code == 200
    assert refused(await proxied.call(used, uscc=uscc), "invalid_dpop_proof", scheme="DPoP")


async def test_without_a_trusted_proxy_bearer_tokens_are_refused(
    proxied: ProxiedGateway, holder: Holder
) -> None:
    """A certificate-bound token of another worker is refused if no proxy is trusted."""
    caller, gateway = await proxied.client(holder), proxied.gateway
    token = await proxied.token(caller, holder)
    headers = {"Authorization": f"Bearer {token}", "Client-Cert": holder.header}
    answer = await proxied.call(headers, uscc=gateway.uscc("clean"), http=gateway.http)
    assert refused(answer, "invalid_token", scheme="DPoP")
    assert "Bearer" not in answer.headers["www-authenticate"]


async def test_state_holds_from_the_next_request(proxied: ProxiedGateway, holder: Holder) -> None:
    """A revoked token and a suspended client are refused."""
    caller, gateway = await proxied.client(holder), proxied.gateway
    uscc, with_it = gateway.uscc("clean"), {"Client-Cert": holder.header}
    revoked = await proxied.token(caller, holder)
    form = {"client_id": caller.client_id, "token": revoked}
    ended = await proxied.http.post("/oauth/revoke", data=form, headers=with_it)
    assert ended.status_code == 200
    headers = {"Authorization": f"Bearer {revoked}", **with_it}
    assert refused(await proxied.call(headers, uscc=uscc), "invalid_token")
    headers["Authorization"] = f"Bearer {await proxied.token(caller, holder)}"
    assert (await proxied.call(headers, uscc=uscc)).status_code == 200
    async with gateway.runtime.engine.begin() as connection:
        await set_active(connection, caller.client_id, active=False)
    answer = await proxied.call(headers, uscc=uscc)
    assert (answer.status_code, answer.json()["code"]) == (403, "client_suspended")


async def test_the_same_limits_hold(proxied: ProxiedGateway, holder: Holder) -> None:
    """The quota is counted as for DPoP calls, without a replay check."""
    role = next(each for each in DEMO_CLIENTS if each.key == "bank")
    quotas = replace(terms_of(role, proxied.gateway.clock()).quotas, per_minute=2)
    assert isinstance(quotas, Quotas)
    caller = await proxied.client(holder, quotas=quotas)
    uscc, token = proxied.gateway.uscc("clean"), await proxied.token(caller, holder)
    headers = {"Authorization": f"Bearer {token}", "Client-Cert": holder.header}
    statuses = [(await proxied.call(headers, uscc=uscc)).status_code for _ in range(4)]
    assert statuses[:2] == [200, 200]
    assert 429 in statuses[2:]


async def test_a_missing_scope_is_named_in_the_challenge(
    proxied: ProxiedGateway, holder: Holder
) -> None:
    """The challenge names the scope under the scheme used."""
    caller = await proxied.client(holder)
    token = await proxied.token(caller, holder, scope="query")
    headers = {"Authorization": f"Bearer {token}", "Client-Cert": holder.header}
    answer = await proxied.call(headers, uscc=proxied.gateway.uscc("clean"))
    assert refused(answer, "insufficient_scope")
    assert 'scope="verify"' in answer.headers["www-authenticate"]


async def test_an_answer_is_signed_for_the_address_that_was_called(
    proxied: ProxiedGateway, holder: Holder
) -> None:
    """Over the certificate alias, the signature covers the alias address."""
    caller, uscc = await proxied.client(holder), proxied.gateway.uscc("clean")
    token = await proxied.token(caller, holder)
    headers = {"Authorization": f"Bearer {token}", "Client-Cert": holder.header}
    transport = proxied.http._transport  # the same gateway, by its other name
    async with httpx2.AsyncClient(transport=transport, base_url=MTLS) as http:
        answer = await proxied.call(headers, uscc=uscc, http=http)
        assert answer.status_code == 200
        assert str(answer.request.url).startswith(MTLS)
