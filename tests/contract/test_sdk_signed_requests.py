"""Signed requests of the SDK, against the real and the fake gateway, and by an independent implementation."""

import asyncio
import base64
from datetime import UTC, datetime
from typing import Any, Final

import httpx2
import orjson
import pytest
from http_message_signatures import (
    HTTPMessageSigner,
    HTTPMessageVerifier,
    HTTPSignatureKeyResolver,
    algorithms,
)
from jwt.algorithms import ECAlgorithm

from tests.gateway_fixture import UNKNOWN, Caller, GatewayFixture, verification_body
from tests.sdk_builders import client_of, result_of
from xinqiao import (
    AsyncClient,
    Client,
    Evidence,
    errors,
    generate_client_key,
    public_jwks,
    verify_evidence,
)
from xinqiao.testing import FakeAgreement, FakeGateway

pytestmark = pytest.mark.asyncio(loop_scope="session")

PURPOSE: Final = "loan_approval"
REQUIRED = FakeAgreement(requires_signed_requests=True)
COVERED = ("@method", "@target-uri", "content-type", "content-digest")


class OwnKey(HTTPSignatureKeyResolver):
    """One key pair."""

    def __init__(self, key: Any) -> None:
        self._key = key

    def resolve_public_key(self, key_id: str) -> Any:
        """Its public half."""
        assert key_id == "k1"
        return self._key.public_key()

    def resolve_private_key(self, key_id: str) -> Any:
        """Its private half."""
        assert key_id == "k1"
        return self._key


@pytest.mark.parametrize("kind", [Client, AsyncClient])
async def test_an_sdk_client_signs_where_its_agreement_requires_it(
    served: GatewayFixture, kind: type[Client | AsyncClient]
) -> None:
    """Its evidence shows the request's signature, which is verified offline by the client's key."""
    caller, uscc = await served.client(requires_signed_requests=True), served.uscc("clean")
    asked: dict[str, Any] = {"purpose": PURPOSE, "questions": ["is_active.v1"]}
    with pytest.raises(errors.SignatureRequired):
        await result_of(client_of(caller, kind).verify(uscc, **asked))
    bank = client_of(caller, kind, sign_requests=True)
    evidence = (await result_of(bank.verify(uscc, **asked))).evidence
    assert len(await result_of(bank.questions())) > 1
    assert list(await result_of(bank.consents())) == []
    own = public_jwks(_private(caller))
    keys = served.runtime.keys.published()
    again = verify_evidence(evidence.to_json(), keys=keys, client_keys=own)
    assert again == evidence
    assert again.request_key == {
        name: own["keys"][0][name] for name in ("crv", "kty", "x", "y", "kid")
    }
    with pytest.raises(errors.EvidenceInvalid, match="by a key of this client"):
        verify_evidence(evidence, keys=keys, client_keys=public_jwks(generate_client_key()))


async def test_a_signed_batch_and_a_signed_job_are_answered(served: GatewayFixture) -> None:
    """Under an agreement that requires signatures."""
    caller = await served.client(requires_signed_requests=True)
    usccs = [each.enterprise.uscc for each in served.entities[-3:]]

    def told() -> list[str]:
        with client_of(caller, Client, sign_requests=True) as bank:
            rows = bank.verify_many(usccs, purpose=PURPOSE, questions=["is_active.v1"])
            found = [row.uscc for row in rows if row.problem is None]
            job = bank.jobs.create(purpose=PURPOSE, questions=["is_active.v1"])
            bank.jobs.upload(job.job_id, f"uscc\n{usccs[0]}\n".encode(), content_type="text/csv")
            assert bank.jobs.delete(job.job_id).has_ended
        return found

    assert await asyncio.to_thread(told) == usccs


async def test_evidence_of_a_refusal_before_the_body_was_read_says_nothing_of_the_request(
    served: GatewayFixture,
) -> None:
    """Its signature is a part of the answer's, and covers a body that was not compared with its digest."""
    caller = await served.client()

    def refused() -> Evidence:
        with client_of(caller, Client, sign_requests=True) as bank:
            found: Evidence = bank.request("POST", "/v1/queries", json={"a": 1}, scope="verify")
            return found

    evidence = await asyncio.to_thread(refused)
    assert (evidence.status, evidence.json()["code"]) == (403, "insufficient_scope")
    assert evidence.request_key is None
    assert set(evidence.exchange.request_headers) == {"signature"}
    keys = served.runtime.keys.published()
    assert verify_evidence(evidence.to_json(), keys=keys) == evidence
    with pytest.raises(errors.EvidenceInvalid, match="by a key of this client"):
        verify_evidence(evidence, keys=keys, client_keys=public_jwks(_private(caller)))


async def test_an_independent_implementation_verifies_the_sdks_signature(
    served: GatewayFixture,
) -> None:
    """`http-message-signatures`, over the request as it was sent."""
    caller, sent = await served.client(), list[httpx2.Request]()

    class Recording(httpx2.HTTPTransport):
        def handle_request(self, request: httpx2.Request) -> httpx2.Response:
            sent.append(request)
            return super().handle_request(request)

    def ask() -> None:
        with client_of(caller, Client, sign_requests=True, transport=Recording()) as bank:
            bank.verify(UNKNOWN, purpose=PURPOSE, questions=["is_active.v1"])
            bank.request("GET", "/v1/consents?status=active", scope="consents")

    await asyncio.to_thread(ask)
    signed = [each for each in sent if "signature-input" in each.headers]
    assert {each.method for each in signed} == {"POST", "GET"}
    verifier = HTTPMessageVerifier(
        signature_algorithm=algorithms.ECDSA_P256_SHA256, key_resolver=OwnKey(caller.key)
    )
    for request in signed:
        (result,) = verifier.verify(request, expect_tag="xinqiao-request")
        covered = {str(name) for name in result.covered_components} - {'"@signature-params"'}
        names = COVERED if request.content else COVERED[:2]
        assert covered == {f'"{name}"' for name in names}


async def test_a_request_that_an_independent_implementation_signed_is_answered(
    served: GatewayFixture,
) -> None:
    """With its order of the parameters."""
    caller, path = await served.client(requires_signed_requests=True), "/v1/verifications"
    raw = orjson.dumps(verification_body(UNKNOWN, "is_active.v1"))
    async with httpx2.AsyncClient(base_url=served.issuer, trust_env=False) as http:
        first = await http.post(path, headers=await caller.headers("POST", path))
        headers = await caller.headers("POST", path, raw)
        proof = await caller.proof(
            "POST", path, await caller.token(), nonce=first.headers["dpop-nonce"], jti="one-use-1"
        )
        request = http.build_request("POST", path, content=raw, headers=headers | {"DPoP": proof})
        HTTPMessageSigner(
            signature_algorithm=algorithms.ECDSA_P256_SHA256, key_resolver=OwnKey(caller.key)
        ).sign(
            request,
            key_id="k1",
            use_existing_digest=True,
            created=datetime.fromtimestamp(served.clock().timestamp(), UTC),
            nonce="one-use-1",
            label="bank",
            tag="xinqiao-request",
            covered_component_ids=COVERED,
        )
        answer = served.checked(await http.send(request))
    assert answer.status_code == 200, answer.text
    assert '"signature";req;key="bank"' in answer.headers["signature-input"]


@pytest.fixture
def fake() -> FakeGateway:
    """A fake gateway whose agreement requires signatures."""
    made = FakeGateway(agreement=REQUIRED)
    made.add_enterprise(UNKNOWN, answers={"is_active.v1": "yes"})
    return made


async def test_the_fake_gateway_requires_and_verifies_signatures(fake: FakeGateway) -> None:
    """As the real one: none, one by another key, one of another request, one that is right."""
    asked: dict[str, Any] = {"purpose": PURPOSE, "questions": ["is_active.v1"]}
    with fake.client() as bank, pytest.raises(errors.SignatureRequired):
        bank.verify(UNKNOWN, **asked)
    with fake.client(sign_requests=True) as bank:
        evidence = bank.verify(UNKNOWN, **asked).evidence
        assert verify_evidence(evidence, keys=fake.jwks) == evidence
        [*_, headers] = [each.headers for each in fake.requests if "signature" in each.headers]
        stolen = {name: headers[name] for name in ("signature", "signature-input")}
    with fake.client() as bank:
        refused = bank.request("GET", "/v1/consents", headers=stolen, scope="consents")
    assert (refused.status, refused.json()["code"]) == (400, "signature_invalid")
    assert refused.request_key is None


async def test_what_was_signed_cannot_be_changed_in_evidence(fake: FakeGateway) -> None:
    """The request's signature, its parameters, its key; and none may be left out."""
    with fake.client(sign_requests=True) as bank:
        evidence = bank.verify(UNKNOWN, purpose=PURPOSE, questions=["is_active.v1"]).evidence
    other = public_jwks(generate_client_key())["keys"][0]
    told = evidence.to_dict()
    sent = told["request"]["headers"]
    wrong = base64.b64encode(bytes(64)).decode()
    for headers, key in (
        ({"signature": f"xinqiao=:{wrong}:"}, None),
        ({"signature-input": sent["signature-input"].replace("created=1", "created=2")}, None),
        ({"signature-input": sent["signature-input"].replace("xinqiao-r", "other-r")}, None),
        ({"content-type": "text/plain"}, None),
        ({}, {name: other[name] for name in ("kty", "crv", "x", "y")} | {"kid": "client-1"}),
        ({}, {**told["request_key"], "note": "x"}),
    ):
        changed = {
            **told,
            "request": {**told["request"], "headers": {**sent, **headers}},
            "request_key": key or told["request_key"],
        }
        with pytest.raises(errors.EvidenceInvalid):
            verify_evidence(changed, keys=fake.jwks)
    bare = {name: value for name, value in told.items() if name != "request_key"}
    with pytest.raises(errors.EvidenceInvalid):
        verify_evidence(bare, keys=fake.jwks)


async def test_a_key_that_cannot_sign_requests_is_refused_before_anything_is_sent(
    fake: FakeGateway,
) -> None:
    """RSA; and the environment says true or false."""
    rsa = generate_client_key("RSA")
    with pytest.raises(errors.ConfigurationError, match="EC P-256 or Ed25519"):
        fake.client(private_jwks=rsa, sign_requests=True)
    assert fake.requests == []


def _private(caller: Caller) -> dict[str, Any]:
    private: dict[str, Any] = ECAlgorithm.to_jwk(caller.key, as_dict=True)
    return {**private, "kid": "k1"}
