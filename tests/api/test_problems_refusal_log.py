"""Refusal log: one line for each refusal, with code, reason and client, without secrets."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx2
import pytest
from structlog.testing import capture_logs

from tests.client_builders import make_agreement, make_operator, make_registration, make_set
from tests.gateway_fixture import Caller, GatewayFixture
from tests.oauth_builders import ASSERTION_TYPE

pytestmark = pytest.mark.asyncio(loop_scope="session")

PERSON = "110101199001010015"
FIRM = "91330106MA2CXXXX16"
Asking = Callable[[Caller], Awaitable[httpx2.Response]]
Form = dict[str, str]


def posting(path: str, form: Form | None = None, **instead: Any) -> Asking:
    """An OAuth form with the client's proof and assertion, `instead` replaced."""

    async def ask(caller: Caller) -> httpx2.Response:
        assertion = caller.assertion()
        right = {"client_assertion_type": ASSERTION_TYPE, "client_assertion": assertion}
        headers = {"DPoP": await caller.proof("POST", path, None, **instead.get("proof", {}))}
        fields = right | (form or {}) | instead.get("fields", {})
        sent = {name: value for name, value in fields.items() if value is not None}
        return await caller.gateway.http.post(
            path, data=sent, headers=instead.get("headers", headers)
        )

    return ask


def acting(path: str, body: Any = None, *, method: str = "POST", **more: Any) -> Asking:
    """An operator's call."""

    async def ask(caller: Caller) -> httpx2.Response:
        raw = b"" if body is None else body
        scope = more.get("scope", "admin")
        return await caller.send(
            f"/v1/admin{path}", raw, method=method, scope=scope, headers=more.get("headers")
        )

    return ask


CREDENTIALS = {"grant_type": "client_credentials"}
REFUSALS: dict[str, tuple[str, Asking]] = {
    # name: (error or code, how it is brought about)
    "no grant": ("invalid_request", posting("/oauth/token")),
    "another grant": (
        "unsupported_grant_type",
        posting("/oauth/token", {"grant_type": "password", "username": PERSON}),
    ),
    "no assertion": (
        "invalid_client",
        posting("/oauth/token", CREDENTIALS, fields={"client_assertion": None}),
    ),
    "a forged assertion": (
        "invalid_client",
        posting("/oauth/token", CREDENTIALS, fields={"client_assertion": "e30.e30.e30"}),
    ),
    "a person's number as client": (
        "invalid_client",
        posting("/oauth/introspect", fields={"client_id": PERSON, "client_assertion": None}),
    ),
    "a firm's number as client": (
        "invalid_client",
        posting("/oauth/introspect", fields={"client_id": FIRM, "client_assertion": None}),
    ),
    "no proof": ("invalid_dpop_proof", posting("/oauth/token", CREDENTIALS, headers={})),
    "no nonce": ("use_dpop_nonce", posting("/oauth/token", CREDENTIALS, proof={"nonce": None})),
    "another's scope": ("invalid_scope", posting("/oauth/token", CREDENTIALS | {"scope": "query"})),
    "another resource": (
        "invalid_target",
        posting("/oauth/token", CREDENTIALS | {"resource": "https://elsewhere.test"}),
    ),
    "an unknown code": (
        "unauthorized_client",
        posting("/oauth/token", {"grant_type": "authorization_code", "code": "S3CRET"}),
    ),
    "an unregistered redirect": (
        "invalid_request",
        posting("/oauth/par", {"redirect_uri": f"https://elsewhere.test/{PERSON}"}),
    ),
    "nothing to introspect": ("invalid_request", posting("/oauth/introspect")),
    "nothing to revoke": ("invalid_request", posting("/oauth/revoke")),
    "no token": ("invalid_token", acting("/clients", headers={"Authorization": None})),
    "a token in pieces": (
        "invalid_token",
        acting("/clients", headers={"Authorization": "DPoP S3CRET"}),
    ),
    "no operator": ("insufficient_scope", acting("/clients", {}, scope="audit")),
    "no proof at all": ("invalid_dpop_proof", acting("/clients", {}, headers={"DPoP": None})),
    "not JSON": ("invalid_request", acting("/clients", b"{")),
    "a member that is not known": ("invalid_request", acting("/clients", {PERSON: 1, FIRM: 2})),
    "a form": (
        "unsupported_media_type",
        acting("/clients", b"a=b", headers={"Content-Type": "text/plain"}),
    ),
    "a digest of something else": (
        "digest_mismatch",
        acting("/clients", {}, headers={"Content-Digest": "sha-256=:AAAA:"}),
    ),
    "keys that are private": (
        "invalid_request",
        acting(
            "/clients",
            {
                "client_id": "x",
                "registration": make_registration(
                    jwks={"keys": [{**make_set("k")["keys"][0], "d": "S3CRET"}]}
                ),
            },
        ),
    ),
    "nobody": ("not_found", acting("/clients/nobody", method="GET")),
    "nobody to suspend": ("not_found", acting("/clients/nobody/suspend")),
    "an act that there is not": ("not_found", acting("/clients/nobody/praise")),
    "a taken id": (
        "conflict",
        acting("/clients", {"client_id": "demo-bank", "registration": make_registration()}),
    ),
    "a statement that is none": (
        "invalid_request",
        acting("/clients/demo-bank/keys", {"rotation": "S3CRET.S3CRET.S3CRET"}),
    ),
    "a moment without zone": (
        "invalid_request",
        acting("/acts?before=2026-01-01T00:00:00", method="GET"),
    ),
    "an agreement for nobody": (
        "not_found",
        acting("/agreements/nobody/proposals", {"agreement": make_agreement()}),
    ),
    "no such purpose": (
        "invalid_request",
        acting("/agreements/demo-bank/proposals", {"agreement": make_agreement(purposes=[PERSON])}),
    ),
}


# Refused before it is known who calls.
BEFORE_THE_TOKEN = frozenset({"no token", "a token in pieces", "a moment without zone"})


@pytest.mark.parametrize("name", REFUSALS)
async def test_a_refusal_is_one_line_with_its_reason(gateway: GatewayFixture, name: str) -> None:
    """No assertion, proof, token, code, ID number or USCC in it."""
    error, ask = REFUSALS[name]
    operator = await make_operator(gateway, "admin", "audit")
    for scope in ("admin", "audit"):
        await operator.token(scope)
    with capture_logs() as logs:
        answer = await ask(operator)
    assert 400 <= answer.status_code < 500
    assert [(line["event"], line["error"]) for line in logs] == [("refused", error)]
    assert logs[0]["reason"]
    if "route" in logs[0] and name not in BEFORE_THE_TOKEN:
        assert logs[0]["client_id"] == operator.client_id
    assert answer.json().get("error", answer.json().get("code")) == error
    for secret in (PERSON, FIRM, "S3CRET", "e30.", await operator.token("admin")):
        assert secret not in str(logs)
