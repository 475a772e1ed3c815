"""Files are made for one person so often and no more; whatever is withheld is withheld uncounted."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from gateway.limits.errors import LimiterUnavailableError
from gateway.limits.limiter import Limiter
from gateway.limits.memory_store import MemoryStore
from gateway.limits.model import Admission, Verdict
from gateway.portal.download_limit import DOWNLOADS_PER_MINUTE
from tests.api.test_portal_asked import asked, decide, held
from tests.portal_house import House, a_house, hidden


class AwayStore(MemoryStore):
    """A store that cannot be reached."""

    async def admit(self, admission: Admission) -> Verdict:  # noqa: ARG002  # as the store's
        """Count nothing."""
        raise LimiterUnavailableError


@pytest_asyncio.fixture
async def house(migrated_url: str, tmp_path: Path) -> AsyncIterator[House]:
    """A running portal whose limits go by its clock."""
    async with a_house(migrated_url, tmp_path) as made:
        made.app.state.runtime = replace(made.runtime, limiter=Limiter(MemoryStore(made.clock)))
        yield made


async def files(house: House) -> tuple[str, str]:
    """Where the firm's files are: who looked, and the receipt of a consent."""
    consent_id = await asked(house, house.firm)
    return (
        f"/portal/enterprises/{house.firm}/looks.csv",
        f"/portal/consents/{consent_id}/receipt.pdf",
    )


async def test_a_person_has_so_many_files_in_a_minute_whatever_they_are(house: House) -> None:
    """Then a page says for how long; another person, and the pages themselves, go on."""
    boss = await house.signed_in()
    csv, pdf = await files(house)
    for _ in range(DOWNLOADS_PER_MINUTE):
        assert (await boss.get(csv)).status_code == 200
    for address in (csv, pdf):
        refused = await boss.get(address)
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "3")
        assert "下载太频繁" in refused.text
        assert "3 秒" in refused.text
    again = await house.signed_in()  # a new session is no new person
    assert (await again.get(csv)).status_code == 429
    assert (await boss.get(csv.removesuffix(".csv"))).status_code == 200
    assert (await (await house.signed_in("li")).get(csv)).status_code == 200
    house.clock.passes(timedelta(seconds=3))
    assert (await boss.get(csv)).status_code == 200


@pytest.mark.parametrize("username", ["wang", "none"])
async def test_whose_it_is_not_is_not_counted_and_learns_nothing(
    house: House, username: str
) -> None:
    """404 however often, and never 429."""
    stranger = await house.signed_in(username)
    for address in await files(house):
        answers = [await stranger.get(address) for _ in range(DOWNLOADS_PER_MINUTE + 2)]
        assert {answer.status_code for answer in answers} == {404}


async def test_without_a_counter_no_file_is_made_and_a_consent_is_withdrawn_all_the_same(
    house: House,
) -> None:
    """Closed for what costs, open for what takes back."""
    boss = await house.signed_in()
    csv, pdf = await files(house)
    consent_id = pdf.split("/")[3]
    last_day = (house.clock() + timedelta(days=30)).date().isoformat()
    await decide(boss, consent_id, decision="grant", dataset=["penalty"], last_day=last_day)
    house.app.state.runtime = replace(house.runtime, limiter=Limiter(AwayStore(house.clock)))
    for address in (csv, pdf):
        answer = await boss.get(address)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
        assert "暂时不能下载" in answer.text
    page = f"/portal/consents/{consent_id}/withdraw"
    form = hidden((await boss.get(page)).text, page)
    assert (await boss.post(page, data=form)).headers["location"].endswith("notice=withdraw")
    assert (await held(house, consent_id)).status == "withdrawn"
