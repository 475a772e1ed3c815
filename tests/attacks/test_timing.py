"""How long an answer takes does not tell whom it is about (Welch's t, `tests/welch`)."""

import time

import httpx2
import orjson
import pytest

from gateway.limits.guard import Quotas
from tests.house import UNKNOWN, House, asking
from tests.welch import Ask, Slower, compare

pytestmark = [pytest.mark.alone, pytest.mark.asyncio(loop_scope="session")]

QUOTAS = Quotas(
    per_minute=10_000_000,
    per_day=10_000_000,
    per_enterprise_per_minute=10_000_000,
    distinct_enterprises_per_day=10_000_000,
)
ASKED = (
    ("enterprise_name.v1", "甲公司"),
    ("rating_at_least.v1", "良好"),
    ("legal_representative_id.v1", "330106199001011234"),
    "is_active.v1",
    "no_live_penalty.v1",
)


async def test_known_unknown_and_closed_enterprises_take_equally_long(house: House) -> None:
    """One with a consent, one without, one that was never registered, one on a list."""
    bank = await house.client(quotas=QUOTAS)
    enterprises = {
        "open": house.uscc("clean"),
        "closed": house.uscc("repaired"),
        "listed": house.uscc("serious_violation"),
        "unknown": UNKNOWN,
    }
    questions = ["rating_at_least.v1", "legal_representative_id.v1"]
    await house.grant(bank, enterprises["open"], questions=questions, max_uses=None)
    slower = Slower(house.app)
    transport = httpx2.ASGITransport(app=slower)
    async with httpx2.AsyncClient(transport=transport, base_url=house.issuer) as http:

        def about(uscc: str) -> Ask:
            async def ask(mark: str) -> float:
                body = orjson.dumps(asking(uscc, *ASKED))
                headers = await bank.headers("POST", "/v1/verifications", body)
                headers["X-Request-Id"] = mark
                begun = time.perf_counter()
                response = await http.post("/v1/verifications", content=body, headers=headers)
                taken = time.perf_counter() - begun
                assert response.status_code == 200, response.text
                return taken

            return ask

        groups = {name: about(uscc) for name, uscc in enterprises.items()}
        compared = await compare(groups, slower=slower, baseline="unknown")
    print(compared)
    compared.demand_alike()
