"""The address of a national enterprise code as an entry to the public page."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import httpx2
import pytest
import pytest_asyncio
from sqlalchemy import text
from typer.testing import CliRunner

from gateway.cli.main import app
from gateway.codes import network_limits
from gateway.codes.national_codes import NationalCodeError, replace_all
from tests.creditfile_builders import make_record
from tests.gateway_fixture import GatewayFixture
from tests.portal_fixture import PortalFixture, open_portal

PREFIX: Final = "https://qyma.example.gov.cn/c/"
OPAQUE: Final = "k3JvQ9xTz7LmN2pRw8Yb"
OTHER: Final = "Zb8wRp2NmL7zTx9QvJ3k"


@pytest_asyncio.fixture
async def portal(migrated_url: str, tmp_path: Path) -> AsyncIterator[PortalFixture]:
    """A gateway that accepts national codes, with one of the firm's."""
    async with open_portal(migrated_url, tmp_path, national_code_prefix=PREFIX) as made:
        async with made.engine.begin() as connection:
            assert await replace_all(connection, [(OPAQUE, made.firm)]) == 1
        yield made


async def look_up(portal: PortalFixture, written: str, **more: str) -> httpx2.Response:
    """The answer to an address that was typed or scanned."""
    return await portal.browser().get("/E/", params={"code": written, **more})


async def test_a_national_code_shows_its_enterprise_and_what_to_compare(
    portal: PortalFixture,
) -> None:
    """At our own address, without a redirect, a check phrase or a code of ours; in both languages."""
    await portal.add_records(make_record(uscc=portal.firm))
    page = await look_up(portal, PREFIX + OPAQUE)
    assert page.status_code == 200
    for words in ("杭州云栖数据科技有限公司", portal.firm, "国家企业码", "店内悬挂的营业执照"):
        assert words in page.text
    assert "核对口令" not in page.text
    english = await look_up(portal, PREFIX + OPAQUE, lang="en")
    assert "national code on the business licence" in english.text
    assert f"?code=https%3A%2F%2Fqyma.example.gov.cn%2Fc%2F{OPAQUE}&amp;lang=en" in page.text


async def test_what_ends_is_gone_from_this_entry_too(portal: PortalFixture) -> None:
    """It is read at each request, with the same policy."""
    shown = make_record(uscc=portal.firm)
    await portal.add_records(shown)
    number = str(shown.fields["document_number"])
    assert number in (await look_up(portal, PREFIX + OPAQUE)).text
    async with portal.engine.begin() as connection:
        await connection.execute(
            text("UPDATE record SET repaired_at = :now WHERE uscc = :uscc"),
            {"now": portal.clock(), "uscc": portal.firm},
        )
    assert number not in (await look_up(portal, PREFIX + OPAQUE)).text


async def test_nothing_is_listed_through_it(portal: PortalFixture) -> None:
    """A USCC is no entry, known or not; unknown identifiers are told alike, and end in 429."""
    for uscc in (portal.firm, portal.unknown):
        for written, told in ((uscc, "统一社会信用代码"), (PREFIX + uscc, "这不是企业码")):
            answer = await look_up(portal, written)
            assert answer.status_code == 404
            assert told in answer.text
            assert "云栖" not in answer.text
    async with portal.engine.begin() as connection:
        await replace_all(connection, [(OPAQUE, portal.firm), (OTHER, portal.unknown)])
    unknown = await look_up(portal, f"{PREFIX}{'q' * 20}")
    gone = await look_up(portal, PREFIX + OTHER)
    assert unknown.status_code == gone.status_code == 404
    assert unknown.text.replace("q" * 20, OTHER) == gone.text
    assert "这个国家企业码在本省未查到" in unknown.text
    statuses = {(await look_up(portal, f"{PREFIX}{n:020}x")).status_code for n in range(70)}
    assert statuses == {404, 429}
    assert (await look_up(portal, PREFIX + OPAQUE)).status_code == 200


async def test_known_ones_are_bounded_for_each_network_too(
    portal: PortalFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Apart from unknown ones; without the limiter the page is shown."""
    monkeypatch.setattr(network_limits, "NATIONAL_PER_TEN_MINUTES", 2)
    for status in (200, 200, 429):
        answer = await look_up(portal, PREFIX + OPAQUE)
        assert answer.status_code == status
    assert "云栖" not in answer.text
    assert int(answer.headers["retry-after"]) > 0
    assert (await look_up(portal, f"{PREFIX}{'q' * 20}")).status_code == 404


async def test_a_file_of_counters_is_not_loaded(portal: PortalFixture) -> None:
    """Who holds one of them would hold all."""
    counters = [(f"ZJ-{number:018}", portal.firm) for number in range(60)]
    with pytest.raises(NationalCodeError, match="can be tried"):
        async with portal.engine.begin() as connection:
            await replace_all(connection, counters)
    assert (await look_up(portal, PREFIX + OPAQUE)).status_code == 200


async def test_without_the_setting_it_is_no_code(migrated_url: str, tmp_path: Path) -> None:
    """Off by default; no address leads elsewhere."""
    async with open_portal(migrated_url, tmp_path) as plain:
        answer = await look_up(plain, PREFIX + OPAQUE)
        assert answer.status_code == 404
        assert "location" not in answer.headers


async def test_a_file_is_loaded_whole_or_not_at_all(portal: PortalFixture) -> None:
    """An identifier that stands there twice leaves the earlier ones in force."""
    with pytest.raises(NationalCodeError, match="twice"):
        async with portal.engine.begin() as connection:
            await replace_all(connection, [(OTHER, portal.firm), (OTHER, portal.shop)])
    assert (await look_up(portal, PREFIX + OPAQUE)).status_code == 200


@pytest.mark.asyncio(loop_scope="session")
async def test_the_command_loads_the_authoritys_file(
    gateway: GatewayFixture, tmp_path: Path
) -> None:
    """By an operator, with an act in the audit log; a wrong row is named by its line."""
    file = tmp_path / "national.csv"
    uscc = gateway.uscc("clean")
    environment = {
        "XINQIAO_OPERATOR": "fang",
        "XINQIAO_DATABASE_URL": gateway.settings.database_url.replace("+asyncpg", ""),
    }
    for rows, said in (
        (f"identifier,uscc\n{OPAQUE},{uscc}\n", "1 national codes are loaded."),
        (f"identifier,uscc\n{uscc},{uscc}\n", "the identifier in line 2 is not 20 to 256"),
        (f"identifier,uscc\n{OPAQUE},x\n", "line 2 has no identifier and USCC"),
        ("uscc\n", "the first line is not identifier,uscc"),
    ):
        file.write_text(rows)
        done = await asyncio.to_thread(
            CliRunner().invoke, app, ["code", "national", str(file)], env=environment
        )
        assert said in done.stdout + done.stderr
    [held] = await gateway.rows("SELECT count(*) AS n FROM national_code")
    [acts] = await gateway.rows(
        "SELECT count(*) AS n FROM operator_act WHERE what = 'code.national'"
    )
    assert (held["n"], acts["n"]) == (1, 1)
