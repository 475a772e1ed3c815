"""Download limit for each person: files are counted, refused downloads and pages are not."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from gateway.access.download_limit import DOWNLOADS_PER_MINUTE
from gateway.limits.memory_store import MemoryStore
from gateway.limits.model import Admission, Verdict
from gateway.limits.store_protocol import LimiterUnavailableError
from tests.api.test_portal_link_requests import decide, read_consent, request_by_link
from tests.portal_fixture import PortalFixture, hidden_fields, open_portal


class UnreachableStore(MemoryStore):
    """A store that cannot be reached."""

    async def admit(self, admission: Admission) -> Verdict:  # noqa: ARG002  # as the store's
        """Raise as an unreachable store does."""
        raise LimiterUnavailableError


@pytest_asyncio.fixture
async def portal(migrated_url: str, tmp_path: Path) -> AsyncIterator[PortalFixture]:
    """A running portal whose limits use its clock."""
    async with open_portal(migrated_url, tmp_path) as made:
        made.app.state.runtime = replace(made.runtime, limiter=MemoryStore(made.clock))
        yield made


async def files(portal: PortalFixture) -> tuple[str, str]:
    """Access history export, and a consent's receipt."""
    consent_id = await request_by_link(portal, portal.firm)
    return (
        f"/portal/enterprises/{portal.firm}/looks.csv",
        f"/portal/consents/{consent_id}/receipt.pdf",
    )


async def test_a_person_has_so_many_files_in_a_minute_of_any_kind(
    portal: PortalFixture,
) -> None:
    """429 with the waiting time; other people and pages are not affected."""
    boss = await portal.signed_in()
    csv, pdf = await files(portal)
    for _ in range(DOWNLOADS_PER_MINUTE):
        assert (await boss.get(csv)).status_code == 200
    for address in (csv, pdf):
        refused = await boss.get(address)
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "3")
        assert "下载太频繁" in refused.text
        assert "3 秒" in refused.text
    again = await portal.signed_in()  # a new session is no new person
    assert (await again.get(csv)).status_code == 429
    assert (await boss.get(csv.removesuffix(".csv"))).status_code == 200
    assert (await (await portal.signed_in("li")).get(csv)).status_code == 200
    portal.clock.advance(timedelta(seconds=3))
    assert (await boss.get(csv)).status_code == 200


@pytest.mark.parametrize("username", ["wang", "none"])
async def test_whose_it_is_not_is_not_counted_and_learns_nothing(
    portal: PortalFixture, username: str
) -> None:
    """404 however often, never 429."""
    stranger = await portal.signed_in(username)
    for address in await files(portal):
        answers = [await stranger.get(address) for _ in range(DOWNLOADS_PER_MINUTE + 2)]
        assert {answer.status_code for answer in answers} == {404}


async def test_without_a_counter_no_file_is_made_and_a_consent_is_withdrawn_all_the_same(
    portal: PortalFixture,
) -> None:
    """Downloads fail closed; withdrawals do not need the counter."""
    boss = await portal.signed_in()
    csv, pdf = await files(portal)
    consent_id = pdf.split("/")[3]
    last_day = (portal.clock() + timedelta(days=30)).date().isoformat()
    await decide(boss, consent_id, decision="grant", dataset=["penalty"], last_day=last_day)
    portal.app.state.runtime = replace(portal.runtime, limiter=UnreachableStore(portal.clock))
    for address in (csv, pdf):
        answer = await boss.get(address)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
        assert "暂时不能下载" in answer.text
    page = f"/portal/consents/{consent_id}/withdraw"
    form = hidden_fields((await boss.get(page)).text, page)
    assert (await boss.post(page, data=form)).headers["location"].endswith("notice=withdraw")
    assert (await read_consent(portal, consent_id)).status == "withdrawn"
