"""Outcomes of applications: told back by the client of a query, seen by the enterprise alone."""

from typing import Any

import httpx2
import orjson
import pytest

from gateway.background.sequencing import sequencer_of
from gateway.disclosure.application_outcomes.model import OUTCOME_WORDS, REASON_WORDS
from gateway.disclosure.signed_requests import kept_request
from tests.gateway_fixture import Caller, GatewayFixture, query_body
from tests.request_signing import code_of, signed_call
from tests.waiting import eventually
from xinqiao._core.signatures.exchange import sha256_digest

pytestmark = pytest.mark.asyncio(loop_scope="session")

REFUSED = {"outcome": "refused", "reasons": ["history_too_short", "live_penalty"]}
APPROVED = {"outcome": "approved"}


async def queried(gateway: GatewayFixture, bank: Caller, who: str = "clean") -> str:
    """The id of a query that the bank made."""
    uscc = gateway.uscc(who)
    await gateway.grant(bank, uscc)
    answer = await bank.send("/v1/queries", query_body(uscc))
    assert answer.status_code == 200, answer.text
    return str(answer.json()["disclosure_id"])


async def tell(caller: Caller, query: str, body: dict[str, Any], **more: Any) -> httpx2.Response:
    """Tell an outcome."""
    return await caller.send(f"/v1/queries/{query}/outcome", body, method="PUT", **more)


async def stored(gateway: GatewayFixture, query: str) -> list[tuple[Any, ...]]:
    """The stored versions of a query's outcome."""
    rows = await gateway.rows(
        "SELECT version, outcome, reasons FROM application_outcome WHERE disclosure_id = :query"
        " ORDER BY version",
        query=query,
    )
    return [(each["version"], each["outcome"], each["reasons"]) for each in rows]


async def test_the_closed_lists_are_published_in_words(gateway: GatewayFixture) -> None:
    """To everybody, in both languages."""
    answer = gateway.checked(await gateway.http.get("/v1/outcomes"))
    lists = answer.json()
    assert [each["name"] for each in lists["outcomes"]] == [each.value for each in OUTCOME_WORDS]
    assert [each["name"] for each in lists["reasons"]] == [each.value for each in REASON_WORDS]
    for each in (*lists["outcomes"], *lists["reasons"]):
        assert each["zh"]
        assert each["en"]


async def test_an_outcome_is_told_again_without_effect_and_replaced_once(
    gateway: GatewayFixture,
) -> None:
    """At once after the query, before its leaf is merged; every version is kept."""
    bank = await gateway.client()
    query = await queried(gateway, bank)
    first = await tell(bank, query, REFUSED)
    assert first.status_code == 200, first.text
    body = first.json()
    assert (body["disclosure_id"], body["outcome"]) == (query, "refused")
    assert body["reasons"] == REFUSED["reasons"]
    assert "replaced" not in body
    assert (await tell(bank, query, REFUSED)).json() == body
    await sequencer_of(gateway.runtime).round()
    second = (await tell(bank, query, APPROVED)).json()
    assert second["replaced"] == {name: body[name] for name in ("outcome", "reasons", "told_at")}
    assert (await tell(bank, query, APPROVED)).json() == second
    third = await tell(bank, query, {"outcome": "withdrawn"})
    assert (third.status_code, third.json()["code"]) == (409, "conflict")
    assert await stored(gateway, query) == [
        (1, "refused", REFUSED["reasons"]),
        (2, "approved", []),
    ]


async def test_each_version_of_an_outcome_is_kept_as_it_was_signed(
    gateway: GatewayFixture,
) -> None:
    """A bank cannot deny what it told."""
    bank, runtime = await gateway.client(), gateway.runtime
    query = await queried(gateway, bank)
    path = f"/v1/queries/{query}/outcome"
    for body in (REFUSED, APPROVED):
        told = await signed_call(body, method="PUT", path=path, scope="query").send(bank)
        assert code_of(told) == 200, told.text
    for version, body in (("1", REFUSED), ("2", APPROVED)):
        kept = await kept_request(runtime.hot, runtime.vault, f"{query}.outcome{version}")
        assert kept is not None
        assert kept["content_digest"] == sha256_digest(orjson.dumps(body))


async def test_the_enterprise_gets_a_notice_that_names_the_client_and_no_outcome(
    gateway: GatewayFixture,
) -> None:
    """One for each version, with the day's digest; none for the same told again."""
    bank, uscc = await gateway.client(), gateway.uscc("disputed")
    place = {"uscc": uscc, "now": gateway.clock()}
    await gateway.rows(
        "INSERT INTO notice_place (uscc, place_id, channel, link_digest, added_by, added_at,"
        " added_token_digest, confirmed_at) VALUES (:uscc, 'plc_outcome', 'email', '', '', :now, '', :now)",
        **place,
    )
    query = await queried(gateway, bank, "disputed")
    for body in (REFUSED, REFUSED, APPROVED):
        assert (await tell(bank, query, body)).status_code == 200
    notices = await gateway.rows("SELECT * FROM notice WHERE client_id = :id", id=bank.client_id)
    assert [each["kind"] for each in notices] == ["outcome_told"] * 2
    assert not {"refused", "live_penalty"} & {str(each) for row in notices for each in row.values()}
    await gateway.rows("DELETE FROM notice WHERE client_id = :id", id=bank.client_id)
    await gateway.rows("DELETE FROM notice_place WHERE place_id = 'plc_outcome'")


@pytest.mark.parametrize(
    "body",
    [
        {"outcome": "refused"},
        {"outcome": "refused", "reasons": []},
        {"outcome": "approved", "reasons": ["other"]},
        {"outcome": "withdrawn", "reasons": ["other"]},
        {"outcome": "refused", "reasons": ["other", "other"]},
        {"outcome": "refused", "reasons": ["because"]},
        {"outcome": "maybe"},
        {"outcome": "refused", "reasons": "other"},
        {"outcome": "approved_less", "reasons": ["rating_too_low"], "amount": 5},
        {"reasons": ["other"]},
        {"outcome": "refused", "reasons": [*list(REASON_WORDS)[:6]]},
    ],
)
async def test_what_is_not_of_the_closed_lists_is_refused(
    gateway: GatewayFixture, body: dict[str, Any]
) -> None:
    """Nothing free can be said of an enterprise."""
    bank = await gateway.client()
    query = await queried(gateway, bank)
    answer = await tell(bank, query, body)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")
    assert await stored(gateway, query) == []


async def test_an_outcome_is_told_within_ninety_days(gateway: GatewayFixture) -> None:
    """Later not even replaced; the same again is still answered."""
    bank = await gateway.client()
    query, other = await queried(gateway, bank), await queried(gateway, bank, "penalised")
    with gateway.clock.later(days=89):
        told = await tell(bank, query, REFUSED)
        assert told.status_code == 200, told.text
    with gateway.clock.later(days=90):
        for late in (await tell(bank, query, APPROVED), await tell(bank, other, APPROVED)):
            assert (late.status_code, late.json()["code"]) == (409, "conflict")
        assert (await tell(bank, query, REFUSED)).json() == told.json()


async def test_each_version_is_a_leaf_of_the_log_with_a_receipt_for_its_client_alone(
    gateway: GatewayFixture,
) -> None:
    """By the query's id and the version's number."""
    bank, other = await gateway.client(), await gateway.client()
    query = await queried(gateway, bank)
    promise = (await tell(bank, query, REFUSED)).json()["log_promise"]
    path, found = f"/v1/receipts/{query}-o1", list[httpx2.Response]()

    async def merged() -> bool:
        await sequencer_of(gateway.runtime).round()
        found.append(await bank.send(path, b"", method="GET", scope="query"))
        return found[-1].status_code == 200

    await eventually(merged)
    assert found[-1].json()["leaf_hash"] == promise["leaf_hash"]
    for who, where in ((other, path), (bank, f"/v1/receipts/{query}-o2")):
        assert (await who.send(where, b"", method="GET", scope="query")).status_code == 404


async def test_outcomes_told_at_once_are_one_and_its_replacement(gateway: GatewayFixture) -> None:
    """Whichever comes first; the other replaces it, or is asked to come again."""
    bank = await gateway.client()
    query = await queried(gateway, bank)
    answers = [await tell(bank, query, each) for each in (REFUSED, APPROVED)]
    assert [each.status_code for each in answers] == [200, 200]
    assert [version for version, _, _ in await stored(gateway, query)] == [1, 2]
