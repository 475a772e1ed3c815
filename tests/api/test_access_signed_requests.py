"""Signed requests (RFC 9421): verified where there is a signature, and required by an agreement."""

import asyncio
import base64
import json
from dataclasses import replace
from typing import Any

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.access.authentication import background_caller
from gateway.access.client_status import (
    client_status_of,
    current_agreement,
    submit_client_status,
)
from gateway.access.errors import Refusal, SignatureRequiredError
from gateway.clients.agreements import Agreement
from gateway.disclosure.signed_requests import kept_request
from gateway.signing.access_tokens import AccessToken
from gateway.signing.jwk import thumbprint
from gateway.signing.request_signatures import SignatureError, SignedParts, read_signature
from gateway.synthetic.demo.clients import DEMO_CLIENTS, terms_of
from tests.client_builders import make_operator
from tests.gateway_fixture import UNKNOWN, Caller, GatewayFixture, verification_body
from tests.job_builders import PATH, TEMPLATE, platform, put_lines
from tests.oauth_builders import public_jwk
from tests.request_signing import SignedCall, code_of, signed_call
from tests.rsa_keys import rsa_key
from xinqiao._core.signatures.exchange import sha256_digest

pytestmark = pytest.mark.asyncio(loop_scope="session")

BODY = verification_body(UNKNOWN, "is_active.v1")


async def register_keys(caller: Caller, *jwks: dict[str, Any]) -> None:
    """Register these keys as the client's only ones."""
    await caller.gateway.rows(
        "UPDATE client SET jwks = CAST(:jwks AS jsonb) WHERE client_id = :client",
        jwks=json.dumps({"keys": jwks}),
        client=caller.client_id,
    )


async def test_a_signed_request_is_answered_and_its_signature_is_in_the_answers(
    gateway: GatewayFixture,
) -> None:
    """With and without a body; the fixture verifies the answer's signature as the SDK does."""
    bank = await gateway.client()
    told = await signed_call(BODY).send(bank)
    assert told.status_code == 200, told.text
    assert '"signature";req;key="sig1"' in told.headers["signature-input"]
    for path in ("/v1/limits", "/v1/consents?status=active"):
        scope = "consents" if "consents" in path else "query verify"
        listed = await SignedCall(method="GET", path=path, scope=scope).send(bank)
        assert listed.status_code == 200, listed.text
        assert '"signature";req;key="sig1"' in listed.headers["signature-input"]
    head = await SignedCall(method="HEAD", path="/v1/limits").send(bank)
    assert head.status_code == 200


async def test_an_ed25519_key_signs_too_and_a_key_without_an_id_goes_by_its_thumbprint(
    gateway: GatewayFixture,
) -> None:
    """`alg` may be named."""
    bank, key = await gateway.client(), Ed25519PrivateKey.generate()
    await bank.token()
    jwk = public_jwk(key)
    await register_keys(bank, {**public_jwk(bank.key), "kid": "k1"}, jwk)
    refused = await signed_call(BODY, key=key, parameters={"keyid": "other"}).send(bank)
    assert code_of(refused) == "signature_invalid"
    named = {"keyid": thumbprint(jwk), "alg": "ed25519"}
    told = (await signed_call(BODY, key=key, parameters=named).send(bank)).json()
    kept = await kept_request(gateway.runtime.hot, gateway.runtime.vault, told["disclosure_id"])
    assert kept is not None
    assert kept["key"] == {**jwk, "kid": thumbprint(jwk)}
    named = {"keyid": "k1", "alg": "ecdsa-p256-sha256"}
    assert code_of(await signed_call(BODY, parameters=named).send(bank)) == 200


async def test_a_key_that_is_removed_signs_nothing_from_the_next_request_on(
    gateway: GatewayFixture,
) -> None:
    """Keys are read for each request."""
    bank = await gateway.client()
    assert code_of(await signed_call(BODY).send(bank)) == 200
    await register_keys(bank, {**public_jwk(Ed25519PrivateKey.generate()), "kid": "k2"})
    assert code_of(await signed_call(BODY).send(bank)) == "signature_invalid"


async def test_an_agreement_can_require_signed_requests(gateway: GatewayFixture) -> None:
    """It holds for every call under a token, HEAD too, from the next one on; public addresses stay open."""
    bank = await gateway.client(requires_signed_requests=True)
    refused = await bank.verify(UNKNOWN, "is_active.v1")
    assert (refused.status_code, code_of(refused)) == (400, "signature_required")
    assert code_of(await bank.query(UNKNOWN)) == "signature_required"
    for path, scope in (
        ("/v1/limits", "query verify"),
        ("/v1/consents", "consents"),
        ("/v1/changes", "changes"),
        ("/v1/watches", "verify"),
        ("/v1/verifications/jobs", "verify"),
        ("/v1/receipts/dsc_none", "query"),
    ):
        unsigned = await bank.send(path, b"", method="GET", scope=scope)
        assert code_of(unsigned) == "signature_required", path
    assert (await bank.send("/v1/limits", b"", method="HEAD")).status_code == 400
    [*logged] = await gateway.log_of(bank)
    assert {each["reason"] for each in logged} == {"signature_required"}
    assert code_of(await signed_call(BODY).send(bank)) == 200
    assert (await gateway.http.get("/v1/questions")).status_code == 200


async def test_the_requirement_holds_from_the_next_request_on_and_ends_with_its_version(
    gateway: GatewayFixture,
) -> None:
    """An agreement's version is never remembered as being in force."""
    bank = await gateway.client()
    terms = terms_of(next(r for r in DEMO_CLIENTS if r.key == "bank"), gateway.clock())
    assert code_of(await bank.verify(UNKNOWN, "is_active.v1")) == 200
    await gateway.agree(bank, replace(terms, requires_signed_requests=True))
    assert code_of(await bank.verify(UNKNOWN, "is_active.v1")) == "signature_required"
    assert code_of(await signed_call(BODY).send(bank)) == 200
    await gateway.agree(bank, terms)
    assert code_of(await bank.verify(UNKNOWN, "is_active.v1")) == 200


async def test_work_in_the_background_goes_on_under_the_requirement(
    gateway: GatewayFixture,
) -> None:
    """It has no request to sign; another agreement's end or absence is told as before."""
    bank = await gateway.client(requires_signed_requests=True)
    caller, hot = background_caller(bank.client_id, 1), gateway.runtime.hot
    status = client_status_of(await submit_client_status(hot, caller))
    agreement = current_agreement(status, caller, gateway.clock())
    assert isinstance(agreement, Agreement)
    token = AccessToken(
        client_id=bank.client_id, jti="x", scopes=frozenset(), jkt=None, x5t=None, expires_at=0,
        agreement_version=1, consent_id=None, uscc=None,
    )  # fmt: skip
    unsigned = replace(caller, token=token)
    assert current_agreement(status, unsigned, gateway.clock()) == Refusal(SignatureRequiredError)


async def test_a_worker_that_does_not_know_the_requirement_takes_the_version_as_ended(
    gateway: GatewayFixture,
) -> None:
    """It reads `valid_until`, as the release before did."""
    bank = await gateway.client(requires_signed_requests=True)
    [row] = await gateway.rows(
        "SELECT valid_from < now() AS begun, valid_until <= now() AS ended, signed_until > now() AS runs"
        " FROM agreement WHERE client_id = :client",
        client=bank.client_id,
    )
    assert row == {"begun": True, "ended": True, "runs": True}


async def test_operators_see_the_requirement(gateway: GatewayFixture) -> None:
    """In the versions of an agreement, with the true end of its term."""
    operator = await make_operator(gateway)
    bank = await gateway.client(requires_signed_requests=True)
    path = f"/v1/admin/agreements/{bank.client_id}"
    shown = await operator.send(path, b"", method="GET", scope="admin")
    [version] = shown.json()["versions"]
    assert version["requires_signed_requests"] is True
    assert version["valid_until"] > version["valid_from"]


async def test_a_signed_request_is_kept_with_its_disclosure_and_verified_again(
    gateway: GatewayFixture,
) -> None:
    """Encrypted, with all that its verification needs; an unsigned one is not kept."""
    bank, runtime = await gateway.client(), gateway.runtime
    call = signed_call(BODY)
    told = (await call.send(bank)).json()
    kept = await kept_request(runtime.hot, runtime.vault, told["disclosure_id"])
    assert kept is not None
    assert (kept["client_id"], kept["method"]) == (bank.client_id, "POST")
    assert kept["content_digest"] == sha256_digest(call.body)
    assert kept["key"] == {**public_jwk(bank.key), "kid": "k1"}
    signature = read_signature([kept["signature_input"]], [kept["signature"]])
    assert signature is not None
    content = (kept["content_type"], kept["content_digest"])
    parts = SignedParts(method="POST", target_uri=kept["target_uri"], content=content)
    assert signature.verify(parts, [kept["key"]]) == kept["key"]
    with pytest.raises(SignatureError):
        signature.verify(replace(parts, method="PUT"), [kept["key"]])
    [row] = await gateway.rows(
        "SELECT uscc, request FROM signed_request WHERE subject_id = :subject",
        subject=told["disclosure_id"],
    )
    assert row["uscc"] == UNKNOWN
    assert b"signature" not in bytes(row["request"])
    unsigned = (await bank.verify(UNKNOWN, "is_active.v1")).json()["disclosure_id"]
    assert await kept_request(runtime.hot, runtime.vault, unsigned) is None


async def test_what_is_kept_has_a_disclosure_also_where_an_answer_was_made_again(
    gateway: GatewayFixture,
) -> None:
    """Calls about one enterprise change its budgets under one another; then an answer is made anew."""
    bank = await gateway.client()
    uscc = gateway.entities[-1].enterprise.uscc
    bodies = [verification_body(uscc, ("enterprise_name.v1", f"第{n}个名称")) for n in range(12)]
    told = await asyncio.gather(*(signed_call(body).send(bank) for body in bodies))
    assert {each.status_code for each in told} == {200}
    kept = await gateway.rows(
        "SELECT subject_id FROM signed_request WHERE client_id = :client", client=bank.client_id
    )
    disclosed = {each.json()["disclosure_id"] for each in told}
    assert {each["subject_id"] for each in kept} == disclosed


async def test_a_client_is_told_which_keys_and_which_form_sign_requests(
    gateway: GatewayFixture,
) -> None:
    """An RSA key of its own, an RSA signature and ECDSA in DER are usual mistakes."""
    bank = await gateway.client()
    await bank.token()
    rsa = {**public_jwk(rsa_key()), "kid": "rsa"}
    await register_keys(bank, {**public_jwk(bank.key), "kid": "k1"}, rsa)
    named = await signed_call(BODY, parameters={"keyid": "rsa"}).send(bank)
    assert code_of(named) == "signature_invalid"
    assert "EC P-256 or Ed25519" in named.json()["detail"]
    for length in (63, 71, 256):
        value = f"sig1=:{base64.b64encode(bytes(length)).decode()}:"
        refused = await signed_call(BODY).send(bank, Signature=value)
        assert "64 bytes" in refused.json()["detail"], length


async def test_the_requests_that_make_and_start_a_job_are_kept(gateway: GatewayFixture) -> None:
    """Its lines, kept by its own id, say neither purpose nor questions; of a refusal nothing is kept."""
    caller, runtime = await platform(gateway), gateway.runtime

    async def kept(subject: str) -> Any:
        return await kept_request(runtime.hot, runtime.vault, subject)

    made = await signed_call(TEMPLATE, path=PATH, scope="verify").send(caller)
    job = made.json()["job_id"]
    start = SignedCall(path=f"{PATH}/{job}/start", scope="verify")
    assert code_of(await start.send(caller)) == "conflict"
    assert await kept(f"{job}.start") is None
    line = {"uscc": UNKNOWN, "values": {"企业名称": "某某公司"}}
    assert code_of(await put_lines(caller, job, orjson.dumps(line))) == 200
    assert code_of(await start.send(caller)) == 200
    assert (await kept(f"{job}.create"))["content_digest"] == sha256_digest(orjson.dumps(TEMPLATE))
    assert (await kept(f"{job}.start"))["target_uri"].endswith(f"{job}/start")
    assert await kept(job) is None
