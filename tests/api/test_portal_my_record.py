"""The enterprise's own credit file: live records, ended ones apart, and why each is not disclosed."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pytest
import pytest_asyncio

from tests.creditfile_builders import make_record
from tests.portal_fixture import NOON, PortalFixture, open_portal

LIVE: Final = "浙市监罚〔2026〕1号"
OVER: Final[dict[str, tuple[dict[str, Any], str, bool]]] = {
    "浙市监罚〔2026〕2号": (
        {"publicity_ends_on": "2026-05-01", "decided_on": "2026-02-01"},
        "公示期至2026-05-01，已届满",
        True,
    ),
    "浙市监罚〔2026〕3号": (
        {"repaired_at": NOON - timedelta(days=2)},
        "已于2026-11-20信用修复",
        False,
    ),
    "浙市监罚〔2026〕4号": ({"withdrawn_at": NOON}, "已于2026-11-22撤销", False),
}
"""Changes by document number, the reason on the page, and if an objection is possible."""
UNPUBLISHED: Final[dict[str, tuple[dict[str, Any], str]]] = {
    "浙市监罚〔2026〕5号": ({"severity": "轻微"}, "依法不予公示"),
    "浙市监罚〔2026〕6号": ({"procedure": "简易"}, "简易程序处罚，不计为失信信息，不对外提供"),
    "浙市监罚〔2026〕7号": (
        {"appeal_state": "under_appeal"},
        "正在复议或诉讼，暂不计为失信信息，暂不对外提供",
    ),
}


@pytest_asyncio.fixture
async def portal(migrated_url: str, tmp_path: Path) -> AsyncIterator[PortalFixture]:
    """A portal whose firm holds a live penalty, ended ones and unpublished ones."""
    async with open_portal(migrated_url, tmp_path) as made:
        changes: dict[str, dict[str, Any]] = {LIVE: {}}
        changes |= {number: changed for number, (changed, _, _) in OVER.items()}
        changes |= {number: changed for number, (changed, _) in UNPUBLISHED.items()}
        await made.add_records(
            *(
                make_record(
                    uscc=made.firm, record_id=_id(number), document_number=number, **changed
                )
                for number, changed in changes.items()
            ),
            make_record("supervision", uscc=made.firm, record_id="rec_warning"),
        )
        yield made


def _id(number: str) -> str:
    return f"rec_{number[-2]}"


def _row(number: str) -> str:
    return f'/records/{_id(number)}">'


async def test_ended_records_stand_apart_with_the_reason(portal: PortalFixture) -> None:
    """Folded below the live ones; what is not published stays among these, marked."""
    browser = await portal.signed_in()
    page = (await browser.get(f"/portal/enterprises/{portal.firm}/record")).text
    live, folded, over = page.partition("已不再对外提供")
    assert folded
    for number, (_, reason, _) in OVER.items():
        assert _row(number) in over
        assert _row(number) not in live
        assert reason in over
    for number, (_, reason) in UNPUBLISHED.items():
        assert _row(number) in live
        assert f">{reason}</span>" in live
    assert _row(LIVE) in live
    assert "一址多照" not in page, "class government"


@pytest.mark.parametrize(("number", "expected"), OVER.items())
async def test_an_ended_record_has_a_page_and_an_objection_where_its_source_has_not_ended_it(
    portal: PortalFixture, number: str, expected: tuple[object, str, bool]
) -> None:
    """The form and the post agree with the page."""
    _, reason, open_to_objection = expected
    browser = await portal.signed_in()
    path = f"/portal/enterprises/{portal.firm}/records/{_id(number)}"
    page = await browser.get(path)
    assert page.status_code == 200
    assert f"{reason}。这条记录已不再对外提供" in page.text
    assert ("提出异议" in page.text) is open_to_objection
    assert (await browser.get(f"{path}/object")).is_success is open_to_objection


async def test_the_pages_of_ended_records_are_reached_by_dataset(portal: PortalFixture) -> None:
    """`over=1` shows the ended ones alone."""
    browser = await portal.signed_in()
    path = f"/portal/enterprises/{portal.firm}/record?dataset=penalty"
    live, over = [(await browser.get(each)).text for each in (path, f"{path}&over=1")]
    assert _row(LIVE) in live
    assert _row(LIVE) not in over
    assert all(_row(number) in over and _row(number) not in live for number in OVER)


async def test_who_looked_names_the_records_told_and_links_to_ended_ones(
    portal: PortalFixture,
) -> None:
    """A deleted record is counted without a link."""
    number = "浙市监罚〔2026〕4号"
    told = [[_id(LIVE), 1], [_id(number), 1], ["rec_deleted", 1]]
    await portal.add_look(portal.firm, relied_on=told)
    browser = await portal.signed_in()
    page = (await browser.get(f"/portal/enterprises/{portal.firm}/looks")).text
    assert _row(LIVE) in page
    assert _row(number) in page
    assert page.count("已不再对外提供") == 1
    assert page.count("已删除的记录") == 1
