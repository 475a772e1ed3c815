"""Clients over the admin API: registration, suspension, key rotation, audit."""

import secrets
from datetime import timedelta
from typing import Any

import pytest

from gateway.admin.client_key_rotation import TYP
from gateway.clients.key_sets import ClaimedSigner, ensure_keys
from tests.client_builders import (
    FILING,
    get,
    make_ec_key,
    make_key_server,
    make_operator,
    make_registration,
    make_set,
    ok,
    post,
)
from tests.gateway_fixture import Caller, GatewayFixture
from tests.oauth_builders import public_jwk, sign_jwt

pytestmark = pytest.mark.asyncio(loop_scope="session")

READS = ("/clients", "/clients/demo-bank", "/acts", "/agreements/demo-bank")


def make_new_client(**changes: Any) -> dict[str, Any]:
    """Body that registers a client."""
    return {
        "client_id": f"bank-{secrets.token_hex(4)}",
        "registration": make_registration(**changes),
    }


def make_rotation(caller: Caller, **changes: Any) -> str:
    """A client's signed statement of its new keys; a claim of `None` is left out."""
    now = int(caller.gateway.clock().timestamp())
    claims = {
        "iss": caller.client_id,
        "sub": caller.client_id,
        "aud": caller.gateway.issuer,
        "iat": now,
        "exp": now + 60,
        "jwks": make_set("k2"),
    }
    header = {"typ": changes.pop("typ", TYP), "kid": "k1"} | changes.pop("header", {})
    key = changes.pop("key", caller.key)
    return sign_jwt(key, "ES256", claims | changes, header)


async def test_an_operator_registers_a_client(gateway: GatewayFixture) -> None:
    """The answer has the key ids; the client has no agreement yet."""
    operator, body = await make_operator(gateway), make_new_client(contact="0571-00000000")
    answer = await post(operator, "/clients", body)
    assert answer.status_code == 201, answer.text
    shown = await get(operator, f"/clients/{body['client_id']}")
    assert shown == answer.json()
    assert shown["contact"] == "0571-00000000"
    assert (shown["state"], shown["kids"], shown["jwks_uri"]) == ("active", ["k1"], None)
    assert await get(operator, f"/agreements/{body['client_id']}") == {"versions": []}


async def test_an_operator_registers_a_client_by_its_certificate(gateway: GatewayFixture) -> None:
    """The RFC 8705 members are shown; an incomplete set is a 400."""
    operator = await make_operator(gateway)
    method = {
        "token_endpoint_auth_method": "tls_client_auth",
        "tls_client_auth_subject_dn": "CN=acme,C=CN",
        "tls_client_certificate_bound_access_tokens": True,
    }
    body = make_new_client(jwks=None, **method)
    answer = await post(operator, "/clients", body)
    assert answer.status_code == 201, answer.text
    assert method.items() <= answer.json().items()
    for name in method.keys() - {"tls_client_certificate_bound_access_tokens"}:
        half = make_new_client(jwks=None, **{n: v for n, v in method.items() if n != name})
        assert (await post(operator, "/clients", half)).status_code == 400


async def test_a_taken_id_is_a_conflict(gateway: GatewayFixture) -> None:
    """The existing client is unchanged."""
    operator, body = await make_operator(gateway), make_new_client()
    await post(operator, "/clients", body)
    again = await post(operator, "/clients", body | {"registration": make_registration()})
    assert (again.status_code, again.json()["code"]) == (409, "conflict")


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": "agency"},
        {"kind": "person"},
        {"scopes": ["admin"]},
        {"scopes": ["query", "audit"]},
        {"scopes": []},
        {"jwks": None},
        {"jwks": {"keys": [{"kty": "oct", "k": "c2VjcmV0"}]}},
        {"jwks_uri": "https://bank.test/jwks.json"},
        {"jwks": None, "jwks_uri": "https://169.254.169.254/"},
        {"jwks": None, "jwks_uri": "http://keys.bank.test/"},
        {"redirect_uris": ["http://bank.test/"]},
        {"name_zh": ""},
        {"kind": "agency", "filing": "F-1"},
        {"kind": "agency", "filing": FILING | {"checked_on": "2199-01-01"}},
        {"kind": "agency", "filing": FILING | {"valid_until": "2026-01-06"}},
        {"filing": FILING | {"number": "a b"}},
        {"contact": "a" * 201},
        pytest.param({"jwks": {"keys": [{**make_set("k")["keys"][0], "use": "enc"}]}}, id="use"),
        {"secret": "x"},
    ],
    ids=str,
)
async def test_an_invalid_registration_is_a_400(
    gateway: GatewayFixture, changes: dict[str, Any]
) -> None:
    """400 with a sentence, and no client is made."""
    operator, body = await make_operator(gateway), make_new_client(**changes)
    answer = await post(operator, "/clients", body)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request"), answer.text
    assert "c2VjcmV0" not in answer.text
    path = f"/v1/admin/clients/{body['client_id']}"
    gone = await operator.send(path, b"", method="GET", scope="admin")
    assert gone.status_code == 404


async def test_suspending_holds_from_the_next_request(gateway: GatewayFixture) -> None:
    """Calls with a valid token are refused; resuming allows them again."""
    operator, bank = await make_operator(gateway), await gateway.client()
    uscc = gateway.uscc("clean")
    assert (await bank.verify(uscc, "is_active.v1")).status_code == 200
    answer = await post(operator, f"/clients/{bank.client_id}/suspend", {"operator": "fang"})
    assert answer.json()["state"] == "suspended"
    refused = await bank.verify(uscc, "is_active.v1")
    assert (refused.status_code, refused.json()["code"]) == (403, "client_suspended")
    await post(operator, f"/clients/{bank.client_id}/resume")
    assert (await bank.verify(uscc, "is_active.v1")).status_code == 200


async def test_ending_holds_from_the_next_request_and_for_good(gateway: GatewayFixture) -> None:
    """Neither the old nor a new token works; neither resuming nor an agreement helps."""
    operator, bank = await make_operator(gateway), await gateway.client()
    uscc = gateway.uscc("clean")
    assert (await bank.verify(uscc, "is_active.v1")).status_code == 200
    assert (await post(operator, f"/clients/{bank.client_id}/end")).json()["state"] == "ended"
    assert (await bank.verify(uscc, "is_active.v1")).status_code == 403
    assert (await bank._ask_for_token("verify")).json()["error"] == "invalid_client"
    back = await post(operator, f"/clients/{bank.client_id}/resume")
    assert (back.status_code, back.json()["code"]) == (409, "conflict")


async def test_a_suspended_operator_cannot_act(gateway: GatewayFixture) -> None:
    """Operators are clients and can be suspended."""
    one, other = await make_operator(gateway), await make_operator(gateway)
    await get(other, "/clients")
    await post(one, f"/clients/{other.client_id}/suspend")
    answer = await post(other, f"/clients/{other.client_id}/resume")
    assert (answer.status_code, answer.json()["code"]) == (403, "client_suspended")


async def test_a_client_rotates_its_keys_by_its_own_word(gateway: GatewayFixture) -> None:
    """By a statement signed with the old key, which is refused from the next request."""
    operator, bank = await make_operator(gateway), await gateway.client()
    new = make_ec_key()
    statement = make_rotation(bank, jwks={"keys": [public_jwk(new, kid="k1")]})
    answer = await post(operator, f"/clients/{bank.client_id}/keys", {"rotation": statement})
    assert answer.status_code == 200, answer.text
    assert (await bank._ask_for_token("verify")).json()["error"] == "invalid_client"
    bank.key = new
    assert (await bank._ask_for_token("verify")).status_code == 200


@pytest.mark.parametrize(
    "changes",
    [
        {"key": make_ec_key()},
        {"typ": "JWT"},
        {"typ": None},
        {"iss": "another"},
        {"sub": "another"},
        {"aud": "https://elsewhere.test"},
        {"aud": None},
        {"exp": None},
        {"exp": 1},
        {"exp": 2**40},
        {"jwks": None},
        {"jwks": "keys"},
        {"jwks": {"keys": []}},
        {"jwks_uri": "https://bank.test/jwks.json"},
        {"jwks": None, "jwks_uri": "https://10.0.0.1/"},
        {"scope": "admin"},
        {"header": {"jwk": public_jwk(make_ec_key())}},
        {"header": {"jku": "https://elsewhere.test"}},
    ],
    ids="-".join,
)
async def test_an_operator_alone_cannot_replace_a_clients_keys(
    gateway: GatewayFixture, changes: dict[str, Any]
) -> None:
    """A client's statement is required."""
    operator, bank = await make_operator(gateway), await gateway.client()
    body = {"rotation": make_rotation(bank, **changes)}
    answer = await post(operator, f"/clients/{bank.client_id}/keys", body)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")
    assert (await bank._ask_for_token("verify")).status_code == 200


async def test_a_client_assertion_is_no_rotation_and_a_rotation_no_assertion(
    gateway: GatewayFixture,
) -> None:
    """Each JWT type is accepted for its own use only."""
    operator, bank = await make_operator(gateway), await gateway.client()
    now = int(gateway.clock().timestamp())
    claims = {
        "iss": bank.client_id,
        "sub": bank.client_id,
        "aud": gateway.issuer,
        "exp": now + 60,
        "jti": "1",
    }
    assertion = sign_jwt(bank.key, "ES256", claims, {"kid": "k1"})
    path = f"/clients/{bank.client_id}/keys"
    assert (await post(operator, path, {"rotation": assertion})).status_code == 400
    form = {
        "grant_type": "client_credentials",
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": make_rotation(bank),
    }
    headers = {"DPoP": await bank.proof("POST", "/oauth/token", None)}
    refused = await gateway.http.post("/oauth/token", data=form, headers=headers)
    assert refused.json()["error"] == "invalid_client"


async def test_one_clients_statement_does_not_rotate_anothers_keys(gateway: GatewayFixture) -> None:
    """The statement names its client."""
    operator, bank, other = (
        await make_operator(gateway),
        await gateway.client(),
        await gateway.client(),
    )
    body = {"rotation": make_rotation(bank)}
    assert (await post(operator, f"/clients/{other.client_id}/keys", body)).status_code == 400


async def test_a_client_with_keys_at_its_own_address_gets_a_token(gateway: GatewayFixture) -> None:
    """The keys are fetched before its assertion is checked; the operator sees them."""
    operator, bank = await make_operator(gateway), await gateway.client()
    new = make_ec_key()
    async with make_key_server() as server:
        server.answer = ok({"keys": [public_jwk(new, kid="k1")]})
        uri = f"http://127.0.0.1:{server.port}/jwks.json"
        statement = make_rotation(bank, jwks=None, jwks_uri=uri)
        answer = await post(operator, f"/clients/{bank.client_id}/keys", {"rotation": statement})
        assert answer.status_code == 200, answer.text
        assert (await bank._ask_for_token("verify")).json()["error"] == "invalid_client"
        bank.key = new
        now = gateway.clock() + timedelta(minutes=2)
        claimed = ClaimedSigner(client_id=bank.client_id, kid="k1")
        await ensure_keys(gateway.runtime.hot, claimed, now=now, loopback=True)
    assert (await bank._ask_for_token("verify")).status_code == 200
    shown = await get(operator, f"/clients/{bank.client_id}")
    assert (shown["jwks_uri"], shown["kids"], shown["keys_trouble"]) == (uri, ["k1"], None)


async def test_every_act_is_written_with_who_did_it(gateway: GatewayFixture) -> None:
    """With the proven credential and the given operator name; a refused act changes nothing."""
    operator, body = await make_operator(gateway), make_new_client()
    of = body["client_id"]
    await post(operator, "/clients", body | {"operator": "fang"})
    await post(operator, f"/clients/{of}/suspend", {"operator": "fang"})
    await post(operator, f"/clients/{of}/keys", {"rotation": "x"})
    acts = (await get(operator, f"/acts?client_id={of}"))["acts"]
    assert [(each["what"], each["operator"], each["operator_name"]) for each in acts] == [
        ("client.suspend", f"client:{operator.client_id}", "fang"),
        ("client.register", f"client:{operator.client_id}", "fang"),
    ]


@pytest.mark.parametrize("path", READS)
async def test_an_auditor_sees_everything(gateway: GatewayFixture, path: str) -> None:
    """With the scope `audit`."""
    auditor = await make_operator(gateway, "audit")
    assert await get(auditor, path, scope="audit")


@pytest.mark.parametrize("path", ["/clients", "/clients/demo-bank/suspend", "/clients/x/keys"])
async def test_an_auditor_changes_nothing(gateway: GatewayFixture, path: str) -> None:
    """The scope `audit` is read-only."""
    auditor = await make_operator(gateway, "audit")
    answer = await auditor.send(f"/v1/admin{path}", {}, scope="audit")
    assert (answer.status_code, answer.json()["code"]) == (403, "insufficient_scope")


@pytest.mark.parametrize("path", READS)
async def test_a_bank_sees_nothing_of_it(gateway: GatewayFixture, path: str) -> None:
    """Also refused without a token, or with a Bearer token."""
    bank = await gateway.client()
    answer = await bank.send(f"/v1/admin{path}", b"", method="GET")
    assert (answer.status_code, answer.json()["code"]) == (403, "insufficient_scope")
    nobody = gateway.checked(await gateway.http.get(f"/v1/admin{path}"))
    assert nobody.status_code == 401
    token = await (await make_operator(gateway)).token("admin")
    bearer = await gateway.http.get(
        f"/v1/admin{path}", headers={"Authorization": f"Bearer {token}"}
    )
    assert gateway.checked(bearer).status_code == 401


@pytest.mark.parametrize("act", ["suspend", "resume", "end", "keys"])
@pytest.mark.parametrize("client_id", ["nobody", "a%20b", "x" * 65])
async def test_an_act_on_an_unknown_client_is_a_404(
    gateway: GatewayFixture, client_id: str, act: str
) -> None:
    """404 for any unknown id."""
    operator = await make_operator(gateway)
    body = {"rotation": "x"} if act == "keys" else {}
    answer = await post(operator, f"/clients/{client_id}/{act}", body)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


async def test_an_act_that_does_not_exist_is_a_404(gateway: GatewayFixture) -> None:
    """404, for instance for DELETE."""
    operator = await make_operator(gateway)
    assert (await post(operator, "/clients/demo-bank/delete")).status_code == 404


@pytest.mark.parametrize(
    "body", [b"{", b"[]", b'{"operator": 7}', b'{"operator": "a b"}', b'{"why": "x"}']
)
async def test_a_body_that_is_not_of_the_shape_is_a_400(
    gateway: GatewayFixture, body: bytes
) -> None:
    """Unknown members are refused."""
    operator, bank = await make_operator(gateway), await gateway.client()
    path = f"/v1/admin/clients/{bank.client_id}/suspend"
    answer = await operator.send(path, body, scope="admin")
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")


async def test_clients_are_listed_a_page_at_a_time(gateway: GatewayFixture) -> None:
    """By id, each once."""
    operator = await make_operator(gateway)
    first = await get(operator, "/clients")
    ids = [each["client_id"] for each in first["clients"]]
    assert ids == sorted(ids)
    after = await get(operator, f"/clients?after={ids[2]}")
    assert [each["client_id"] for each in after["clients"]][: len(ids) - 3] == ids[3:][:100]
