"""`/v1/enterprise-codes`: issue, list, reissue, revocation by the authority that registered an enterprise."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio

from gateway.codes import service
from tests.codes_builders import (
    CODES,
    SCOPE,
    code_body,
    get,
    issue,
    make_authority,
    post,
    problem,
)
from tests.gateway_fixture import UNKNOWN, Caller, GatewayFixture

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.fixture(scope="module")
def uscc(gateway: GatewayFixture) -> str:
    """An enterprise of the authority."""
    return gateway.entities[-1].enterprise.uscc


@pytest_asyncio.fixture(loop_scope="session")
async def authority(gateway: GatewayFixture, uscc: str) -> AsyncIterator[Caller]:
    """A source that has registered this enterprise."""
    async with make_authority(gateway, uscc) as made:
        yield made


async def page(gateway: GatewayFixture, code_id: str) -> int:
    """Status of the public page."""
    return (await gateway.http.get(f"/E/{code_id}")).status_code


async def test_a_code_is_issued_and_leads_to_its_page(
    gateway: GatewayFixture, authority: Caller, uscc: str
) -> None:
    """With what is printed, the registration of the day, and who issued it."""
    made = await issue(authority, uscc)
    name = gateway.entities[-1].enterprise.name
    assert made["address"].partition("/E/")[2] == made["code_id"]
    assert (made["sign_name"], made["label"], made["state"]) == ("云栖小店", "南门", "valid")
    assert made["printed"]["name"] == name
    assert (made["issued_by"], made["out_of_date"]) == ("authority", [])
    assert await page(gateway, made["code_id"]) == 200
    assert (await get(authority, f"/{made['code_id']}")).json() == made
    (row,) = await gateway.rows(
        "SELECT issued_by FROM enterprise_code WHERE code_id = :c", c=made["code_id"]
    )
    assert row["issued_by"] == f"client:{authority.client_id}"


async def test_a_repeated_key_issues_once(authority: Caller, uscc: str) -> None:
    """The same code again; with another content, and after a day, it is refused."""
    body, key = code_body(uscc), "shop-17"
    first = await post(authority, "", body, key=key)
    again = await post(authority, "", body, key=key)
    assert first.status_code == again.status_code == 201
    assert first.json() == again.json()
    other = await post(authority, "", code_body(uscc, label="北门"), key=key)
    assert problem(other) == (409, "idempotency_conflict")
    with authority.gateway.clock.later(hours=24, minutes=1):
        late = await post(authority, "", body, key=key)
    assert problem(late) == (409, "idempotency_conflict")
    assert len((await get(authority, f"?uscc={uscc}")).json()["codes"]) == 1


async def test_keys_of_two_clients_stand_for_two_codes(
    gateway: GatewayFixture, authority: Caller, uscc: str
) -> None:
    """Another client's key and body give nothing of the first one's."""
    mine = await post(authority, "", code_body(uscc), key="one")
    async with make_authority(gateway, uscc) as other:
        theirs = await post(other, "", code_body(uscc), key="one")
    assert mine.json()["code_id"] != theirs.json()["code_id"]


async def test_codes_are_listed_by_enterprise_a_page_at_a_time(
    authority: Caller, uscc: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By id; the last page has no cursor."""
    made = sorted([(await issue(authority, uscc))["code_id"] for _ in range(3)])
    monkeypatch.setattr("gateway.codes.api.routes.PAGE", 2)
    first = (await get(authority, f"?uscc={uscc}")).json()
    last = (await get(authority, f"?uscc={uscc}&after={first['after']}")).json()
    assert [each["code_id"] for each in first["codes"] + last["codes"]] == made
    assert (first["after"], last["after"]) == (made[1], None)


async def test_a_reissued_code_replaces_the_old_one(
    gateway: GatewayFixture, authority: Caller, uscc: str
) -> None:
    """After a change of name: the old one is out of date, then replaced, and never leads to the new one."""
    old = await issue(authority, uscc, label="南门")
    await gateway.rows("UPDATE enterprise SET name = '新名有限公司' WHERE uscc = :u", u=uscc)
    assert (await get(authority, f"/{old['code_id']}")).json()["out_of_date"] == ["name"]
    path = f"/{old['code_id']}/reissue"
    answer = await post(authority, path, {"sign_name": "新店"}, key="r1")
    new = answer.json()
    assert (new["sign_name"], new["label"], new["out_of_date"]) == ("新店", "南门", [])
    assert new["printed"]["name"] == "新名有限公司"
    replaced = (await get(authority, f"/{old['code_id']}")).json()
    assert (replaced["state"], replaced["replaced_by"]) == ("replaced", new["code_id"])
    assert (await post(authority, path, {"sign_name": "新店"}, key="r1")).json() == new
    assert problem(await post(authority, path, {}, key="r2")) == (409, "conflict")
    gone = await gateway.http.get(f"/E/{old['code_id']}")
    assert gone.status_code == 410
    assert new["code_id"] not in gone.text
    assert await page(gateway, new["code_id"]) == 200


async def test_a_code_is_revoked_once(
    gateway: GatewayFixture, authority: Caller, uscc: str
) -> None:
    """From the next scan on; a second revocation changes nothing."""
    made = await issue(authority, uscc)
    path = f"/{made['code_id']}/revoke"
    first, again = await post(authority, path, b""), await post(authority, path, {})
    assert first.json() == again.json()
    assert (first.json()["state"], first.json()["revoked_by"]) == ("revoked", "authority")
    assert await page(gateway, made["code_id"]) == 410
    assert problem(await post(authority, f"/{made['code_id']}/reissue", {})) == (409, "conflict")


async def test_an_expired_code_may_be_reissued(
    gateway: GatewayFixture, authority: Caller, uscc: str
) -> None:
    """Without a term, unless a new one is given."""
    until = gateway.clock() + timedelta(hours=1)
    made = await issue(authority, uscc, expires_at=until.isoformat())
    with gateway.clock.later(hours=2):
        assert (await get(authority, f"/{made['code_id']}")).json()["state"] == "expired"
        new = (await post(authority, f"/{made['code_id']}/reissue", {})).json()
        assert (new["state"], new["expires_at"]) == ("valid", None)


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"sign_name": ""}, "invalid_request"),
        ({"sign_name": "·"}, "invalid_request"),
        ({"sign_name": "店" * 41}, "invalid_request"),
        ({"sign_name": "店\u202e铺"}, "invalid_request"),
        ({"sign_name": "张记面馆13800138000"}, "invalid_request"),
        ({"label": "门" * 21}, "invalid_request"),
        ({"expires_at": "2020-01-01T00:00:00+08:00"}, "invalid_request"),
        ({"expires_at": "2099-01-01T00:00:00+08:00"}, "invalid_request"),
        ({"colour": "red"}, "invalid_request"),
        ({"enterprise": {"uscc": "330106199001011234"}}, "invalid_uscc"),
    ],
)
async def test_a_malformed_request_issues_nothing(
    authority: Caller, uscc: str, changed: dict[str, Any], code: str
) -> None:
    """400, with what is to be mended and not what was sent."""
    answer = await post(authority, "", code_body(uscc, **changed))
    assert problem(answer) == (400, code)
    assert "13800138000" not in answer.text
    assert (await get(authority, f"?uscc={uscc}")).json()["codes"] == []


@pytest.mark.parametrize("path", ["", "?uscc=x", "?uscc={uscc}&after=../x", "?uscc={uscc}&all=1"])
async def test_a_malformed_list_is_refused(authority: Caller, uscc: str, path: str) -> None:
    """The enterprise must be named."""
    answer = await get(authority, path.format(uscc=uscc))
    assert answer.status_code == 400


async def test_an_enterprise_that_is_out_of_business_gets_no_code(
    gateway: GatewayFixture, authority: Caller, uscc: str
) -> None:
    """Neither a new one nor one in the place of another."""
    made = await issue(authority, uscc)
    await gateway.rows("UPDATE enterprise SET status = 'deregistered' WHERE uscc = :u", u=uscc)
    assert problem(await post(authority, "", code_body(uscc))) == (409, "conflict")
    path = f"/{made['code_id']}/reissue"
    assert problem(await post(authority, path, {})) == (409, "conflict")
    assert (await get(authority, f"/{made['code_id']}")).json()["state"] == "valid"


async def test_valid_codes_are_bounded(
    authority: Caller, uscc: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also those that are revoked at once, by the day; a reissue takes no place of its own."""
    monkeypatch.setattr(service, "MOST_VALID", 2)
    monkeypatch.setattr(service, "MOST_A_DAY", 4)
    first, second = await issue(authority, uscc), await issue(authority, uscc)
    assert problem(await post(authority, "", code_body(uscc))) == (409, "conflict")
    assert (await post(authority, f"/{first['code_id']}/reissue", {})).status_code == 201
    await post(authority, f"/{second['code_id']}/revoke", {})
    await issue(authority, uscc)
    await post(authority, f"/{second['code_id']}/revoke", {})
    listed = (await get(authority, f"?uscc={uscc}")).json()["codes"]
    valid = [each["code_id"] for each in listed if each["state"] == "valid"]
    await post(authority, f"/{valid[0]}/revoke", {})
    assert problem(await post(authority, "", code_body(uscc))) == (409, "conflict")


async def test_an_enterprise_of_another_authority_looks_unknown(
    gateway: GatewayFixture, authority: Caller
) -> None:
    """The same answer for both, in every call."""
    other = gateway.entities[-2].enterprise.uscc
    seen = set()
    for uscc in (other, UNKNOWN):
        issued = await post(authority, "", code_body(uscc))
        listed = await get(authority, f"?uscc={uscc}")
        seen.add((*problem(issued), issued.json()["detail"], *problem(listed)))
    assert seen == {
        (403, "not_available", "You have registered no such enterprise.", 403, "not_available")
    }


async def test_only_a_source_that_delivers_registrations_manages_codes(
    gateway: GatewayFixture, uscc: str
) -> None:
    """Neither a bank with the scope nor a source of other datasets."""
    bank = await gateway.client("bank")
    assert problem(await post(bank, "", code_body(uscc))) == (403, "not_in_agreement")
    licences = frozenset({"licence"})
    async with make_authority(gateway, uscc, datasets=licences) as narrow:
        for answer in (
            await post(narrow, "", code_body(uscc)),
            await get(narrow, f"?uscc={uscc}"),
            await get(narrow, f"/{'A' * 26}"),
            await post(narrow, f"/{'A' * 26}/revoke", {}),
            await post(narrow, f"/{'A' * 26}/reissue", {}),
        ):
            assert problem(answer) == (403, "not_in_agreement")


async def test_a_token_without_the_scope_is_refused(authority: Caller, uscc: str) -> None:
    """Before the body is read, in every operation."""
    for method, path in (
        ("POST", ""),
        ("GET", f"?uscc={uscc}"),
        ("GET", f"/{'A' * 26}"),
        ("POST", f"/{'A' * 26}/reissue"),
        ("POST", f"/{'A' * 26}/revoke"),
    ):
        answer = await authority.send(CODES + path, b"{", method=method, scope="records:write")
        assert problem(answer) == (403, "insufficient_scope")


async def test_a_suspended_client_and_an_ended_agreement_are_refused(
    gateway: GatewayFixture, authority: Caller, uscc: str
) -> None:
    """From the next call on."""
    async with make_authority(gateway, uscc) as brief:
        await brief.token(SCOPE)
        await gateway.rows(
            "UPDATE agreement SET ended_at = :now WHERE client_id = :c",
            now=gateway.clock(),
            c=brief.client_id,
        )
        assert problem(await post(brief, "", code_body(uscc))) == (403, "agreement_ended")
    await authority.token(SCOPE)
    await gateway.rows(
        "UPDATE client SET state = 'suspended' WHERE client_id = :c", c=authority.client_id
    )
    answer = await post(authority, "", code_body(uscc))
    assert problem(answer) == (403, "client_suspended")


async def test_the_enterprise_is_told_of_what_its_authority_does(
    gateway: GatewayFixture, authority: Caller, uscc: str
) -> None:
    """At once of a revocation, with the next digest of an issue; a repeated call tells nothing more."""
    await gateway.rows(
        "INSERT INTO notice_place (uscc, place_id, channel, link_digest, added_by,"
        " added_token_digest, added_at, confirmed_at)"
        " VALUES (:u, 'p', 'email', '', '', '', now(), now())",
        u=uscc,
    )
    made = (await post(authority, "", code_body(uscc), key="told")).json()
    again = await post(authority, "", code_body(uscc), key="told")
    assert again.json() == made
    for _ in range(2):
        await post(authority, f"/{made['code_id']}/revoke", {})
    told = await gateway.rows("SELECT kind, at = due_at AS now FROM notice WHERE uscc = :u", u=uscc)
    await gateway.rows("DELETE FROM notice_place WHERE uscc = :u", u=uscc)
    assert sorted((each["kind"], each["now"]) for each in told) == [
        ("code_issued", False),
        ("code_revoked", True),
    ]
