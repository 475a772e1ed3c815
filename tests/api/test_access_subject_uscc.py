"""USCC check characters: a wrong one is a warning on every channel; ID numbers are refused."""

from typing import Any, Final

import httpx2
import pytest

from tests.gateway_fixture import UNKNOWN, Caller, GatewayFixture, query_body, verification_body
from tests.records_builders import (
    deliver,
    forget,
    make_department,
    make_penalty,
    upload,
    wait_for_job,
)

pytestmark = pytest.mark.asyncio(loop_scope="session")

PERSONAL: Final = "933840198503150011"
"""Synthetic: a date and the check character of GB 11643, not that of GB 32100."""
BOTH: Final = "933840198503010828"
"""With the check characters of both standards."""
WRONG: Final = UNKNOWN[:-1] + "7"
WARNED: Final = ["check_character"]
CONSENT: Final[dict[str, Any]] = {"purpose": "loan_approval", "datasets": ["penalty"]}
PATHS: Final = ("/v1/verifications", "/v1/queries", "/v1/consents")


async def ask(caller: Caller, path: str, uscc: str, **changed: Any) -> httpx2.Response:
    """A call about this code."""
    body = {
        "/v1/verifications": verification_body(uscc, "is_active.v1"),
        "/v1/queries": query_body(uscc),
        "/v1/consents": {"enterprise": {"uscc": uscc}, **CONSENT},
    }[path]
    if path == "/v1/consents":
        return await caller.send(path, {**body, **changed}, scope="consents")
    return await caller.send(path, {**body, **changed})


async def test_a_wrong_check_character_is_a_warning_alike_for_known_and_unknown_codes(
    gateway: GatewayFixture,
) -> None:
    """Known or unknown code: the same members, length and warning."""
    bank, held = await gateway.client(), gateway.uscc("wrong_check_character")
    for path, status in (("/v1/verifications", 200), ("/v1/queries", 403)):
        known, unknown, right = [await ask(bank, path, each) for each in (held, WRONG, UNKNOWN)]
        assert [each.status_code for each in (known, unknown, right)] == [status] * 3
        assert known.json()["warnings"] == unknown.json()["warnings"] == WARNED
        assert known.json().keys() == unknown.json().keys() == {*right.json(), "warnings"}
    answers = (await ask(bank, "/v1/verifications", WRONG)).json()["answers"]
    assert [each["answer"] for each in answers] == ["not_determined"]


async def test_an_enterprise_with_such_a_code_is_verified_and_queried(
    gateway: GatewayFixture,
) -> None:
    """Disclosed with the warning beside it."""
    bank, held = await gateway.client(), gateway.uscc("wrong_check_character")
    await gateway.grant(bank, held)
    verified = (await ask(bank, "/v1/verifications", held)).json()
    assert verified["answers"][0]["answer"] == "yes"
    assert verified["warnings"] == WARNED
    told = await ask(bank, "/v1/queries", held)
    assert told.json()["records"]
    assert told.json()["warnings"] == WARNED
    assert "warnings" not in (await ask(bank, "/v1/verifications", gateway.uscc("clean"))).json()


async def test_every_problem_about_such_a_code_says_so(gateway: GatewayFixture) -> None:
    """Unknown purpose, missing agreement and limit errors carry the warning too."""
    bank = await gateway.client()
    for path in PATHS:
        refused = await ask(bank, path, WRONG, purpose="marketing")
        assert (refused.status_code, refused.json()["code"]) == (400, "unknown_purpose")
        assert refused.json()["warnings"] == WARNED
        assert "warnings" not in (await ask(bank, path, UNKNOWN, purpose="marketing")).json()
    assert (await ask(bank, "/v1/consents", WRONG)).status_code == 201


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("spelling", [PERSONAL, f" {PERSONAL[:6]} {PERSONAL[6:14]} 0011"])
async def test_a_permanent_residence_number_is_no_code_and_is_not_repeated(
    gateway: GatewayFixture, path: str, spelling: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """Neither in the answer nor in the log."""
    refused = await ask(await gateway.client(), path, spelling)
    assert (refused.status_code, refused.json()["code"]) == (400, "invalid_uscc")
    assert "warnings" not in refused.json()
    printed = capfd.readouterr()
    assert "19850315" not in refused.text + printed.out + printed.err


async def test_a_code_that_fits_both_check_characters_is_accepted(gateway: GatewayFixture) -> None:
    """Accepted without a warning."""
    bank = await gateway.client()
    answer = (await ask(bank, "/v1/verifications", BOTH)).json()
    assert answer["answers"][0]["answer"] == "not_determined"
    assert "warnings" not in answer


async def test_a_department_delivers_by_the_same_rule(gateway: GatewayFixture) -> None:
    """One record or a file: a wrong check character is a warning, a personal number is rejected."""
    source = await make_department(gateway)
    try:
        taken = [make_penalty(gateway, code) for code in (WRONG, BOTH, PERSONAL)]
        wrong, both, personal = await deliver(source, "penalty", *taken)
        assert (wrong["outcome"], wrong["warnings"]) == ("created", WARNED)
        assert (both["outcome"], both["warnings"]) == ("created", ["like_an_id_number"])
        assert (personal["outcome"], personal["problems"][0]["field"]) == ("rejected", "uscc")
        assert PERSONAL not in str(personal)
        content = "".join(f"{code},许1\n" for code in (WRONG, BOTH, PERSONAL))
        said = {"dataset": "licence", "filename": "licences.csv"}
        file = f"统一社会信用代码,许可决定文书号\n{content}".encode()
        job = await wait_for_job(source, await upload(source, file, **said))
        assert (job["created"], job["rejected"]) == (2, 1)
        assert job["warnings"] == {"check_character": 1, "like_an_id_number": 1}
    finally:
        await forget(gateway)
