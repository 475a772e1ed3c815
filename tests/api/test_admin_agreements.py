"""Agreements over the admin API: a wider one needs two operator credentials."""

import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest

from tests.client_builders import (
    FILING,
    get,
    make_agreement,
    make_operator,
    make_registration,
    post,
)
from tests.gateway_fixture import Caller, GatewayFixture

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def propose(client: Caller, client_id: str, **changes: Any) -> httpx2.Response:
    """Propose an agreement."""
    name = changes.pop("operator", None)
    body = {"agreement": make_agreement(**changes)} | ({"operator": name} if name else {})
    return await post(client, f"/agreements/{client_id}/proposals", body)


async def approve(client: Caller, proposal: dict[str, Any], **changes: Any) -> httpx2.Response:
    """Approve a proposal by its digest."""
    of, own = proposal["client_id"], proposal["proposal_id"]
    body = {"digest": proposal["digest"]} | changes
    return await post(client, f"/agreements/{of}/proposals/{own}/approve", body)


async def make_agreed_bank(
    gateway: GatewayFixture, one: Caller, other: Caller, **terms: Any
) -> Caller:
    """A bank with an agreement that two operators approved."""
    bank = await gateway.client()
    await post(one, f"/agreements/{bank.client_id}/end")
    proposal = (await propose(one, bank.client_id, **terms)).json()
    assert (await approve(other, proposal)).status_code == 200
    return bank


async def test_two_operators_make_an_agreement(gateway: GatewayFixture) -> None:
    """A new client may ask what the agreement covers, and nothing else."""
    one, other = await make_operator(gateway), await make_operator(gateway)
    bank = await make_agreed_bank(gateway, one, other)
    uscc = gateway.uscc("clean")
    assert (await bank.verify(uscc, "is_active.v1")).status_code == 200
    outside = await bank.verify(uscc, "not_abnormal.v1")
    assert outside.json()["code"] == "not_in_agreement"
    newest = (await get(one, f"/agreements/{bank.client_id}"))["versions"][0]
    assert newest["version"] == 2
    assert newest["signatures"]["client"]["name"] == "李强"


async def test_a_proposal_shows_what_it_widens_and_changes_nothing_yet(
    gateway: GatewayFixture,
) -> None:
    """The proposal shows its whole document and the widened parts; the agreement stays."""
    one, other = await make_operator(gateway), await make_operator(gateway)
    bank = await make_agreed_bank(gateway, one, other)
    answer = await propose(one, bank.client_id, datasets=["registration", "penalty", "licence"])
    assert answer.status_code == 201
    made = answer.json()
    assert made["widens"] == ["dataset licence"]
    assert made["agreement"]["datasets"] == ["licence", "penalty", "registration"]
    waiting = await get(other, f"/agreements/{bank.client_id}/proposals?status=open")
    assert waiting == {"proposals": [made]}
    assert len((await get(one, f"/agreements/{bank.client_id}"))["versions"]) == 2


async def test_one_credential_cannot_approve_its_own_proposal_under_another_name(
    gateway: GatewayFixture,
) -> None:
    """The approving credential must be another one, whatever operator name is given."""
    one, other = await make_operator(gateway), await make_operator(gateway)
    bank = await make_agreed_bank(gateway, one, other)
    made = (await propose(one, bank.client_id, purposes=["tender"], operator="fang")).json()
    for name in (None, "qiang", "fang"):
        refused = await approve(one, made, operator=name)
        assert (refused.status_code, refused.json()["code"]) == (403, "second_operator_needed")
    same_person = await approve(other, made, operator="Fang")
    assert same_person.json()["code"] == "second_operator_needed"
    assert (await approve(other, made, operator="qiang")).status_code == 200


async def test_a_narrower_version_holds_from_the_next_request(gateway: GatewayFixture) -> None:
    """One operator is enough."""
    one, other = await make_operator(gateway), await make_operator(gateway)
    bank = await make_agreed_bank(
        gateway, one, other, questions=["is_active.v1", "not_abnormal.v1"]
    )
    uscc = gateway.uscc("clean")
    assert (await bank.verify(uscc, "not_abnormal.v1")).status_code == 200
    answer = await propose(one, bank.client_id)
    assert (answer.status_code, answer.json()["status"]) == (200, "in_force")
    refused = await bank.verify(uscc, "not_abnormal.v1")
    assert refused.json()["code"] == "not_in_agreement"


async def test_an_ended_agreement_holds_nothing_from_the_next_request(
    gateway: GatewayFixture,
) -> None:
    """Whatever the token's lifetime."""
    one, other = await make_operator(gateway), await make_operator(gateway)
    bank = await make_agreed_bank(gateway, one, other)
    uscc = gateway.uscc("clean")
    assert (await bank.verify(uscc, "is_active.v1")).status_code == 200
    ended = await post(one, f"/agreements/{bank.client_id}/end")
    assert ended.json()["ended_at"] is not None
    refused = await bank.verify(uscc, "is_active.v1")
    assert (refused.status_code, refused.json()["code"]) == (403, "agreement_ended")


async def test_an_approval_names_the_digest_that_was_read(gateway: GatewayFixture) -> None:
    """Another digest, another client's path, a decided proposal: refused."""
    one, other = await make_operator(gateway), await make_operator(gateway)
    bank, elsewhere = await make_agreed_bank(gateway, one, other), await gateway.client()
    made = (await propose(one, bank.client_id, purposes=["tender"])).json()
    assert (await approve(other, made, digest="0" * 64)).status_code == 409
    assert (await approve(other, made, digest="short")).status_code == 400
    moved = await approve(other, made | {"client_id": elsewhere.client_id})
    assert moved.status_code == 404
    own = f"/agreements/{bank.client_id}/proposals/{made['proposal_id']}/reject"
    assert (await post(other, own)).json()["status"] == "rejected"
    assert (await post(other, own)).status_code == 409
    assert (await approve(other, made)).status_code == 409


@pytest.mark.parametrize(
    "changes",
    [
        {"purposes": ["marketing"]},
        {"datasets": ["secrets"]},
        {"questions": ["anything.v1"]},
        {"quotas": {"per_minute": 0}},
        {"quotas": {"per_second": 1}},
        {"valid_from": "2026-01-01T00:00:00"},
        {"valid_from": "2999-01-01T00:00:00+08:00"},
        {"signatures": None},
        {"signatures": {"operator": {"name": "a", "role": "b", "signed_on": "2026-01-05"}}},
        {"onward_supply": True},
    ],
    ids=str,
)
async def test_terms_that_cannot_be_agreed_are_a_400(
    gateway: GatewayFixture, changes: dict[str, Any]
) -> None:
    """400 with a sentence, and no proposal is made."""
    one, bank = await make_operator(gateway), await gateway.client()
    answer = await propose(one, bank.client_id, **changes)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request"), answer.text
    assert await get(one, f"/agreements/{bank.client_id}/proposals") == {"proposals": []}


async def test_a_new_operator_needs_two_operators_too(gateway: GatewayFixture) -> None:
    """An operator cannot approve through a second client that it registered alone."""
    one = await make_operator(gateway)
    registration = make_registration(kind="operator", scopes=["admin"])
    of = f"{one.client_id}-b"
    body = {"client_id": of, "registration": registration}
    assert (await post(one, "/clients", body)).status_code == 201
    nothing: dict[str, Any] = {"purposes": [], "datasets": [], "questions": []}
    made = await propose(one, of, **nothing)
    assert made.status_code == 201
    assert (await approve(one, made.json())).status_code == 403


async def test_an_agency_needs_its_licence_before_it_is_proposed(gateway: GatewayFixture) -> None:
    """R13, over HTTP."""
    one = await make_operator(gateway)
    registration = make_registration(kind="agency", filing=FILING)
    of = f"{one.client_id}-agency"
    body = {"client_id": of, "registration": registration}
    assert (await post(one, "/clients", body)).status_code == 201
    personal = ["legal_representative_id.v1"]
    refused = await propose(one, of, questions=personal)
    assert refused.status_code == 400
    assert "licence" in refused.json()["detail"]


async def test_a_longer_retention_is_a_widening(gateway: GatewayFixture) -> None:
    """By a day; a shorter one is not. It is shown, and 0 where an agreement says nothing."""
    one, other = await make_operator(gateway), await make_operator(gateway)
    bank = await make_agreed_bank(gateway, one, other)
    longer = await propose(one, bank.client_id, retention_days=30)
    assert longer.status_code == 201
    assert longer.json()["widens"] == ["a longer retention, from 0 to 30 days"]
    assert (await approve(other, longer.json())).status_code == 200
    versions = (await get(one, f"/agreements/{bank.client_id}"))["versions"]
    assert [each["retention_days"] for each in versions[:2]] == [30, 0]
    assert versions[0]["digest"] == longer.json()["digest"]
    assert (await propose(one, bank.client_id, retention_days=29)).status_code == 200
    for days in (-1, 3_661, "30"):
        assert (await propose(one, bank.client_id, retention_days=days)).status_code == 400


async def test_a_longer_term_is_a_widening(gateway: GatewayFixture) -> None:
    """One second longer is enough."""
    one, other = await make_operator(gateway), await make_operator(gateway)
    until = datetime.now(UTC).replace(microsecond=0) + timedelta(days=30)
    bank = await make_agreed_bank(gateway, one, other, valid_until=until.isoformat())
    longer = await propose(
        one, bank.client_id, valid_until=(until + timedelta(seconds=1)).isoformat()
    )
    assert longer.status_code == 201
    shorter = await propose(one, bank.client_id, valid_until=until.isoformat(), datasets=[])
    assert shorter.status_code == 200


@pytest.mark.parametrize("path", ["nobody", "a%20b"])
async def test_an_agreement_of_an_unknown_client_is_a_404(
    gateway: GatewayFixture, path: str
) -> None:
    """404 to read, to propose and to end."""
    one = await make_operator(gateway)
    read = await one.send(f"/v1/admin/agreements/{path}", b"", method="GET", scope="admin")
    assert read.status_code == 404
    assert (await propose(one, path)).status_code == 404
    assert (await post(one, f"/agreements/{path}/end")).status_code == 404


async def test_a_widening_has_one_leaf_that_an_auditor_recomputes(
    gateway: GatewayFixture,
) -> None:
    """The auditor recomputes the leaf from the act and its salt."""
    one, other = await make_operator(gateway), await make_operator(gateway)
    bank = await gateway.client()
    proposal = (await propose(one, bank.client_id, purposes=["tender", "loan_approval"])).json()
    assert (await approve(other, proposal)).status_code == 200
    acts = (await get(one, f"/acts?client_id={bank.client_id}"))["acts"]
    [act] = [each for each in acts if each["what"] == "agreement.approve"]
    assert (act["subject"], act["after"]) == (proposal["proposal_id"], proposal["digest"])
    leaves = await gateway.rows(
        """SELECT leaf_hash FROM pending_leaf WHERE disclosure_id = :act
           UNION ALL SELECT leaf_hash FROM log_entry WHERE disclosure_id = :act""",
        act=act["act_id"],
    )
    row = {name: each for name, each in act.items() if name not in {"salt", "leaf_hash"}}
    row["at"] = datetime.fromisoformat(row["at"]).astimezone(UTC).isoformat()
    text = json.dumps(row, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    leaf = hashlib.sha256(bytes.fromhex(act["salt"]) + text).digest()
    assert [each["leaf_hash"] for each in leaves] == [leaf]
