"""A batch is answered, logged and counted as the same calls one by one, whatever its lines are."""

import random
from collections import Counter
from typing import Any

import orjson
import pytest

from gateway.limits.quotas import Quotas
from tests.batch_builders import answered, batch_line
from tests.gateway_fixture import UNKNOWN, Caller, GatewayFixture, QuestionValue
from tests.sampling import sampled

pytestmark = pytest.mark.asyncio(loop_scope="session")

LINES = 90
GUESSES = ("甲公司", "乙公司", "丙公司", "丁公司")
Question = str | tuple[str, QuestionValue]


def drawn(gateway: GatewayFixture, chance: random.Random) -> list[bytes]:
    """Lines about a few enterprises, again and again: right, wrong, refused, and beyond a budget."""
    usccs = [each.enterprise.uscc for each in gateway.entities[:12]]
    codes = [*usccs, UNKNOWN, "no code"]
    lines = []
    for number in range(1, LINES + 1):
        questions: list[Question] = chance.sample(
            ["is_active.v1", "not_abnormal.v1", "no_such.v1", ("rating_at_least.v1", "良好")],
            chance.choice([1, 1, 2]),
        )
        questions += [("enterprise_name.v2", chance.choice(GUESSES))] * chance.choice([0, 1])
        purpose = chance.choice(["loan_approval"] * 9 + ["curiosity", "merchant_review"])
        lines.append(batch_line(number, chance.choice(codes), *questions, purpose=purpose))
    return lines


async def one_by_one(bank: Caller, lines: list[bytes]) -> list[Any]:
    """Of each line the answers of a call, or its problem."""
    found = []
    for line in lines:
        body = {name: value for name, value in orjson.loads(line).items() if name != "line"}
        response = await bank.send("/v1/verifications", body)
        told = response.json()
        found.append(told["answers"] if response.status_code == 200 else told["code"])
    return found


async def left_behind(gateway: GatewayFixture, bank: Caller) -> dict[str, Any]:
    """Rows that the calls of a client have written, without what differs each time."""
    log = Counter(
        orjson.dumps(
            [
                row[name]
                for name in ("uscc", "outcome", "reason", "purpose", "asked", "relied_on", "items")
            ]
        )
        for row in await gateway.log_of(bank)
    )
    probes = await gateway.rows(
        "SELECT uscc, question, revision, (SELECT count(*) FROM jsonb_object_keys(asked)) AS values"
        " FROM probe WHERE client_id = :client ORDER BY uscc, question",
        client=bank.client_id,
    )
    return {"log": log, "probes": probes}


@pytest.mark.parametrize("seed", range(sampled(2, full=20)))
async def test_a_batch_is_the_same_calls_one_by_one(gateway: GatewayFixture, seed: int) -> None:
    """Answers, log, probe budgets and uses of a consent."""
    lines = drawn(gateway, random.Random(seed))  # noqa: S311  # the same lines in each run
    quotas = Quotas(per_enterprise_per_minute=10_000)
    found = []
    for together in (False, True):
        bank = await gateway.client(quotas=quotas)
        granted = await gateway.grant(
            bank, gateway.entities[0].enterprise.uscc, questions=["rating_at_least.v1"], max_uses=3
        )
        if together:
            batch = await answered(bank, lines)
            told = [each.get("answers") or each["problem"]["code"] for each in batch.documents]
        else:
            told = await one_by_one(bank, lines)
        found.append((told, await left_behind(gateway, bank), await gateway.uses(granted)))
    assert found[0][0] == found[1][0]
    assert found[0][1:] == found[1][1:]
