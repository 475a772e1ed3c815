"""Attacks on signed requests: replay, other parts, other keys, confused fields."""

import base64
from typing import Any

import orjson
import pytest

from gateway.disclosure.signed_requests import kept_request
from tests.batch_builders import NDJSON
from tests.gateway_fixture import UNKNOWN, GatewayFixture, verification_body
from tests.oauth_builders import public_jwk
from tests.request_signing import SignedCall, code_of, signed_call
from xinqiao._core.signatures.exchange import sha256_digest

pytestmark = pytest.mark.asyncio(loop_scope="session")

BODY = verification_body(UNKNOWN, "is_active.v1")
OTHER = verification_body(UNKNOWN, "is_active.v1", purpose="post_loan_management")
INVALID = "signature_invalid"


async def test_a_signature_is_good_for_one_request(gateway: GatewayFixture) -> None:
    """The same again: its proof was used. With a new proof: its nonce is another's."""
    bank = await gateway.client()
    call = signed_call(BODY)
    headers = await call.headers(bank)
    first = await bank.send(call.path, call.body, headers=headers)
    again = await bank.send(call.path, call.body, headers=headers)
    assert (code_of(first), code_of(again)) == (200, "invalid_dpop_proof")
    fresh = await bank.headers("POST", call.path, call.body)
    moved = await bank.send(call.path, call.body, headers={**headers, "DPoP": fresh["DPoP"]})
    assert code_of(moved) == INVALID


@pytest.mark.parametrize(
    "changes",
    [
        {"values": {"@method": "PUT"}},
        {"values": {"@target-uri": "https://elsewhere.test/v1/verifications"}},
        {"values": {"content-type": "text/plain"}},
        {"values": {"content-digest": sha256_digest(orjson.dumps(OTHER))}},
        {"names": ("@method", "@target-uri")},
        {"names": ("@method", "@target-uri", "content-digest")},
        {"names": ("@target-uri", "@method", "content-type", "content-digest")},
        {"names": ("@method", "@method", "@target-uri", "content-type", "content-digest")},
        {"parameters": {"nonce": "another"}},
        {"parameters": {"nonce": None}},
        {"parameters": {"keyid": "k2"}},
        {"parameters": {"keyid": None}},
        {"parameters": {"alg": "ed25519"}},
        {"parameters": {"alg": "hmac-sha256"}},
        {"parameters": {"alg": "none"}},
        {"parameters": {"created": None}},
        {"parameters": {"created": "1795312800"}},
        {"parameters": {"created": 1}},
        {"parameters": {"created": 99999999999}},
        {"parameters": {"expires": 1}},
        {"parameters": {"unknown": "x"}},
    ],
    ids=str,
)
async def test_a_signature_over_other_parts_is_refused(
    gateway: GatewayFixture, changes: dict[str, Any]
) -> None:
    """Nothing is answered, and nothing is written in the log."""
    bank = await gateway.client()
    refused = await signed_call(BODY, **changes).send(bank)
    assert (refused.status_code, code_of(refused)) == (400, INVALID), changes
    assert await gateway.log_of(bank) == []


async def test_an_unknown_key_and_a_wrong_signature_are_told_alike(
    gateway: GatewayFixture,
) -> None:
    """So is a right signature under another's name."""
    bank, other = await gateway.client(), await gateway.client()
    answers = [
        await signed_call(BODY, parameters={"keyid": "k2"}).send(bank),
        await signed_call(BODY, key=other.key).send(bank),
        await signed_call(BODY, values={"@method": "PUT"}).send(bank),
    ]
    assert len({each.json()["detail"] for each in answers}) == 1


async def test_another_clients_key_signs_nothing(gateway: GatewayFixture) -> None:
    """Though its id is registered with both."""
    bank, thief = await gateway.client(), await gateway.client()
    assert code_of(await signed_call(BODY, key=bank.key).send(thief)) == INVALID
    assert public_jwk(bank.key) != public_jwk(thief.key)


async def test_the_body_is_compared_with_the_signed_digest(gateway: GatewayFixture) -> None:
    """Another body; the digest of another body; no digest at all; none of the body's type."""
    bank, call = await gateway.client(), signed_call(BODY)
    for body, changes, code in (
        (OTHER, {"Content-Digest": sha256_digest(call.body)}, "digest_mismatch"),
        (OTHER, {}, INVALID),
        (BODY, {"Content-Digest": None}, INVALID),
        (BODY, {"Content-Type": None}, INVALID),
    ):
        headers = await call.headers(bank) | changes
        refused = await bank.send(call.path, orjson.dumps(body), headers=headers)
        assert code_of(refused) == code, changes
    assert await gateway.log_of(bank) == []


async def test_so_is_a_body_that_no_handler_reads(gateway: GatewayFixture) -> None:
    """Where an act has no content: of a job, and of a deletion."""
    bank = await gateway.client()
    for method, path in (
        ("POST", "/v1/verifications/jobs/unknown/start"),
        ("POST", "/v1/verifications/jobs/unknown/pause"),
        ("POST", "/v1/verifications/jobs/unknown/resume"),
        ("DELETE", "/v1/verifications/jobs/unknown"),
    ):
        call = SignedCall(method=method, path=path, body=b"{}", scope="verify")
        for body, code in ((b"{}", "not_found"), (b"[]", "digest_mismatch")):
            typed = {
                "Content-Type": "application/json",
                "Content-Digest": sha256_digest(call.body),
            }
            headers = await call.headers(bank) | typed
            told = await bank.send(path, body, method=method, scope=call.scope, headers=headers)
            assert code_of(told) == code, path


async def test_two_signatures_with_the_tag_or_one_label_twice_are_refused(
    gateway: GatewayFixture,
) -> None:
    """In either field; another label's signature is ignored."""
    bank, call = await gateway.client(), signed_call(BODY)

    async def sent(inputs: str, values: str) -> Any:
        headers = await call.headers(bank)
        mine = headers["Signature-Input"] or "", headers["Signature"] or ""
        headers["Signature-Input"] = inputs.replace("MINE", mine[0])
        headers["Signature"] = values.replace("MINE", mine[1])
        return code_of(await bank.send(call.path, call.body, headers=headers))

    other = 'b=("@method");created=1;keyid="x";tag="somebody-else"'
    value = f"b=:{base64.b64encode(bytes(64)).decode()}:"
    assert await sent(f"MINE, {other}", f"MINE, {value}") == 200
    assert await sent(f"{other},MINE", f"{value},MINE") == 200
    for inputs, values in (
        ("MINE, MINE", "MINE"),
        ("MINE", "MINE, MINE"),
        (f"MINE, {other.replace('somebody-else', 'xinqiao-request')}", f"MINE, {value}"),
        (f"MINE, {other.replace('b=', 'sig1=')}", "MINE"),
        ("MINE", value),
        ("MINE", ""),
        ("MINE", "sig1=::"),
        ("MINE", "sig1=:AAAA:"),
        ("MINE", "sig1"),
        ("MINE", "MINE;a"),
        ("MINE ;x=1", "MINE"),
        ("MINE;;", "MINE"),
        ("MINE,", "MINE"),
        ("MINE, ,", "MINE"),
        ('MINE, b="', "MINE"),
        ("MINE" + "," * 9_000, "MINE"),
    ):
        assert await sent(inputs, values) == INVALID, (inputs[:60], values[:60])


async def test_a_signature_with_another_tag_is_ignored_and_is_not_enough(
    gateway: GatewayFixture,
) -> None:
    """Whatever it is worth; where the agreement requires one, it is as if there were none."""
    bank = await gateway.client()
    strict = await gateway.client(requires_signed_requests=True)
    for tag in ("fapi-2-request", "xinqiao-response", None):
        call = signed_call(BODY, parameters={"tag": tag, "keyid": "nobody"})
        assert code_of(await call.send(bank)) == 200
        assert code_of(await call.send(strict)) == "signature_required"
    for field in ("garbage", '"', "sig1=(", ""):
        assert code_of(await signed_call(BODY).send(bank, Signature_Input=field)) == 200
        refused = await signed_call(BODY).send(strict, Signature_Input=field)
        assert code_of(refused) == "signature_required"


async def test_a_signed_batch_tells_nothing_before_its_whole_body_fits_its_digest(
    gateway: GatewayFixture,
) -> None:
    """Unsigned it is refused under an agreement that requires it."""
    path = "/v1/verifications/batch"
    strict = await gateway.client(requires_signed_requests=True)
    lines = [{**BODY, "line": number} for number in range(1, 4)]
    body = b"".join(orjson.dumps(each) + b"\n" for each in lines)
    typed: dict[str, str | None] = {"Content-Type": NDJSON}
    unsigned = await strict.send(path, body, headers=typed)
    assert code_of(unsigned) == "signature_required"
    call = SignedCall(path=path, body=body, values={"content-type": NDJSON})
    cut = body[: len(body) // 3 + 1]
    headers = await call.headers(strict) | typed | {"Content-Digest": sha256_digest(body)}
    refused = await strict.send(path, cut, headers=headers)
    assert code_of(refused) == "digest_mismatch"
    assert await gateway.log_of(strict) == []
    headers = {**await strict.headers("POST", path, body), **await call.headers(strict), **typed}
    sent = {name: value for name, value in headers.items() if value is not None}
    told = await gateway.http.post(path, content=body, headers=sent)
    assert told.status_code == 200, told.text
    manifest = orjson.loads(told.content.splitlines()[-1])["manifest"]
    kept = await kept_request(gateway.runtime.hot, gateway.runtime.vault, manifest["batch_id"])
    assert kept is not None
    assert kept["content_digest"] == sha256_digest(body)
