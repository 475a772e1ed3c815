"""Attacks on the form that reports a code: forged and replayed tokens, foreign sites, broken bodies."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import pytest
import pytest_asyncio

from gateway.codes.reports import store
from gateway.codes.reports.form_token import TERM
from gateway.db.unavailable import UnavailableError
from tests.code_reports_builders import FORM, fields_for, held, report, rows
from tests.portal_fixture import PortalFixture, hidden_fields, open_portal

FOREIGN: Final[tuple[dict[str, str], ...]] = (
    {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"},
    {"Sec-Fetch-Site": "same-site"},
    {"Origin": "https://evil.example"},
)


@pytest_asyncio.fixture
async def portal(migrated_url: str, tmp_path: Path) -> AsyncIterator[PortalFixture]:
    """A running gateway behind a trusted proxy, without earlier reports."""
    async with open_portal(migrated_url, tmp_path, trusted_proxies="127.0.0.1") as made:
        await rows(made, "TRUNCATE code_report_case, code_report")
        yield made


async def test_no_token_of_another_code_or_time_is_taken(portal: PortalFixture) -> None:
    """Missing, made up, changed, of another code, out of term: 403 and nothing written."""
    one, two = await portal.add_code(portal.firm), await portal.add_code(portal.shop)
    browser = portal.browser()
    fields = await fields_for(browser, one.code_id)
    expires, nonce, mac = fields["token"].split(".")
    for token in (
        "",
        "x",
        f"{expires}.{nonce}.{'0' * 64}",
        f"{int(expires) + 9}.{nonce}.{mac}",
        f"{expires}.{'0' * 24}.{mac}",
        fields["token"] + "\n",
        "9" * 30_000,
    ):
        answer = await browser.post(FORM, data=fields | {"token": token})
        assert answer.status_code == 403, token
    for code in (two.code_id, "A" * 26, "", f"{one.code_id}x"):
        assert (await browser.post(FORM, data=fields | {"code": code})).status_code == 403, code
    twice = "&".join(f"token={fields['token']}&code={one.code_id}&ground=other" for _ in range(2))
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    assert (await browser.post(FORM, content=twice, headers=headers)).status_code == 403
    portal.clock.advance(TERM + TERM)
    assert (await browser.post(FORM, data=fields)).status_code == 403
    assert await held(portal) == (0, 0)


async def test_a_replayed_token_makes_no_second_report(portal: PortalFixture) -> None:
    """With other content too, and after the case was decided."""
    code = await portal.add_code(portal.firm)
    browser = portal.browser()
    fields = await fields_for(browser, code.code_id)
    for text_ in ("first", "second"):
        assert (await browser.post(FORM, data=fields | {"text": text_})).status_code == 303
    await rows(portal, "UPDATE code_report_case SET status = 'dismissed', decided_at = now()")
    assert (await browser.post(FORM, data=fields)).status_code == 303
    assert await held(portal) == (1, 1)
    assert await rows(portal, "SELECT text FROM code_report") == [{"text": "first"}]


async def test_a_replayed_token_counts_no_second_time_though_nothing_was_kept(
    portal: PortalFixture,
) -> None:
    """Of a network whose two reports are kept; from another network too."""
    code = await portal.add_code(portal.firm)
    for _ in range(2):
        await report(portal, code.code_id)
    fields = await fields_for(portal.browser(), code.code_id)
    for address in ("10.0.1.1", "10.0.1.1", "10.0.2.1"):
        browser = portal.browser(**{"X-Forwarded-For": address})
        assert (await browser.post(FORM, data=fields)).status_code == 303
    assert await held(portal) == (3, 2)


async def test_a_report_that_could_not_be_written_can_be_sent_again(
    portal: PortalFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The form comes back whole with a fresh token, as the first one is spent."""
    code = await portal.add_code(portal.firm)

    async def fail(*_: object, **__: object) -> None:
        raise UnavailableError

    with monkeypatch.context() as broken:
        broken.setattr(store, "write_report", fail)
        answer = await report(portal, code.code_id, text="解放路")
    assert answer.status_code == 503
    assert "解放路" in answer.text
    fresh = hidden_fields(answer.text) | {"ground": "other", "text": "解放路"}
    assert (await portal.browser().post(FORM, data=fresh)).status_code == 303
    assert await held(portal) == (1, 1)


async def test_no_other_site_posts_a_report(portal: PortalFixture) -> None:
    """Even with a valid token, which anybody can fetch."""
    code = await portal.add_code(portal.firm)
    browser = portal.browser()
    for headers in FOREIGN:
        fields = await fields_for(browser, code.code_id)
        answer = await browser.post(FORM, data=fields, headers=headers)
        assert answer.status_code == 403, headers
    assert await held(portal) == (0, 0)


async def test_a_huge_or_broken_body_is_refused(portal: PortalFixture) -> None:
    """By its length, as another type, encoded, with many fields or bytes that are no text."""
    code = await portal.add_code(portal.firm)
    browser = portal.browser()
    fields = await fields_for(browser, code.code_id)
    assert (await browser.post(FORM, data=fields | {"text": "x" * 40_000})).status_code == 413
    assert (await browser.post(FORM, json=fields)).status_code == 403
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    for body, headers in (
        (b"&".join(b"a=1" for _ in range(500)), form),
        (b"\xff\xfe=\xff", form),
        (b"token=1", form | {"Content-Encoding": "gzip"}),
    ):
        assert (await browser.post(FORM, content=body, headers=headers)).status_code == 403
    assert (await browser.get(FORM, params={"code": "x" * 5_000})).status_code == 200
    assert await held(portal) == (0, 0)
