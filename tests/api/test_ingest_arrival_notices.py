"""Notices to enterprises that a bad record is new in their file: which records, whom, once (两书同达)."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import text

from gateway.db.engine import make_engine
from gateway.ingest import RowOutcome, Source, ingest_rows
from gateway.privacy.field_encryption import Vault, VaultKeys
from tests.creditfile_builders import CATALOGUE, USCC
from tests.databases import new_database

NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
NINE_TOMORROW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
UNREACHABLE = "91330106MA2CXXXX16"
SOURCE = Source(source_id="market", name="市场监督管理部门（合成）")
VAULT = Vault(VaultKeys.parse(Vault.generate_keys()))
PLACE = text("""
    INSERT INTO notice_place (uscc, place_id, channel, link_digest, added_by, added_token_digest,
                              added_at, confirmed_at, removed_at)
    VALUES (:uscc, :place_id, 'email', '', 'wang', '', :now, :confirmed_at, :removed_at)""")


class Deliveries:
    """Deliveries to a database, and the notices that they leave."""

    def __init__(self, url: str) -> None:
        self.engine = make_engine(url, pool_size=2)

    async def add_place(self, place_id: str, uscc: str = USCC, **changed: Any) -> None:
        """Add a contact point, confirmed unless `changed`."""
        values = {"now": NOW, "confirmed_at": NOW, "removed_at": None, **changed}
        async with self.engine.begin() as connection:
            await connection.execute(PLACE, {"uscc": uscc, "place_id": place_id, **values})

    async def take(
        self, *rows: dict[str, Any], dataset: str = "penalty", now: datetime = NOW
    ) -> tuple[RowOutcome, ...]:
        """Deliver rows in one batch."""
        async with self.engine.begin() as connection:
            return await ingest_rows(
                connection, SOURCE, dataset, rows, now=now, catalogue=CATALOGUE, vault=VAULT
            )

    async def notices(self) -> list[Any]:
        """Notices, by id."""
        async with self.engine.connect() as connection:
            found = await connection.execute(text("SELECT * FROM notice ORDER BY notice_id"))
            return list(found)


@pytest_asyncio.fixture
async def deliveries(postgres_url: str) -> AsyncIterator[Deliveries]:
    """An empty database in which one enterprise can be reached."""
    made = Deliveries(await new_database(postgres_url))
    await made.add_place("plc_1")
    yield made
    await made.engine.dispose()


def penalty(number: int = 1, **changed: Any) -> dict[str, Any]:
    """A row that counts as bad."""
    row = {
        "uscc": USCC,
        "document_number": f"浙市监罚〔2026〕{number}号",
        "kinds": ["罚款"],
        "facts": "张三丰未按规定明码标价。",
        "fine": "1.2",
        "decided_on": "2026-10-01",
        "severity": "一般",
        "procedure": "普通",
        "appeal_state": "none",
    }
    return {name: value for name, value in (row | changed).items() if value is not None}


async def test_each_new_bad_record_is_noticed_once(deliveries: Deliveries) -> None:
    """With the next digest, by dataset alone; an update or a repeated delivery is nothing new."""
    await deliveries.add_place("plc_2")  # a second address makes no second notice
    taken = await deliveries.take(penalty(1), penalty(2), penalty(1, fine="1.3"))
    await deliveries.take(penalty(1), penalty(2), now=NOW + timedelta(days=1))
    await deliveries.take(penalty(1, fine="2"), now=NOW + timedelta(days=2))
    found = await deliveries.notices()
    ids = {each.record_id for each in taken}
    assert {each.notice_id for each in found} == {f"bad_record_arrived_{each}_1" for each in ids}
    assert {
        (each.uscc, each.kind, each.dataset, each.client_id, each.due_at) for each in found
    } == {(USCC, "bad_record_arrived", "penalty", None, NINE_TOMORROW)}
    assert not [each for each in found if "张" in str(each)]


@pytest.mark.parametrize(
    ("dataset", "row"),
    [
        ("penalty", penalty(decided_on="2019-10-01")),
        ("penalty", penalty(severity=None, kinds=["警告"], fine=None)),
        ("penalty", penalty(procedure="简易")),
        ("penalty", penalty(appeal_state="under_appeal")),
        ("penalty", penalty(uscc=UNREACHABLE)),
        ("licence", {"uscc": USCC, "number": "许1", "name": "食品经营许可"}),
        ("commitment", {"uscc": USCC, "number": "诺1", "committed_on": "2026-01-05",
                        "fulfilment": "fulfilled"}),
        ("abnormal_listing", {"uscc": USCC, "decision_number": "异1", "added_on": "2026-01-02",
                              "removed_on": "2026-05-01"}),
        ("supervision", {"uscc": USCC, "number": "警1", "indicator": "一址多照",
                         "date": "2026-10-01"}),
    ],
    ids=["ended", "never published", "simplified", "appeal", "unreachable", "licence", "kept",
         "delisted", "for authorities only"],
)  # fmt: skip
async def test_what_does_not_count_as_bad_is_not_noticed(
    deliveries: Deliveries, dataset: str, row: dict[str, Any]
) -> None:
    """Nor what the enterprise may not see; nor for one that nobody confirmed an address of."""
    await deliveries.add_place("plc_2", UNREACHABLE, confirmed_at=None)
    await deliveries.add_place("plc_3", UNREACHABLE, removed_at=NOW)
    (taken,) = await deliveries.take(row, dataset=dataset)
    assert taken.outcome == "created", taken.problems
    assert await deliveries.notices() == []


@pytest.mark.parametrize(
    ("dataset", "row", "day"),
    [
        ("penalty", penalty(), date(2027, 1, 2)),
        ("penalty", penalty(severity="严重"), date(2027, 10, 2)),
        ("penalty", penalty(published_on="2026-11-25"), date(2027, 1, 2)),
        ("abnormal_listing", {"decision_number": "异1", "added_on": "2026-01-02"}, NOW.date()),
        ("measure", {"number": "惩1", "type": "失信惩戒", "valid_from": "2026-01-02"}, None),
    ],
    ids=["ordinary", "serious", "published later", "at once", "not by itself"],
)
async def test_the_notice_names_the_first_day_of_a_repair(
    deliveries: Deliveries, dataset: str, row: dict[str, Any], day: date | None
) -> None:
    """As the record's page of the portal does; today at the earliest."""
    (taken,) = await deliveries.take({"uscc": USCC, **row}, dataset=dataset)
    assert taken.outcome == "created", taken.problems
    assert [each.repairable_on for each in await deliveries.notices()] == [day]


@pytest.mark.parametrize(
    ("dataset", "row"),
    [
        ("penalty", penalty(published_on="2026-11-25")),
        ("abnormal_listing", {"uscc": USCC, "decision_number": "异1", "added_on": "2026-01-02"}),
        ("commitment", {"uscc": USCC, "number": "诺1", "committed_on": "2026-01-05", "fulfilment": "broken"}),
    ],
)  # fmt: skip
async def test_what_counts_as_bad_is_noticed_in_every_dataset(
    deliveries: Deliveries, dataset: str, row: dict[str, Any]
) -> None:
    """By its dataset or by a field."""
    (taken,) = await deliveries.take(row, dataset=dataset)
    assert taken.outcome == "created", taken.problems
    (notice,) = await deliveries.notices()
    assert notice.dataset == dataset
