"""Record acts: repair, suspend, withdraw and correct, by the source only, on all channels at once."""

from typing import Any

import pytest

from tests.gateway_fixture import Caller, GatewayFixture
from tests.natural_key_vectors import read_vectors
from tests.records_builders import (
    act,
    call_as_source,
    deliver,
    forget,
    make_act,
    make_department,
    make_penalty,
    reasons,
)

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.usefixtures("forget_deliveries"),
]


PLATFORM = "merchant_onboarding"


async def on_the_page(gateway: GatewayFixture, subject: dict[str, Any], number: str) -> bool:
    """True if the subject's public page shows this penalty."""
    path = subject["code_url"].removeprefix(gateway.issuer)
    page = await gateway.http.get(path, headers={"Accept": "application/json"})
    assert page.status_code == 200, page.text
    return number in page.text


async def told_ids(bank: Caller, uscc: str) -> set[str]:
    """Ids of the penalties disclosed to a bank."""
    response = await bank.query(uscc, "penalty")
    assert response.status_code == 200, response.text
    return {each["record_id"] for each in response.json()["records"]}


@pytest.mark.parametrize("verb", ["repair", "suspend", "withdraw"])
async def test_an_ended_record_is_disclosed_on_no_channel(
    gateway: GatewayFixture, verb: str
) -> None:
    """Query, verification, page and repeated calls."""
    source, bank = await make_department(gateway), await gateway.client()
    platform, subject = await gateway.client("platform"), gateway.subject("clean")
    uscc = subject["uscc"]
    await gateway.grant(bank, uscc)
    penalty = make_penalty(gateway, uscc)
    (delivered,) = await deliver(source, "penalty", penalty)
    key = {"Idempotency-Key": "kept"}
    first = await bank.query(uscc, "penalty", headers=key)
    assert (await bank.query(uscc, "penalty", headers=key)).content == first.content
    asked = ("no_live_penalty.v1",)
    yes_or_no = await platform.verify(uscc, *asked, purpose=PLATFORM, headers=key)
    assert yes_or_no.json()["answers"][0]["answer"] == "no"
    assert await on_the_page(gateway, subject, penalty["document_number"])

    (result,) = await act(source, make_act(penalty, verb))
    assert (result["outcome"], result["version"]) == ("updated", 2)

    assert delivered["record_id"] not in await told_ids(bank, uscc)
    assert not await on_the_page(gateway, subject, penalty["document_number"])
    again = await bank.query(uscc, "penalty", headers=key)
    assert (again.status_code, again.json()["code"]) == (409, "idempotency_conflict")
    after = await platform.verify(uscc, *asked, purpose=PLATFORM, headers=key)
    assert after.json()["answers"][0]["answer"] == "yes"
    assert after.content != yes_or_no.content


async def test_recipients_get_a_notice(gateway: GatewayFixture) -> None:
    """In the same transaction, for repair, correction and update."""
    source, bank, uscc = (
        await make_department(gateway),
        await gateway.client(),
        gateway.uscc("clean"),
    )
    await gateway.grant(bank, uscc)
    penalty = make_penalty(gateway, uscc)
    (delivered,) = await deliver(source, "penalty", penalty)
    await told_ids(bank, uscc)
    await deliver(source, "penalty", penalty)  # unchanged: nothing to tell
    await deliver(source, "penalty", penalty | {"fine": "2"})
    await told_ids(bank, uscc)
    await act(source, make_act(penalty, "correct", fields={"fine": "3"}))
    await act(source, make_act(penalty, "repair"))
    await act(source, make_act(penalty, "withdraw"))
    notices = await gateway.rows(
        "SELECT kind, record_id, dataset, cardinality(disclosure_ids) AS told FROM tombstone"
        " WHERE client_id = :client AND record_id IS NOT NULL ORDER BY occurred_at",
        client=bank.client_id,
    )
    assert {(each["record_id"], each["dataset"]) for each in notices} == {
        (delivered["record_id"], "penalty")
    }
    assert [(each["kind"], each["told"]) for each in notices] == [
        ("record_corrected", 1),
        ("record_corrected", 1),
        ("record_repaired", 2),
        ("record_withdrawn", 2),
    ]


async def test_history_and_reason_are_kept(gateway: GatewayFixture) -> None:
    """Each version with actor, reason and date."""
    source, uscc = await make_department(gateway), gateway.uscc("clean")
    penalty = make_penalty(gateway, uscc)
    (delivered,) = await deliver(source, "penalty", penalty)
    await act(source, make_act(penalty, "correct", fields={"fine": "3"}, reason="金额更正"))
    await act(source, make_act(penalty, "repair", reason="电话13800138000同意修复"))
    kept = await gateway.rows(
        "SELECT version, change, reason, CAST(decided_on AS text) AS day, actor,"
        " row -> 'fields' ->> 'fine' AS fine FROM record_history"
        " WHERE record_id = :id ORDER BY version",
        id=delivered["record_id"],
    )
    assert [(k["version"], k["change"], k["fine"]) for k in kept] == [
        (1, "corrected", "12.000000"),
        (2, "repaired", "3.000000"),
    ]
    assert kept[0]["reason"] == "金额更正"
    assert "13800138000" not in kept[1]["reason"]
    assert {(k["actor"], k["day"]) for k in kept} == {(source.client_id, "2026-01-05")}


async def test_a_correction_is_judged_like_a_delivery(gateway: GatewayFixture) -> None:
    """Named fields only; invalid values, unknown fields and key fields are refused."""
    source, bank, uscc = (
        await make_department(gateway),
        await gateway.client(),
        gateway.uscc("clean"),
    )
    await gateway.grant(bank, uscc)
    penalty = make_penalty(gateway, uscc)
    (delivered,) = await deliver(source, "penalty", penalty)
    (done,) = await act(
        source, make_act(penalty, "correct", fields={"fine": "3", "authority": None})
    )
    assert (done["outcome"], done["version"]) == ("updated", 2)
    records = (await bank.query(uscc, "penalty")).json()["records"]
    (fields,) = (e["fields"] for e in records if e["record_id"] == delivered["record_id"])
    assert (fields["fine"], fields["facts"]) == ("3.000000", penalty["facts"])
    assert "authority" not in fields
    for wrong in (
        {"fine": "-x"}, {"colour": "red"}, {"document_number": "别的"}, {"uscc": gateway.uscc("abnormal")},
        {"source_time": "2020-01-01T00:00:00Z"}, {"key": "k"}, {"kinds": None}, {},
    ):  # fmt: skip
        (refused,) = await act(source, make_act(penalty, "correct", fields=wrong))
        assert refused["outcome"] == "rejected", wrong
        assert refused["problems"], wrong


async def test_a_repeated_act_changes_nothing(gateway: GatewayFixture) -> None:
    """Same version, no further notice."""
    source, uscc = await make_department(gateway), gateway.uscc("clean")
    penalty = make_penalty(gateway, uscc)
    await deliver(source, "penalty", penalty)
    for action in (
        make_act(penalty, "correct", fields={"fine": "3"}),
        make_act(penalty, "repair"),
        make_act(penalty, "withdraw"),
    ):
        (first,) = await act(source, action)
        (second,) = await act(source, action)
        assert first["outcome"] == "updated"
        if action["action"] == "correct":
            assert second["outcome"] == "unchanged"
        else:
            assert (second["outcome"], second["version"]) == ("unchanged", first["version"])


async def test_no_delivery_and_no_correction_brings_it_back(gateway: GatewayFixture) -> None:
    """Repaired or withdrawn records stay ended."""
    source, bank, uscc = (
        await make_department(gateway),
        await gateway.client(),
        gateway.uscc("clean"),
    )
    await gateway.grant(bank, uscc)
    repaired, withdrawn = make_penalty(gateway, uscc), make_penalty(gateway, uscc)
    before = await told_ids(bank, uscc)
    await deliver(source, "penalty", repaired, withdrawn)
    await act(source, make_act(repaired, "repair"), make_act(withdrawn, "withdraw"))
    again = await deliver(
        source, "penalty", repaired, withdrawn, repaired | {"fine": "1"}, withdrawn | {"fine": "1"}
    )
    assert {w for each in again for w in each["warnings"]} >= {"stays_repaired", "stays_withdrawn"}
    for each in (repaired, withdrawn):
        (refused,) = await act(source, make_act(each, "correct", fields={"fine": "2"}))
        assert reasons(refused) == [{"field": "key", "reason": "has been repaired or withdrawn"}]
    assert await told_ids(bank, uscc) == before


@pytest.mark.parametrize("spellings", read_vectors("key-spellings.tsv"), ids=lambda each: each[0])
async def test_no_other_way_of_typing_its_number_brings_it_back(
    gateway: GatewayFixture, spellings: list[str]
) -> None:
    """Dashes, brackets, width, case, zeros and invisible characters are normalised."""
    source, subject = await make_department(gateway), gateway.subject("clean")
    number, *others = spellings
    penalty = make_penalty(gateway, subject["uscc"], document_number=number)
    await deliver(source, "penalty", penalty)
    await act(source, make_act(penalty | {"document_number": others[-1]}, "repair"))
    for typed in others:  # row by row, and in a column
        (again,) = await deliver(source, "penalty", penalty | {"document_number": typed})
        assert (again["outcome"], again["warnings"]) == ("updated", ["stays_repaired"])
    many = [penalty | {"document_number": typed} for typed in 9 * others]
    taken = await deliver(source, "penalty", *many)
    assert {w for each in taken for w in each["warnings"]} == {
        "stays_repaired",
        "superseded_in_delivery",
    }
    page = await gateway.http.get(
        subject["code_url"].removeprefix(gateway.issuer), headers={"Accept": "application/json"}
    )
    assert not any(typed in page.text for typed in spellings)


async def test_numbers_that_a_clerk_tells_apart_are_records_of_their_own(
    gateway: GatewayFixture,
) -> None:
    """3-12 and 312 are different."""
    source, uscc = await make_department(gateway), gateway.uscc("clean")
    for numbers in read_vectors("keys-apart.tsv"):
        penalties = [make_penalty(gateway, uscc, document_number=number) for number in numbers]
        delivered = await deliver(source, "penalty", *penalties)
        assert {each["outcome"] for each in delivered} == {"created"}, numbers
        await forget(gateway)


async def test_a_correction_may_spell_the_number_anew_and_not_change_it(
    gateway: GatewayFixture,
) -> None:
    """Another spelling is accepted, another number refused."""
    source, uscc = await make_department(gateway), gateway.uscc("clean")
    penalty = make_penalty(gateway, uscc, document_number="杭测破〔2026〕3－12号")
    (delivered,) = await deliver(source, "penalty", penalty)
    typed = {"document_number": "杭测破〔2026〕3-12号"}
    (corrected,) = await act(source, make_act(penalty, "correct", fields=typed))
    assert (corrected["outcome"], corrected["record_id"]) == ("updated", delivered["record_id"])
    other = {"document_number": "杭测破〔2026〕312号"}
    (refused,) = await act(source, make_act(penalty, "correct", fields=other))
    assert refused["problems"][0]["field"] == "document_number"


async def test_many_in_one_call_each_with_its_verdict(gateway: GatewayFixture) -> None:
    """In order; duplicates, unknown and unrepairable records do not stop the others."""
    source, uscc = await make_department(gateway), gateway.uscc("clean")
    first, second = make_penalty(gateway, uscc), make_penalty(gateway, uscc)
    await deliver(source, "penalty", first, second)
    await deliver(source, "licence", {"uscc": uscc, "number": "许-1", "name": "许可"})
    licence = {**make_act(first, "repair"), "dataset": "licence", "key": "许-1"}
    results = await act(
        source,
        make_act(first, "repair"),
        make_act(first, "withdraw"),
        make_act(second | {"document_number": "没有"}, "repair"),
        licence,
        make_act(second, "correct", fields={"fine": "4"}),
        make_act(second, "repair", decided_on="2099-01-01"),
        licence | {"action": "withdraw"},
    )
    assert [each["outcome"] for each in results] == [
        "updated", "rejected", "rejected", "rejected", "updated", "rejected", "updated",
    ]  # fmt: skip
    assert [each["problems"][0]["reason"] for each in results if each["problems"]] == [
        "named before in this call",
        "no such record of this source",
        "only bad information is repaired",
        "in the future",
    ]


async def test_a_code_is_taken_however_it_was_typed(gateway: GatewayFixture) -> None:
    """Spaces, case and width, as in deliveries."""
    source, uscc = await make_department(gateway), gateway.uscc("clean")
    penalty = make_penalty(gateway, uscc)
    await deliver(source, "penalty", penalty)
    typed = f"{uscc[:2]} {uscc[2:].lower()}"
    (result,) = await act(source, make_act(penalty | {"uscc": typed}, "repair"))
    assert result["outcome"] == "updated"


async def test_a_single_act_needs_no_list(gateway: GatewayFixture) -> None:
    """Without the `records` list."""
    source, uscc = await make_department(gateway), gateway.uscc("clean")
    penalty = make_penalty(gateway, uscc)
    await deliver(source, "penalty", penalty)
    response = await call_as_source(source, "/v1/records/actions", make_act(penalty, "repair"))
    assert response.json()["results"][0]["outcome"] == "updated"


async def test_repair_and_withdrawal_do_not_need_the_dataset_in_the_agreement(
    gateway: GatewayFixture,
) -> None:
    """Repair and withdrawal stay possible under a narrower agreement, correction does not."""
    source, uscc = await make_department(gateway), gateway.uscc("clean")
    penalty = make_penalty(gateway, uscc)
    await deliver(source, "penalty", penalty)
    await gateway.rows(
        "UPDATE client SET state = 'active' WHERE client_id = :id", id=source.client_id
    )
    narrower = await make_department(gateway, datasets=frozenset({"licence"}))
    await gateway.rows(
        "UPDATE record SET source_id = :new WHERE source_id = :old",
        new=narrower.client_id, old=source.client_id,
    )  # fmt: skip
    correction = make_act(penalty, "correct", fields={"fine": "1"})
    refused = await call_as_source(narrower, "/v1/records/actions", correction)
    assert (refused.status_code, refused.json()["code"]) == (403, "not_in_agreement")
    assert (await act(narrower, make_act(penalty, "withdraw")))[0]["outcome"] == "updated"


@pytest.mark.parametrize(
    "changed",
    [
        {"reason": " "}, {"reason": "x" * 501}, {"decided_on": "2026-02-30"}, {"decided_on": "today"},
        {"action": "delete"}, {"fields": {"fine": "1"}}, {"action": "correct"}, {"uscc": 1},
        {"more": 1}, {"dataset": "gossip"}, {"key": ""},
    ],
)  # fmt: skip
async def test_an_act_of_another_form_is_a_problem(
    gateway: GatewayFixture, changed: dict[str, Any]
) -> None:
    """400, and nothing changes."""
    source, uscc = await make_department(gateway), gateway.uscc("clean")
    penalty = make_penalty(gateway, uscc)
    await deliver(source, "penalty", penalty)
    response = await call_as_source(
        source, "/v1/records/actions", make_act(penalty, "repair") | changed
    )
    assert response.status_code == 400
    assert (await act(source, make_act(penalty, "repair")))[0]["outcome"] == "updated"
