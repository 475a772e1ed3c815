"""Captured and forged ID numbers: of no use to others, and refused in the same words for every reason."""

import hashlib
import json
from typing import Any

import httpx2
import orjson
import pytest

from tests.api.test_verifications_id_numbers import ID_NUMBER, number_of, published_key, sealed
from tests.batch_builders import answered, batch_body, batch_line
from tests.gateway_fixture import Caller, GatewayFixture, verification_body
from tests.job_builders import PATH as JOBS
from tests.job_builders import finished, platform, started
from tests.jwe_builders import encrypt, new_public_jwk, with_header

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_captured_number_is_of_no_use_to_others(gateway: GatewayFixture) -> None:
    """To another client with a consent of its own, for another enterprise, at another gateway."""
    bank, thief = await gateway.client(), await gateway.client()
    uscc, number = number_of(gateway, "clean")
    other = gateway.uscc("penalised")
    for caller in (bank, thief):
        for each in (uscc, other):
            await gateway.grant(caller, each, datasets=(), questions=[ID_NUMBER])
    captured = await sealed(bank, uscc, number)
    assert await bank.answers(uscc, (ID_NUMBER, captured)) == ["yes"]
    claims = {"iss": bank.client_id, "aud": "https://other.test", "sub": uscc, "id_number": number}
    elsewhere = encrypt(claims, await published_key(gateway))
    stolen = await refusal(thief, uscc, captured)
    assert stolen == await refusal(bank, other, captured) == await refusal(bank, uscc, elsewhere)


async def test_every_reason_is_refused_in_the_same_words(gateway: GatewayFixture) -> None:
    """Wrong key, wrong type, tampering, compression, other claims, no number: nothing tells which."""
    bank = await gateway.client()
    uscc, number = number_of(gateway, "clean")
    key = await published_key(gateway)
    right = {"iss": bank.client_id, "aud": gateway.issuer, "sub": uscc, "id_number": number}
    good = encrypt(right, key)
    _, strange = new_public_jwk()
    tokens: dict[str, str] = {
        "garbage": "a.b.c.d.e",
        "another key": encrypt(right, {**strange, "kid": key["kid"]}),
        "an unknown key": encrypt(right, {**strange, "kid": "k9"}),
        "another type": encrypt(right, key, typ="JWT"),
        "another algorithm": encrypt(right, key, alg="ECDH-ES+A256KW"),
        "another encryption": encrypt(right, key, enc="A128GCM"),
        "compressed": encrypt(right, key, zip="DEF"),
        "a bomb": encrypt({**right, "id_number": "0" * 200_000}, key, zip="DEF"),
        "off the curve": with_header(good, epk={**strange, "y": strange["x"]}),
        "a changed tag": good[:-1] + ("A" if good[-1] != "A" else "Q"),
        "no JSON": encrypt(b"330106", key),
        "a list": encrypt(b"[]", key),
        "a member twice": encrypt(json.dumps(right).encode()[:-1] + b',"sub":"x"}', key),
        "a further claim": encrypt({**right, "iat": 1}, key),
        "a missing claim": encrypt({n: v for n, v in right.items() if n != "iss"}, key),
        "a number as a number": encrypt({**right, "id_number": 330106}, key),
        "a blank number": encrypt({**right, "id_number": " "}, key),
        "a long number": encrypt({**right, "id_number": "1" * 201}, key),
    }
    first = await refusal(bank, uscc, tokens["garbage"])
    told = {why: await refusal(bank, uscc, token) for why, token in tokens.items()}
    assert told == dict.fromkeys(tokens, first)


async def test_a_refused_number_does_not_depend_on_the_enterprise(gateway: GatewayFixture) -> None:
    """Known or unknown, with consent or without: the same refusal, and no budget is spent."""
    bank = await gateway.client()
    uscc, number = number_of(gateway, "clean")
    await gateway.grant(bank, uscc, datasets=(), questions=[ID_NUMBER])
    told = [await refusal(bank, each, "a.b.c.d.e") for each in (uscc, gateway.uscc("penalised"))]
    assert told[0] == told[1]
    for _ in range(5):
        await refusal(bank, uscc, "a.b.c.d.e")
    assert await bank.answers(uscc, (ID_NUMBER, await sealed(bank, uscc, number))) == ["yes"]


async def refusal(caller: Caller, uscc: str, token: str) -> dict[str, Any]:
    """The problem that answers a call with this ID number, without what is its own of each call."""
    answer = await caller.verify(uscc, (ID_NUMBER, token), headers={"X-Request-Id": "the-same"})
    assert answer.status_code == httpx2.codes.BAD_REQUEST, answer.text
    problem: dict[str, Any] = answer.json()
    return problem


async def test_no_stored_digest_lets_a_number_be_found_by_trial(gateway: GatewayFixture) -> None:
    """Of a call, a line and a batch with a bare number, by one who reads the tables and has no key."""
    bank, (uscc, number) = await gateway.client(), number_of(gateway, "clean")
    await gateway.grant(bank, uscc, datasets=(), questions=[ID_NUMBER])
    body = orjson.dumps(verification_body(uscc, (ID_NUMBER, number)))
    line = batch_line(1, uscc, (ID_NUMBER, number), purpose="loan_approval")
    sent = await bank.send("/v1/verifications", body, headers={"Idempotency-Key": "call"})
    assert sent.status_code == httpx2.codes.OK, sent.text
    assert (await answered(bank, [line], key="batch")).answers == [["yes"]]
    stored = await gateway.rows(
        "SELECT request_digest AS digest FROM idempotency WHERE client_id = :client"
        " UNION ALL SELECT unnest(declared_digest || prefixes) FROM verification_batch"
        " WHERE client_id = :client",
        client=bank.client_id,
    )
    tried = (b"POST /v1/verifications\n" + body, line, batch_body([line]))
    assert len(stored) == len(tried) + 1
    assert not {hashlib.sha256(each).digest() for each in tried} & {row["digest"] for row in stored}
    (row,) = await gateway.rows(
        "SELECT CAST(to_jsonb(b) AS text) AS text FROM verification_batch b"
        " WHERE client_id = :client AND leaves IS NOT NULL",
        client=bank.client_id,
    )
    assert hashlib.sha256(batch_body([line])).hexdigest() not in row["text"]


async def test_no_digest_of_a_jobs_upload_is_stored_bare(gateway: GatewayFixture) -> None:
    """Neither by itself nor in the manifest that is signed over it; of a deleted job none at all."""
    caller, body = await platform(gateway), batch_line(1, gateway.uscc(), "is_active.v1")
    digest, job = hashlib.sha256(body).hexdigest(), await started(caller, body)
    assert (await finished(caller, job)).last["manifest"]["request_digest"] == digest
    stored = "SELECT CAST(to_jsonb(j) AS text) AS text, sealed_digest FROM verification_job j"
    (row,) = await gateway.rows(f"{stored} WHERE job_id = :job", job=job)
    assert row["sealed_digest"] is not None
    assert digest not in row["text"]
    await caller.send(f"{JOBS}/{job}", b"", method="DELETE")
    (row,) = await gateway.rows(f"{stored} WHERE job_id = :job", job=job)
    assert row["sealed_digest"] is None
