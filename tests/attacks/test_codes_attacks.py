"""Attacks on enterprise codes over the API: guessed numbers, other authorities, replays, races, floods."""

import asyncio
import secrets
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from gateway.codes import service
from gateway.codes.ids import code_id_from
from tests.codes_builders import code_body, get, issue, make_authority, post, problem
from tests.gateway_fixture import Caller, GatewayFixture

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


async def test_a_guessed_number_tells_nothing(gateway: GatewayFixture, authority: Caller) -> None:
    """Another authority's code, one that was never issued and no number at all: one answer, nothing done."""
    theirs = gateway.entities[-2].enterprise.uscc
    async with make_authority(gateway, theirs) as other:
        held = (await issue(other, theirs))["code_id"]
        seen = set()
        for code_id in (held, code_id_from(secrets.token_bytes(16)), "short", "A" * 60):
            for answer in (
                await get(authority, f"/{code_id}"),
                await post(authority, f"/{code_id}/reissue", {}),
                await post(authority, f"/{code_id}/revoke", {}),
            ):
                seen.add((*problem(answer), answer.json()["detail"]))
        assert seen == {(404, "not_found", "There is nothing here.")}
        assert (await get(other, f"/{held}")).json()["state"] == "valid"


async def test_an_enterprise_that_was_given_up_is_out_of_reach(
    gateway: GatewayFixture, authority: Caller, uscc: str
) -> None:
    """When another authority registers it, the first one manages its codes no more."""
    made = await issue(authority, uscc)
    async with make_authority(gateway, uscc) as heir:
        assert problem(await get(authority, f"/{made['code_id']}")) == (404, "not_found")
        assert problem(await get(authority, f"?uscc={uscc}")) == (403, "not_available")
        revoked = await post(heir, f"/{made['code_id']}/revoke", {})
        assert revoked.json()["state"] == "revoked"


async def test_a_key_of_one_act_gives_nothing_in_another(authority: Caller, uscc: str) -> None:
    """The key of an issue, sent with a reissue, is refused; nothing was replaced."""
    made = (await post(authority, "", code_body(uscc), key="shared")).json()
    answer = await post(authority, f"/{made['code_id']}/reissue", {}, key="shared")
    assert problem(answer) == (409, "idempotency_conflict")
    assert (await get(authority, f"/{made['code_id']}")).json()["state"] == "valid"


async def test_many_calls_at_once_with_one_key_issue_one_code(authority: Caller, uscc: str) -> None:
    """Each gets the same one."""
    await authority.token("codes")
    answers = await asyncio.gather(
        *(post(authority, "", code_body(uscc), key="race") for _ in range(8))
    )
    assert {each.status_code for each in answers} == {201}
    assert len({each.json()["code_id"] for each in answers}) == 1
    assert len((await get(authority, f"?uscc={uscc}")).json()["codes"]) == 1


async def test_many_reissues_at_once_replace_a_code_once(authority: Caller, uscc: str) -> None:
    """The others are refused, and their codes were never issued."""
    made = await issue(authority, uscc)
    path = f"/{made['code_id']}/reissue"
    answers = await asyncio.gather(*(post(authority, path, {}) for _ in range(6)))
    assert sorted(each.status_code for each in answers) == [201, *[409] * 5]
    assert len((await get(authority, f"?uscc={uscc}")).json()["codes"]) == 2


async def test_a_flood_at_once_stays_within_the_bound(
    authority: Caller, uscc: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last free place is given once."""
    monkeypatch.setattr(service, "MOST_VALID", 3)
    await authority.token("codes")
    answers = await asyncio.gather(*(post(authority, "", code_body(uscc)) for _ in range(8)))
    assert sorted(each.status_code for each in answers) == [*[201] * 3, *[409] * 5]
    assert len((await get(authority, f"?uscc={uscc}")).json()["codes"]) == 3


async def test_the_answers_name_no_person(
    gateway: GatewayFixture, authority: Caller, uscc: str
) -> None:
    """A code that a person of the enterprise issued and an operator revoked: kinds of actors only."""
    made = await issue(authority, uscc)
    await gateway.rows(
        "UPDATE enterprise_code SET issued_by = 'idp:person-4711', revoked_at = now(),"
        " revoked_by = 'shell:fang' WHERE code_id = :c",
        c=made["code_id"],
    )
    answer = await get(authority, f"/{made['code_id']}")
    assert (answer.json()["issued_by"], answer.json()["revoked_by"]) == ("enterprise", "operator")
    assert "4711" not in answer.text
    assert "fang" not in answer.text
