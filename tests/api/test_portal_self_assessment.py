"""The self-assessment page: what it says, and that it leaves no trace."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest_asyncio
from prometheus_client import generate_latest
from sqlalchemy import text

from gateway.db.metadata import metadata
from tests.creditfile_builders import make_record
from tests.docs.pages import ROOT
from tests.portal_fixture import PortalFixture, open_portal
from tests.waiting import eventually

RATED = {
    "score": 800,
    "model_version": "2026",
    "indicators": [
        {"indicator": "penalties", "points": 100, "reason_codes": ["L12"]},
        {"indicator": "tax", "points": 120, "reason_codes": []},
    ],
}


@pytest_asyncio.fixture
async def portal(migrated_url: str, tmp_path: Path) -> AsyncIterator[PortalFixture]:
    """A running portal, whose firm has a rating and a penalty."""
    async with open_portal(migrated_url, tmp_path) as made:
        await made.add_records(
            make_record("public_rating", uscc=made.firm, record_id="rec_r", **RATED),
            make_record(uscc=made.firm, record_id="rec_p", violation_type="价格违法"),
        )
        yield made


def address(uscc: str) -> str:
    """Path of the page."""
    return f"/portal/enterprises/{uscc}/self-assessment"


async def contents(portal: PortalFixture) -> dict[str, Any]:
    """Every row of every table."""
    found = {}
    async with portal.engine.connect() as connection:
        for table in metadata.sorted_tables:
            rows = await connection.execute(
                text(f"SELECT to_jsonb(t)::text FROM {table.name} t ORDER BY 1")  # noqa: S608
            )
            found[table.name] = rows.scalars().all()
    return found


def metrics() -> list[str]:
    """Figures that are not of the process itself."""
    lines = generate_latest().decode().splitlines()
    return [each for each in lines if not each.startswith(("process_", "python_", "#"))]


async def test_it_says_where_the_enterprise_stands_and_what_to_do(portal: PortalFixture) -> None:
    """Points, reasons with what to do, the record that weighs, days of repair and end."""
    browser = await portal.signed_in("zhang")
    page = (await browser.get(address(portal.firm))).text
    for said in (
        "浙江省企业公共信用评价",
        "有公示期内的行政处罚",
        f'href="/portal/enterprises/{portal.firm}/records/rec_r/object?contests=penalties/L12"',
        f'href="/portal/enterprises/{portal.firm}/records/rec_p/repair"',
        "价格违法",
        "现在可以申请信用修复",
        "不办理的，2027-08-01 后不再计入",
        "得分未知",
        "按公布的规则由现有记录计算",
    ):
        assert said in page, said
    english = (await browser.get(f"{address(portal.firm)}?lang=en")).text
    for said in ("Otherwise it counts until 2027-08-01", "A penalty is in publicity"):
        assert said in english, said


async def test_nothing_is_written_counted_or_logged(portal: PortalFixture, capfd: Any) -> None:
    """No table, no metric, no line of a log; background work may write between two looks, not each time."""
    browser = await portal.signed_in("zhang")
    assert (await browser.get(address(portal.firm))).status_code == 200

    async def leaves_all_as_it_was() -> bool:
        before = await contents(portal), metrics()
        assert (await browser.get(address(portal.firm))).status_code == 200
        return (await contents(portal), metrics()) == before

    capfd.readouterr()
    await eventually(leaves_all_as_it_was)
    assert portal.firm not in "".join(capfd.readouterr())


async def test_another_enterprises_person_finds_nothing(portal: PortalFixture) -> None:
    """The same page as for an enterprise that does not exist."""
    stranger = await portal.signed_in("wang")
    theirs, unknown = address(portal.firm), address(portal.unknown)
    first, second = await stranger.get(theirs), await stranger.get(unknown)
    assert (first.status_code, second.status_code) == (404, 404)
    assert first.text == second.text


def test_no_route_of_a_client_computes_it() -> None:
    """The page alone imports the module."""
    importers = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "gateway").rglob("*.py")
        if "creditfile.self_assessment import" in path.read_text(encoding="utf-8")
    }
    assert importers == {"gateway/portal/self_assessment.py"}
