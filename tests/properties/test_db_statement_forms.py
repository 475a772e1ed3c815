"""The read statements: a set of any calls gives the rows that each call gives by itself."""

import asyncio
from random import Random
from typing import Any

import pytest

from gateway.access.answer_loop import AdmittedCall
from gateway.access.authentication import Caller as AuthenticatedCaller
from gateway.access.client_status import (
    READ_CLIENT_STATUS,
    status_digest,
    under_expected_status,
)
from gateway.access.dpop import Proof
from gateway.clients.agreements import Agreement
from gateway.db.prepared import HotDatabase, Sets, certain
from gateway.db.statements import SetStatement
from gateway.disclosure.idempotency import IdempotencyKey
from gateway.queries import read_query as query
from gateway.queries.cursor import Cursors
from gateway.queries.request import QueryRequest
from gateway.queries.request import parse_request as parse_query
from gateway.queries.schemas import QueryIn
from gateway.verifications import read_query as verification
from gateway.verifications.request import VerificationRequest
from gateway.verifications.request import parse_request as parse_verification
from gateway.verifications.schemas import VerificationIn
from tests.gateway_fixture import (
    UNKNOWN,
    Caller,
    GatewayFixture,
    every_question,
    query_body,
    verification_body,
)

pytestmark = pytest.mark.asyncio(loop_scope="session")

SETS = 6
PURPOSES = ("loan_approval", "loan_approval", "tender")


async def _same_in_both_forms(
    gateway: GatewayFixture, statement: SetStatement, calls: list[dict[str, Any]]
) -> None:
    """The rows of one set are the rows of the single statements."""
    url = gateway.settings.database_url
    hot = await HotDatabase.open(url, size=2, sets=Sets(largest=len(calls), under_way=1))
    try:
        together = await asyncio.gather(*(hot.submit(statement, each) for each in calls))
        for values, row in zip(calls, together, strict=True):
            alone = await hot.row(statement.single, values)
            assert row is not None
            assert alone is not None
            assert dict(row) == {"place": row["place"], **dict(alone)}
    finally:
        await hot.close()


async def _under_status(
    gateway: GatewayFixture,
    statement: SetStatement,
    caller: AuthenticatedCaller,
    calls: list[dict[str, Any]],
) -> None:
    """As above under the client's status; where another is expected nothing is read but the status."""
    asked = {"client_id": caller.client_id, "jti": caller.token.jti}
    hot = gateway.runtime.hot
    status = certain(await hot.submit(READ_CLIENT_STATUS, asked))["client_status"]
    both = under_expected_status(statement)
    digests = (status_digest(status), status_digest("another"))
    under = [
        {**each, **asked, "expected_status": digests[place % 3 == 1]}
        for place, each in enumerate(calls)
    ]
    await _same_in_both_forms(gateway, both, under)
    for values, own in zip(under, calls, strict=True):
        row = dict(certain(await hot.row(both.single, values)))
        told = row.pop("client_status")
        if values["expected_status"] == digests[0]:
            assert told is None
            assert row == dict(certain(await hot.row(statement.single, own)))
        else:
            assert told == status
            assert set(row.values()) == {None}


async def _caller(gateway: GatewayFixture, bank: Caller) -> AuthenticatedCaller:
    token = gateway.runtime.tokens.verify(await bank.token(), gateway.clock())
    return AuthenticatedCaller(token=token, proof=Proof(jkt=token.jkt or "", jti="", generation=""))


def _agreement(gateway: GatewayFixture, chance: Random) -> Agreement:
    """An agreement that covers much of what is asked, or little."""
    tags = [
        each if isinstance(each, str) else each[0] for some in every_question() for each in some
    ]
    now = gateway.clock()
    return Agreement(
        version=1,
        purposes=frozenset(chance.sample(PURPOSES, 2)),
        datasets=frozenset(chance.sample(sorted(gateway.runtime.catalogue.codes), 12)),
        questions=frozenset(tags if chance.random() < 0.7 else tags[::2]),
        retention_days=30,
        automated_decisions=None,
        id_numbers=None,
        requires_signed_requests=False,
        valid_from=now,
        valid_until=now,
        ended_at=None,
        licensed_for_persons=False,
    )


def _uscc(gateway: GatewayFixture, chance: Random) -> str:
    return chance.choice([*(each.enterprise.uscc for each in gateway.entities[:60]), UNKNOWN])


def _key(chance: Random) -> IdempotencyKey | None:
    return IdempotencyKey(key="k", request_digest=b"d" * 32) if chance.random() < 0.3 else None


@pytest.mark.parametrize("seed", range(SETS))
async def test_verifications(gateway: GatewayFixture, seed: int) -> None:
    """Questions open and closed, with and without consent, known and unknown enterprises."""
    chance, bank = Random(seed), await gateway.client()  # noqa: S311  # test data
    caller = await _caller(gateway, bank)
    questions = [each for some in every_question() for each in some]
    calls = []
    for _ in range(chance.randint(2, 16)):
        uscc, asked = _uscc(gateway, chance), chance.sample(questions, chance.randint(1, 6))
        tags = [each if isinstance(each, str) else each[0] for each in asked]
        if uscc != UNKNOWN and chance.random() < 0.5:
            await gateway.grant(bank, uscc, questions=tags[: chance.randint(1, 6)])
        body = verification_body(uscc, *asked, purpose=chance.choice(PURPOSES))
        request = parse_verification(VerificationIn.model_validate(body))
        assert isinstance(request, VerificationRequest), request
        call = AdmittedCall(
            runtime=gateway.runtime, caller=caller, request=request, key=_key(chance)
        )
        calls.append(verification.read_values(call, _agreement(gateway, chance), gateway.clock()))
    await _same_in_both_forms(gateway, verification.READ_INPUTS, calls)
    await _under_status(gateway, verification.READ_INPUTS, caller, calls)


@pytest.mark.parametrize("seed", range(SETS))
async def test_queries(gateway: GatewayFixture, seed: int) -> None:
    """Datasets inside and outside agreement and consent."""
    chance, bank = Random(seed), await gateway.client()  # noqa: S311  # test data
    caller, catalogue = await _caller(gateway, bank), gateway.runtime.catalogue
    cursors = Cursors(key=b"k", client_id=bank.client_id, now=gateway.clock())
    calls = []
    for _ in range(chance.randint(2, 16)):
        uscc = _uscc(gateway, chance)
        asked = chance.sample(sorted(catalogue.codes), chance.randint(1, 8))
        if uscc != UNKNOWN and chance.random() < 0.7:
            await gateway.grant(bank, uscc, datasets=["registration", "penalty", "licence"])
        body = QueryIn.model_validate(query_body(uscc, *asked))
        request = parse_query(body, catalogue, cursors, token_consent=None)
        assert isinstance(request, QueryRequest), request
        call = AdmittedCall(
            runtime=gateway.runtime, caller=caller, request=request, key=_key(chance)
        )
        calls.append(query._values(call, _agreement(gateway, chance), gateway.clock()))
    await _same_in_both_forms(gateway, query.READ_INPUTS, calls)
    await _under_status(gateway, query.READ_INPUTS, caller, calls)


async def test_client_status(gateway: GatewayFixture) -> None:
    """Active and unknown clients, live and unknown tokens."""
    banks = [await gateway.client() for _ in range(3)]
    tokens = [(await _caller(gateway, each)).token.jti for each in banks]
    clients = [*(each.client_id for each in banks), "nobody"]
    calls = [
        {"client_id": client_id, "jti": jti} for client_id in clients for jti in (*tokens, "none")
    ]
    await _same_in_both_forms(gateway, READ_CLIENT_STATUS, calls)
