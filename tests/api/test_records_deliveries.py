"""Deliveries over HTTP: results by row, idempotency, sources' own records."""

import asyncio
import json
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from gateway.limits.quotas import Quotas
from tests.gateway_fixture import GatewayFixture
from tests.records_builders import (
    SCOPE,
    act,
    call_as_source,
    deliver,
    make_act,
    make_department,
    make_penalty,
    reasons,
)

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.usefixtures("forget_deliveries"),
]


def refusal(response: Any) -> tuple[int, str]:
    """Status and code."""
    return response.status_code, response.json()["code"]


async def test_a_delivery_is_disclosed_at_the_next_request(gateway: GatewayFixture) -> None:
    """With consent, and with the department as source."""
    source, bank, uscc = (
        await make_department(gateway),
        await gateway.client(),
        gateway.uscc("clean"),
    )
    await gateway.grant(bank, uscc)
    penalty = make_penalty(gateway, uscc)
    (result,) = await deliver(source, "penalty", penalty)
    assert result | {"record_id": None} == {
        "row": 0, "key": penalty["document_number"], "outcome": "created", "record_id": None,
        "version": 1, "warnings": [], "warning_details": [], "problems": [],
    }  # fmt: skip
    records = (await bank.query(uscc, "penalty")).json()["records"]
    told = next(each for each in records if each["record_id"] == result["record_id"])
    assert told["fields"]["fine"] == "12.000000"
    assert "appeal_state" not in told["fields"]
    assert told["source"]["name"].startswith("示例数源单位")


async def test_a_bad_row_leaves_the_good_ones_alone(gateway: GatewayFixture) -> None:
    """Each row has a result; problems name the field, and neither the value nor a name like no field's."""
    source, uscc = await make_department(gateway), gateway.uscc("clean")
    good, other = make_penalty(gateway, uscc), make_penalty(gateway, uscc)
    bad = make_penalty(
        gateway, uscc, fine="minus 330106199001011234", kinds=["没有这种"], zhang_san="red"
    )
    response = await call_as_source(
        source, "/v1/records", {"dataset": "penalty", "records": [good, bad, other, {}]}
    )
    results = response.json()["results"]
    assert [each["outcome"] for each in results] == ["created", "rejected", "created", "rejected"]
    assert {each["field"] for each in results[1]["problems"]} == {"fine", "kinds", "?"}
    assert results[1]["key"] is None
    assert {each["field"] for each in results[3]["problems"]} >= {"uscc", "document_number"}
    assert "330106199001011234" not in response.text
    assert "zhang_san" not in response.text


async def test_rows_that_all_lack_their_code_are_each_rejected(gateway: GatewayFixture) -> None:
    """Also in a batch large enough for column-wise validation."""
    source, uscc = await make_department(gateway), gateway.uscc("clean")
    rows = [make_penalty(gateway, uscc) for _ in range(20)]
    for row in rows:
        del row["uscc"]
    results = await deliver(source, "penalty", *rows)
    assert [each["outcome"] for each in results] == ["rejected"] * 20
    assert all(reasons(each) == [{"field": "uscc", "reason": "missing"}] for each in results)


async def test_a_repeated_delivery_changes_nothing(gateway: GatewayFixture) -> None:
    """Created, then unchanged; other content is an update."""
    source, uscc = await make_department(gateway), gateway.uscc("clean")
    penalty = make_penalty(gateway, uscc)
    first = (await deliver(source, "penalty", penalty))[0]
    again = (await deliver(source, "penalty", penalty))[0]
    changed = (await deliver(source, "penalty", penalty | {"fine": "11"}))[0]
    assert [first["outcome"], again["outcome"], changed["outcome"]] == [
        "created", "unchanged", "updated",
    ]  # fmt: skip
    assert [first["version"], again["version"], changed["version"]] == [1, 1, 2]
    assert first["record_id"] == again["record_id"] == changed["record_id"]


async def test_the_same_record_from_two_sources_is_two_records(gateway: GatewayFixture) -> None:
    """Independent of each other."""
    one, other, uscc = (
        await make_department(gateway),
        await make_department(gateway),
        gateway.uscc("clean"),
    )
    penalty = make_penalty(gateway, uscc)
    (ours,) = await deliver(one, "penalty", penalty)
    (theirs,) = await deliver(other, "penalty", penalty | {"fine": "1"})
    assert theirs["outcome"] == "created"
    assert ours["record_id"] != theirs["record_id"]
    assert (await deliver(one, "penalty", penalty))[0]["outcome"] == "unchanged"


async def test_a_registration_is_another_sources(gateway: GatewayFixture) -> None:
    """Only the source that registered an enterprise changes its registration."""
    source = await make_department(gateway, datasets=frozenset({"registration"}))
    of = gateway.entity("clean").enterprise
    row = {
        "uscc": of.uscc, "name": "抢注有限公司", "kind": "firm", "entity_type": "1130",
        "status": "active", "legal_representative": "某人", "division": "330106",
    }  # fmt: skip
    (result,) = await deliver(source, "registration", row)
    assert result["outcome"] == "rejected"
    assert reasons(result) == [{"field": "uscc", "reason": "held by another source"}]


async def test_warnings_stand_with_their_rows(gateway: GatewayFixture) -> None:
    """A number in free text is masked, with a warning."""
    source, bank, uscc = (
        await make_department(gateway),
        await gateway.client(),
        gateway.uscc("clean"),
    )
    await gateway.grant(bank, uscc)
    (result,) = await deliver(
        source, "penalty", make_penalty(gateway, uscc, facts="当事人330106199001011234承认。")
    )
    assert result["warnings"] == ["id_number_masked"]
    assert "330106199001011234" not in (await bank.query(uscc, "penalty")).text


async def test_only_the_datasets_of_the_agreement(gateway: GatewayFixture) -> None:
    """Another or an unknown dataset is refused completely."""
    source, uscc = (
        await make_department(gateway, datasets=frozenset({"licence"})),
        gateway.uscc("clean"),
    )
    body = {"dataset": "penalty", "records": [make_penalty(gateway, uscc)]}
    assert refusal(await call_as_source(source, "/v1/records", body)) == (403, "not_in_agreement")
    unknown = await call_as_source(source, "/v1/records", body | {"dataset": "gossip"})
    assert refusal(unknown) == (400, "unknown_dataset")


async def test_a_bank_cannot_deliver_with_any_scope(gateway: GatewayFixture) -> None:
    """A bank's agreement lists datasets to read."""
    bank, uscc = await gateway.client(), gateway.uscc("clean")
    body = {"dataset": "penalty", "records": [make_penalty(gateway, uscc)]}
    assert refusal(await call_as_source(bank, "/v1/records", body)) == (403, "not_in_agreement")
    action = {
        "dataset": "penalty", "uscc": uscc, "key": "k", "action": "withdraw", "reason": "理由",
        "decided_on": "2026-01-01",
    }  # fmt: skip
    assert refusal(await call_as_source(bank, "/v1/records/actions", action)) == (
        403,
        "not_in_agreement",
    )


async def test_without_the_scope_or_an_agreement_nothing_is_taken(gateway: GatewayFixture) -> None:
    """Another scope, an ended agreement, a suspended client."""
    uscc = gateway.uscc("clean")
    body = {"dataset": "penalty", "records": [make_penalty(gateway, uscc)]}
    source = await make_department(gateway)
    other_scope = await source.send("/v1/records", body, scope="verify")
    assert refusal(other_scope) == (403, "insufficient_scope")
    assert (await call_as_source(source, "/v1/records", body)).status_code == 200
    await gateway.rows(
        "UPDATE agreement SET ended_at = now() WHERE client_id = :id", id=source.client_id
    )
    assert refusal(await call_as_source(source, "/v1/records", body)) == (403, "agreement_ended")
    await gateway.rows(
        "UPDATE client SET state = 'suspended' WHERE client_id = :id", id=source.client_id
    )
    assert refusal(await call_as_source(source, "/v1/records", body)) == (403, "client_suspended")


async def test_too_many_rows_and_too_large_a_body_are_refused(gateway: GatewayFixture) -> None:
    """Nothing is taken."""
    source, uscc = await make_department(gateway), gateway.uscc("clean")
    many = [make_penalty(gateway, uscc) for _ in range(1001)]
    response = await call_as_source(source, "/v1/records", {"dataset": "penalty", "records": many})
    assert refusal(response) == (400, "invalid_request")
    response = await call_as_source(
        source, "/v1/records", b'{"dataset":"penalty","records":[' + b" " * 9_000_000
    )
    assert refusal(response) == (413, "payload_too_large")
    response = await call_as_source(source, "/v1/records", {"dataset": "penalty", "records": []})
    assert refusal(response) == (400, "invalid_request")


async def test_a_thousand_rows_are_taken_in_one_call(gateway: GatewayFixture) -> None:
    """Results in order."""
    source, uscc = await make_department(gateway), gateway.uscc("clean")
    rows = [{"uscc": uscc, "number": f"浙许{n}", "name": "食品经营许可"} for n in range(1000)]
    results = await deliver(source, "licence", *rows)
    assert Counter(each["outcome"] for each in results) == {"created": 1000}
    assert [each["key"] for each in results] == [row["number"] for row in rows]


async def test_two_deliveries_at_once_neither_fail_nor_lose(gateway: GatewayFixture) -> None:
    """The same new records in two calls are created once."""
    source, uscc = await make_department(gateway), gateway.uscc("clean")
    rows = [make_penalty(gateway, uscc) for _ in range(50)]
    both = await asyncio.gather(
        deliver(source, "penalty", *rows), deliver(source, "penalty", *reversed(rows))
    )
    outcomes = Counter(each["outcome"] for results in both for each in results)
    assert outcomes == {"created": 50, "unchanged": 50}


async def test_calls_are_counted_like_others(gateway: GatewayFixture) -> None:
    """By the agreement's quotas, with the same headers."""
    source, uscc = (
        await make_department(gateway, quotas=Quotas(per_minute=1)),
        gateway.uscc("clean"),
    )
    body = {"dataset": "penalty", "records": [make_penalty(gateway, uscc)]}
    first = await call_as_source(source, "/v1/records", body)
    assert "client" in first.headers["RateLimit"]
    assert refusal(await call_as_source(source, "/v1/records", body)) == (429, "rate_limited")


async def test_a_key_stands_for_one_delivery(gateway: GatewayFixture) -> None:
    """Another body is a conflict."""
    source, uscc = await make_department(gateway), gateway.uscc("clean")
    body = {"dataset": "penalty", "records": [make_penalty(gateway, uscc)]}
    headers = {"Idempotency-Key": "delivery-1"}
    assert (await call_as_source(source, "/v1/records", body, headers=headers)).status_code == 200
    again = await call_as_source(source, "/v1/records", body, headers=headers)
    assert again.json()["results"][0]["outcome"] == "unchanged"
    other = {"dataset": "penalty", "records": [make_penalty(gateway, uscc)]}
    assert refusal(await call_as_source(source, "/v1/records", other, headers=headers)) == (
        409, "idempotency_conflict",
    )  # fmt: skip


@pytest.mark.parametrize(
    "body",
    [
        b"", b"[]", b"null", b'{"dataset": "penalty"}', b'{"dataset": 1, "records": [{}]}',
        b'{"dataset": "penalty", "records": [1]}', b'{"dataset": "penalty", "records": {}}',
        b'{"dataset": "penalty", "records": [{}], "more": 1}', b"\xff\xfe{}",
        b'{"dataset": "penalty", "records": [' + b"[" * 100_000, b'{"dataset": "\\u0000", "records": [{}]}',
    ],
)  # fmt: skip
async def test_a_body_of_another_form_is_a_problem(gateway: GatewayFixture, body: bytes) -> None:
    """400, not 500."""
    source = await make_department(gateway)
    assert refusal(await call_as_source(source, "/v1/records", body)) == (400, "invalid_request")


ODD: tuple[Any, ...] = (
    1e308, -0.0, 10**30, True, None, "", "x" * 3000, [], [1], {}, {"a": {"b": [1]}}, "NaN", "1e5",
    "９９", "12.1234567", "\u202e", "'; DROP TABLE record; --", float("nan"), "\\.", "\\N", "a\tb\nc",
)  # fmt: skip


@pytest.mark.parametrize(
    "name", ["fine", "decided_on", "kinds", "facts", "uscc", "key", "source_time"]
)
async def test_no_value_is_a_fault(gateway: GatewayFixture, name: str) -> None:
    """Any value is accepted or rejected, without affecting the row beside it."""
    source, uscc = await make_department(gateway), gateway.uscc("clean")
    rows = [make_penalty(gateway, uscc) | {name: value} for value in ODD]
    body = json.dumps({"dataset": "penalty", "records": [*rows, make_penalty(gateway, uscc)]})
    response = await call_as_source(source, "/v1/records", body.encode())
    assert response.status_code == 200, response.text
    *odd, good = response.json()["results"]
    assert {each["outcome"] for each in odd} <= {"created", "rejected"}
    assert good["outcome"] == "created"


async def test_half_a_character_is_no_character(gateway: GatewayFixture) -> None:
    """Lone surrogates are refused."""
    source, uscc = await make_department(gateway), gateway.uscc("clean")
    rows = [make_penalty(gateway, uscc, facts="\ud800"), make_penalty(gateway, uscc)]
    body = json.dumps({"dataset": "penalty", "records": rows}).encode()
    response = await call_as_source(source, "/v1/records", body)
    assert response.status_code in {200, 400}
    if response.status_code == 200:
        assert [each["outcome"] for each in response.json()["results"]] == ["rejected", "created"]


async def test_the_description_names_the_endpoints(gateway: GatewayFixture) -> None:
    """With their request bodies."""
    document = (await gateway.http.get("/openapi.json")).json()
    for path, model in (("/v1/records", "RecordsIn"), ("/v1/records/actions", "ActionsIn")):
        content = document["paths"][path]["post"]["requestBody"]["content"]
        assert content["application/json"]["schema"]["$ref"].endswith(model)
    assert SCOPE == "records:write"


async def test_listings_whose_term_is_over_are_reported_to_their_source(
    gateway: GatewayFixture,
) -> None:
    """Until the source reports the removal; not a suspended one; other sources do not see them."""
    lists = frozenset({"serious_violation", "abnormal_listing", "untrustworthy_list"})
    source, other = [await make_department(gateway, datasets=lists) for _ in range(2)]
    uscc = gateway.uscc("clean")
    await deliver(
        source,
        "serious_violation",
        {"uscc": uscc, "decision_number": "严1", "added_on": "2020-02-01"},
        {"uscc": uscc, "decision_number": "严2", "added_on": "2026-02-01"},
    )
    await deliver(
        source,
        "abnormal_listing",
        {"uscc": uscc, "decision_number": "异1", "added_on": "2019-02-01"},
    )
    within_term = f"{gateway.clock().date() - timedelta(days=900)}"
    await deliver(
        source,
        "untrustworthy_list",
        {
            "uscc": uscc,
            "list_code": "统计",
            "decision_number": "统1",
            "added_on": f"{gateway.clock().date() - timedelta(days=300)}",
            "valid_to": f"{gateway.clock().date() - timedelta(days=100)}",
        },
    )
    suspended = {"uscc": uscc, "decision_number": "严3", "added_on": within_term}
    await deliver(source, "serious_violation", suspended)
    await act(
        source,
        make_act(suspended | {"document_number": "严3"}, "suspend", dataset="serious_violation"),
    )

    async def overdue(caller: Any) -> list[dict[str, Any]]:
        response = await call_as_source(caller, "/v1/records/overdue", b"", method="GET")
        assert response.status_code == 200, response.text
        records: list[dict[str, Any]] = response.json()["records"]
        return records

    first, second = await overdue(source)
    assert first == {
        "dataset": "serious_violation",
        "uscc": uscc,
        "key": "严1",
        "ended_on": "2023-02-01",
    }
    assert second["dataset"] == "untrustworthy_list", "its own last day is over before its term"
    assert await overdue(other) == []
    await deliver(
        source,
        "serious_violation",
        {
            "uscc": uscc,
            "decision_number": "严1",
            "added_on": "2020-02-01",
            "removed_on": "2023-02-02",
        },
    )
    assert await overdue(source) == [second]
