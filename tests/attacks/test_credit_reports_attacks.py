"""Attacks on own credit reports: races with taking back, floods, forged uploads and forms."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest_asyncio
from sqlalchemy import text

from gateway.credit_reports import files, model
from gateway.credit_reports.ids import report_id_of
from gateway.identity import sessions
from tests.credit_report_builders import make_own_report, post_report, take_back
from tests.creditfile_builders import make_record
from tests.portal_fixture import PortalFixture, hidden_fields, open_portal


@pytest_asyncio.fixture
async def portal(migrated_url: str, tmp_path: Path) -> AsyncIterator[PortalFixture]:
    """A running portal whose firm has a penalty."""
    async with open_portal(migrated_url, tmp_path) as made:
        await made.add_records(replace(make_record("penalty"), uscc=made.firm))
        yield made


async def written(portal: PortalFixture) -> int:
    """The openings that are written down."""
    async with portal.engine.connect() as connection:
        found = await connection.execute(
            text("SELECT count(*) FROM disclosure WHERE kind = 'report' AND uscc = :uscc"),
            {"uscc": portal.firm},
        )
        return int(found.scalar_one())


async def test_every_opening_that_left_is_written_down_while_it_is_taken_back(
    portal: PortalFixture,
) -> None:
    """Openings at the same time as the taking back: as many rows as pages with contents, none after."""
    owner, browser = await portal.signed_in(), portal.browser()
    number = await make_own_report(portal, owner)
    answers = await asyncio.gather(
        *(browser.get(f"/R/{number}") for _ in range(5)),
        take_back(owner, number),
        *(browser.get(f"/R/{number}") for _ in range(5)),
    )
    pages = [each for each in answers if each.status_code in {200, 410}]
    assert len(pages) == 10
    assert await written(portal) == sum("罚款" in each.text for each in pages)
    assert (await browser.get(f"/R/{number}")).status_code == 410


async def test_a_pdf_that_waited_while_its_report_was_taken_back_does_not_leave(
    portal: PortalFixture,
) -> None:
    """It is written down when it leaves, not when it begins to wait; a crowd waits in no endless queue."""
    owner, browser = await portal.signed_in(), portal.browser()
    number = await make_own_report(portal, owner)
    async with files.pdf_slots, files.pdf_slots:
        waiting = [
            asyncio.create_task(browser.get(f"/R/{number}/report.pdf"))
            for _ in range(files.MOST_DRAWINGS)
        ]
        while not files.places.locked():  # noqa: ASYNC110  # nothing says that a call waits
            await asyncio.sleep(0.01)
        assert (await browser.get(f"/R/{number}/report.pdf")).status_code == 503
        await take_back(owner, number)
    answers = await asyncio.gather(*waiting)
    assert {each.status_code for each in answers} == {410}
    assert await written(portal) == 0


async def test_an_opening_while_its_record_is_repaired_tells_nothing_more(
    portal: PortalFixture,
) -> None:
    """Whatever the order, no page with contents follows the repair."""
    browser = portal.browser()
    number = await make_own_report(portal, await portal.signed_in())

    async def repair() -> None:
        async with portal.engine.begin() as connection:
            await connection.execute(
                text(
                    "UPDATE record SET version = version + 1, repaired_at = :now WHERE uscc = :uscc"
                ),
                {"now": portal.clock(), "uscc": portal.firm},
            )

    await asyncio.gather(repair(), *(browser.get(f"/R/{number}") for _ in range(4)))
    assert (await browser.get(f"/R/{number}")).status_code == 410


async def test_one_network_cannot_fill_the_history_of_openings(portal: PortalFixture) -> None:
    """After some it is asked to wait, and nothing more is written."""
    browser = portal.browser()
    number = await make_own_report(portal, await portal.signed_in())
    opened = 0
    while (answer := await browser.get(f"/R/{number}")).status_code == 200:
        opened += 1
        assert opened < 1_000
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) > 0
    assert await written(portal) == opened


async def test_what_is_uploaded_is_bounded_and_never_shown(portal: PortalFixture) -> None:
    """No file, two files, an empty body, a huge one, a name with markup."""
    browser = portal.browser()
    number = await make_own_report(portal, await portal.signed_in())
    address = f"/R/{number}/check"
    two = [("file", ("a.json", b"{}")), ("file", ("b.json", b"{}"))]
    huge = {"file": ("a.pdf", b"%PDF" + bytes(9 * 1024 * 1024))}
    for answer in (
        await browser.post(address, data={"file": "text"}),
        await browser.post(address, files=two),
        await browser.post(address, content=b"", headers={"Content-Type": "multipart/form-data"}),
        await browser.post(address, files=huge),
    ):
        assert answer.status_code == 200
        assert "没有收到文件" in answer.text
        assert "罚款" not in answer.text
    named = await browser.post(address, files={"file": ("<script>x</script>.json", b"{}")})
    assert "不一致" in named.text
    assert "<script" not in named.text
    unknown = await browser.post(f"/R/{'A' * 26}/check", files={"file": ("a.json", b"{}")})
    assert unknown.status_code == 404
    assert await written(portal) == 0


async def test_a_form_from_elsewhere_makes_and_takes_back_nothing(portal: PortalFixture) -> None:
    """Without its token, with that of another action, and from another site."""
    owner = await portal.signed_in()
    number = await make_own_report(portal, owner)
    address = f"/portal/reports/{report_id_of(number)}/take-back"
    cookie = owner.cookies[sessions.cookie_name(portal.runtime.settings)]
    other = sessions.csrf_token(portal.runtime.digests, cookie, f"report {portal.firm}")
    own = hidden_fields((await owner.get(address)).text, address)
    for form, headers in (
        ({}, {}),
        ({"csrf": other}, {}),
        (own, {"Sec-Fetch-Site": "cross-site"}),
    ):
        assert (await owner.post(address, data=form, headers=headers)).status_code == 403
    new = f"/portal/enterprises/{portal.firm}/reports/new"
    assert (await owner.post(new, data={"step": "make"})).status_code == 403
    assert (await portal.browser().get(f"/R/{number}")).status_code == 200


async def test_a_choice_beyond_what_is_offered_is_refused(portal: PortalFixture) -> None:
    """More than five years, the future, a term of a year, and datasets that reach nobody."""
    owner = await portal.signed_in()
    choices: tuple[dict[str, Any], ...] = (
        {"from": "2021-11-21"},
        {"to": "2026-11-23"},
        {"from": "2026-11-22", "to": "2026-11-21"},
        {"days": "365"},
        {"dataset": ["supervision"]},
        {"dataset": []},
        {"from": "x"},
    )
    for changed in choices:
        assert (await post_report(portal, owner, **changed)).status_code == 422, changed


async def test_living_reports_are_bounded(portal: PortalFixture) -> None:
    """Twenty a day; the next says so, and makes none."""
    owner = await portal.signed_in()
    for _ in range(model.MOST_A_DAY):
        await make_own_report(portal, owner, dataset=["penalty"])
    refused = await post_report(portal, owner, dataset=["penalty"])
    assert refused.status_code == 422
    assert "请明天再试" in refused.text


async def test_a_new_representative_finds_the_reports_and_takes_them_back(
    portal: PortalFixture,
) -> None:
    """They belong to the enterprise, whoever made them."""
    number = await make_own_report(portal, await portal.signed_in())
    successor = await portal.signed_in("li")
    listed = await successor.get(f"/portal/enterprises/{portal.firm}/reports")
    assert report_id_of(number) in listed.text
    assert (await take_back(successor, number)).status_code == 303
    assert (await portal.browser().get(f"/R/{number}")).status_code == 410
