"""Misuse of bindings: tokens of other consents, Host headers, closed records, log files."""

from dataclasses import replace
from pathlib import Path

import pytest

from gateway.access.answer_loop import AdmittedCall
from gateway.access.authentication import Caller as Authenticated
from gateway.access.dpop import Proof
from gateway.access.errors import NotAvailableError, Refusal
from gateway.creditfile.catalogue import load_catalogue
from gateway.queries.authorization import authorize
from gateway.queries.cursor import Cursors
from gateway.queries.read_query import read_inputs
from gateway.queries.request import QueryRequest, parse_request
from gateway.queries.schemas import QueryIn
from tests.gateway_fixture import Caller, GatewayFixture

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def caller_of(gateway: GatewayFixture, bank: Caller) -> Authenticated:
    """The bank as authenticated caller of a route."""
    token = gateway.runtime.tokens.verify(await bank.token(), gateway.clock())
    assert token.jkt is not None
    return Authenticated(token=token, proof=Proof(jkt=token.jkt, jti="unused", generation=""))


BODY = {
    "enterprise": {"uscc": ""},
    "purpose": "loan_approval",
    "datasets": ["registration"],
}


async def test_a_token_of_one_consent_opens_no_other(gateway: GatewayFixture) -> None:
    """A token from the code flow carries its consent; another one in the body is refused."""
    bank, uscc = await gateway.client(), gateway.uscc("clean")
    other = await gateway.grant(bank, uscc, datasets=["registration"])
    cursors = Cursors(key=b"k", client_id=bank.client_id, now=gateway.clock())
    body = QueryIn.model_validate({**BODY, "enterprise": {"uscc": uscc}, "consent_id": other})
    bound = parse_request(body, load_catalogue(), cursors, token_consent="cst_the_tokens_own")
    assert isinstance(bound, QueryRequest)
    assert bound.consent_id == "cst_the_tokens_own"
    free = parse_request(body, load_catalogue(), cursors, token_consent=None)
    assert isinstance(free, QueryRequest)
    caller = await caller_of(gateway, bank)
    now = gateway.clock()
    call = AdmittedCall(runtime=gateway.runtime, caller=caller, request=free, key=None)
    found = await read_inputs(call, now)
    assert not isinstance(found, Refusal)
    allowed = authorize(call, found, now, repeated=False)
    assert not isinstance(allowed, Refusal)
    refused = authorize(replace(call, request=bound), found, now, repeated=False)
    assert isinstance(refused, Refusal)
    assert refused.error is NotAvailableError


@pytest.mark.parametrize("path", ["/v1/verifications/", "/portal/", "/E/ABC/"])
async def test_no_redirect_names_the_host_that_a_caller_wrote(
    gateway: GatewayFixture, path: str
) -> None:
    """A path with an extra slash is a 404, not a redirect to the Host header."""
    answer = await gateway.http.post(path, headers={"Host": "evil.example"})
    assert not answer.is_redirect
    assert "evil.example" not in str(answer.headers)


async def test_without_consent_closed_records_are_not_even_read(gateway: GatewayFixture) -> None:
    """Read time would reveal their number."""
    from gateway.verifications.read_query import read_inputs as read_facts
    from gateway.verifications.request import VerificationRequest as Verifying
    from gateway.verifications.request import parse_request as verification_of
    from gateway.verifications.schemas import VerificationIn

    bank, uscc = await gateway.client(), gateway.uscc("clean")
    asked = {"question": "paid_social_insurance_on_time.v1", "value": "12"}
    ask = verification_of(
        VerificationIn.model_validate(
            {"enterprise": {"uscc": uscc}, "purpose": "loan_approval", "questions": [asked]}
        )
    )
    assert isinstance(ask, Verifying)
    caller = await caller_of(gateway, bank)
    call = AdmittedCall(runtime=gateway.runtime, caller=caller, request=ask, key=None)
    before = await read_facts(call, gateway.clock())
    await gateway.grant(bank, uscc, questions=[asked["question"]])
    after = await read_facts(call, gateway.clock())
    assert not isinstance(before, Refusal)
    assert not isinstance(after, Refusal)
    assert (len(before.records), before.is_known) == (0, True)
    assert len(after.records) >= 12


async def test_the_demos_log_is_for_its_owner_only(tmp_path: Path) -> None:
    """Mode 0600, as everything in the demo's folder."""
    from gateway.synthetic.demo.state import DemoFolder

    with DemoFolder(tmp_path).open_log() as log:
        log.write("x")
    assert (tmp_path / "gateway.log").stat().st_mode & 0o777 == 0o600
