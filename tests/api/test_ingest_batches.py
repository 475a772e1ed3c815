"""Batches of delivered rows: created, updated, unchanged or rejected, each row by itself."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.creditfile.history import Change, file_at, mark_record
from gateway.creditfile.personal_fields import open_enterprise, open_record
from gateway.db.engine import make_engine
from gateway.ingest import BatchResult, RowOutcome, RowWarning, Source, ingest_rows
from gateway.privacy.field_encryption import Vault, VaultKeys
from tests.creditfile_builders import CATALOGUE, USCC
from tests.databases import new_database
from tests.waiting import PATIENCE
from verification.uscc import check_character

VAULT = Vault(VaultKeys.parse(Vault.generate_keys()))
NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
LATER = NOW + timedelta(days=1)
OTHER = "91330106MA2CXXXX16"
SOURCE = Source(source_id="market", name="市场监督管理部门（合成）")
RIVAL = Source(source_id="rival", name="另一部门（合成）")


@pytest_asyncio.fixture
async def held(postgres_url: str) -> AsyncIterator["IngestBatches"]:
    """Empty credit files in a database of its own."""
    engine = make_engine(await new_database(postgres_url), pool_size=5)
    yield IngestBatches(engine)
    await engine.dispose()


class IngestBatches:
    """Deliveries to credit files, and reads of their tables."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine

    async def take(
        self,
        dataset: str,
        *rows: Mapping[str, Any],
        source: Source = SOURCE,
        now: datetime = NOW,
    ) -> tuple[RowOutcome, ...]:
        """Deliver in one transaction."""
        async with self.engine.begin() as connection:
            return await ingest_rows(
                connection, source, dataset, rows, now=now, catalogue=CATALOGUE, vault=VAULT
            )

    async def rows(self, sql: str) -> Sequence[RowMapping]:
        """Rows of an SQL statement."""
        async with self.engine.connect() as connection:
            return (await connection.execute(text(sql))).mappings().all()


def licence(number: str = "浙许1", uscc: str = USCC, **changed: Any) -> dict[str, Any]:
    """A licence row."""
    fields = {"number": number, "name": "食品经营许可", "decided_on": "2026-01-02"}
    return {"uscc": uscc, **fields, **changed}


def registration(uscc: str = USCC, **changed: Any) -> dict[str, Any]:
    """A registration row."""
    return {
        "uscc": uscc,
        "name": "杭州云栖数据科技有限公司",
        "former_names": ['杭州"旧"名\\有限公司', "甲,乙"],
        "kind": "firm",
        "entity_type": "1130",
        "status": "active",
        "legal_representative": "张三丰",
        "legal_representative_id_number": "330106199001011234",
        "phone": "15400000000",
        "capital": "100",
        "currency": "CNY",
        "established_on": "2018-05-01",
        "division": "330106",
        "scope": "软件开发\t；\n技术服务",
        **changed,
    }


def outcomes(rows: Sequence[RowOutcome]) -> list[str]:
    return [each.outcome.value for each in rows]


async def test_a_row_is_created_then_unchanged_then_updated(held: IngestBatches) -> None:
    """By natural key; an update keeps the previous version in history."""
    (created,) = await held.take("licence", licence())
    assert (created.outcome, created.version, created.key) == (BatchResult.CREATED, 1, "浙许1")
    (again,) = await held.take("licence", licence(), now=LATER)
    assert again == replace(created, outcome=BatchResult.UNCHANGED)
    (changed,) = await held.take("licence", licence(name="新名"), now=LATER)
    assert changed == replace(created, outcome=BatchResult.UPDATED, version=2)
    (row,) = await held.rows("SELECT * FROM record")
    assert (row["version"], row["fields"]["name"], row["received_at"]) == (2, "新名", LATER)
    (kept,) = await held.rows("SELECT * FROM record_history")
    assert (kept["version"], kept["change"], kept["actor"]) == (1, "updated", "market")
    assert kept["row"]["fields"]["name"] == "食品经营许可"


async def test_the_versions_of_a_day_can_be_read(held: IngestBatches) -> None:
    """Before the first delivery nothing, then each version in its period."""
    await held.take("registration", registration())
    await held.take("licence", licence())
    await held.take("licence", licence(name="新名"), licence("浙许2"), now=LATER)
    await held.take("registration", registration(capital="250.5"), now=LATER)
    seen = {}
    async with held.engine.connect() as connection:
        for at in (NOW - timedelta(seconds=1), NOW, LATER - timedelta(seconds=1), LATER):
            seen[at] = await file_at(connection, USCC, at)
    before, first, still, last = seen.values()
    assert before.enterprise is None
    assert before.records == ()
    assert first == still
    assert [each.fields["name"] for each in first.records] == ["食品经营许可"]
    assert first.enterprise is not None
    assert f"{first.enterprise.capital}" == "100.000000"
    assert open_enterprise(VAULT, first.enterprise)["phone"] == "15400000000"
    assert last.enterprise is not None
    assert f"{last.enterprise.capital}" == "250.500000"
    assert sorted(each.version for each in last.records) == [1, 2]


async def test_a_delivery_that_waited_for_its_turn_makes_no_moment_with_two_versions(
    held: IngestBatches,
) -> None:
    """The new version starts no earlier than the one it replaces."""
    later, earlier = LATER, LATER - timedelta(seconds=5)
    for row, dataset in ((licence(), "licence"), (registration(), "registration")):
        await held.take(dataset, row)
        await held.take(dataset, row | {"name": "新名"}, now=later)
        await held.take(dataset, row | {"name": "后名"}, now=earlier)
    for at in (NOW, earlier, later - timedelta(microseconds=1), later):
        async with held.engine.connect() as connection:
            found = await file_at(connection, USCC, at)
        assert len(found.records) == 1
        assert found.enterprise is not None
        assert (found.enterprise.name == "后名") is (at >= later)
        assert (found.records[0].fields["name"] == "后名") is (at >= later)


async def test_a_registration_goes_into_its_typed_columns(held: IngestBatches) -> None:
    """Texts as delivered, personal fields encrypted."""
    await held.take("registration", registration())
    async with held.engine.connect() as connection:
        found = (await file_at(connection, USCC, NOW)).enterprise
    assert found is not None
    assert found.former_names == ('杭州"旧"名\\有限公司', "甲,乙")
    assert found.scope == "软件开发\t；\n技术服务"
    assert found.name_key == "杭州云栖数据科技有限公司"
    assert open_enterprise(VAULT, found) == {
        "legal_representative_id_number": "330106199001011234",
        "phone": "15400000000",
    }
    (legible,) = await held.rows("SELECT CAST(e AS text) AS text FROM enterprise e")
    assert "15400000000" not in legible["text"]
    assert "330106199001011234" not in legible["text"]


async def test_personal_fields_of_a_record_lie_sealed_and_are_compared(held: IngestBatches) -> None:
    """R17: encrypted in table and history; a new number is a change."""
    report = {"uscc": USCC, "year": "2025", "contact_phone": "15400000000"}
    await held.take("annual_report", report)
    (again,) = await held.take("annual_report", report)
    assert again.outcome is BatchResult.UNCHANGED
    (changed,) = await held.take(
        "annual_report", {**report, "contact_phone": "15400000001"}, now=LATER
    )
    assert changed.outcome is BatchResult.UPDATED
    async with held.engine.connect() as connection:
        then = await file_at(connection, USCC, NOW)
        today = await file_at(connection, USCC, LATER)
    assert open_record(VAULT, then.records[0]) == {"contact_phone": "15400000000"}
    assert open_record(VAULT, today.records[0]) == {"contact_phone": "15400000001"}
    (legible,) = await held.rows(
        "SELECT (SELECT CAST(r AS text) FROM record r) || (SELECT CAST(h AS text)"
        " FROM record_history h) AS text"
    )
    assert "1540000000" not in legible["text"]


async def test_a_rejected_row_leaves_the_others_alone(held: IngestBatches) -> None:
    """A result for each row, in the order of delivery."""
    taken = await held.take(
        "licence",
        licence(),
        licence("浙许2", uscc="330106199001011234"),
        licence("浙许3", decided_on="2099-01-01"),
        licence("浙许4", religion="无"),
        licence("浙许5\ud800"),
        licence("浙许6", content="a\0b"),
        licence("浙许7"),
    )
    assert outcomes(taken) == ["created", *["rejected"] * 5, "created"]
    assert [[(p.field, p.reason) for p in each.problems] for each in taken[1:6]] == [
        [("uscc", "not a unified social credit code of a market entity")],
        [("decided_on", "in the future")],
        [("?", "unknown")],
        [("?", "has bytes that are no characters")],
        [("content", "has a NUL character")],
    ]
    assert len(await held.rows("SELECT 1 FROM record")) == 2


async def test_the_last_of_two_rows_with_one_key_counts(held: IngestBatches) -> None:
    """The earlier row's result says so."""
    taken = await held.take("licence", licence(name="先"), licence("浙许2"), licence(name="后"))
    assert outcomes(taken) == ["unchanged", "created", "created"]
    assert taken[0].warnings == (RowWarning.SUPERSEDED,)
    assert taken[0].record_id == taken[2].record_id
    (row,) = await held.rows("SELECT * FROM record WHERE natural_key = '浙许1'")
    assert (row["fields"]["name"], row["version"]) == ("后", 1)


async def test_only_the_source_that_produced_a_record_changes_it(held: IngestBatches) -> None:
    """A redelivery by another source is another record; a registration has one holder."""
    await held.take("licence", licence())
    (other,) = await held.take("licence", licence(name="别"), source=RIVAL)
    assert other.outcome is BatchResult.CREATED
    assert len(await held.rows("SELECT 1 FROM record")) == 2
    await held.take("registration", registration())
    (refused,) = await held.take("registration", registration(name="夺名"), source=RIVAL)
    assert refused.outcome is BatchResult.REJECTED
    assert refused.problems[0].reason == "held by another source"
    (row,) = await held.rows("SELECT * FROM enterprise")
    assert (row["name"], row["version"]) == ("杭州云栖数据科技有限公司", 1)


@pytest.mark.parametrize(
    ("column", "kind", "warned"),
    [
        ("repaired_at", "repaired", RowWarning.STAYS_REPAIRED),
        ("suspended_at", "suspended", RowWarning.STAYS_SUSPENDED),
        ("withdrawn_at", "withdrawn", RowWarning.STAYS_WITHDRAWN),
    ],
)
async def test_an_ended_record_does_not_come_back_by_a_delivery(
    held: IngestBatches, column: str, kind: str, warned: RowWarning
) -> None:
    """Repaired, suspended or withdrawn records stay ended; the row's result says so."""
    (created,) = await held.take("licence", licence())
    async with held.engine.begin() as connection:
        version = await mark_record(
            connection,
            USCC,
            created.record_id or "",
            {column: NOW},
            Change(kind=kind, actor="market", reason="…"),
            now=NOW,
        )
    assert version == 2
    (same,) = await held.take("licence", licence(), now=LATER)
    (other,) = await held.take("licence", licence(name="新名"), now=LATER)
    assert outcomes([same, other]) == ["unchanged", "updated"]
    assert same.warnings == other.warnings == (warned,)
    (row,) = await held.rows("SELECT * FROM record")
    assert (row[column], row["version"]) == (NOW, 3)
    kept = await held.rows("SELECT change FROM record_history ORDER BY version")
    assert [each["change"] for each in kept] == [kind, "updated"]


async def test_an_objection_stays_beside_an_updated_record(held: IngestBatches) -> None:
    """The objection's mark is independent of deliveries."""
    await held.take("licence", licence())
    async with held.engine.begin() as connection:
        await connection.execute(text("UPDATE record SET objection_since = '2026-11-01+08'"))
    await held.take("licence", licence(name="新名"))
    (row,) = await held.rows("SELECT objection_since FROM record")
    assert row["objection_since"] is not None


async def test_an_older_delivery_does_not_overwrite_a_newer_one(held: IngestBatches) -> None:
    """Where rows carry the source's time."""
    await held.take("licence", licence(name="新", source_time="2026-11-20T09:00:00+08:00"))
    (old,) = await held.take(
        "licence", licence(name="旧", source_time="2026-11-19T09:00:00+08:00"), now=LATER
    )
    assert (old.outcome, old.warnings) == (BatchResult.UNCHANGED, (RowWarning.OLDER,))
    (row,) = await held.rows("SELECT fields FROM record")
    assert row["fields"]["name"] == "新"


async def test_warnings_are_given_with_the_row(held: IngestBatches) -> None:
    """Wrong check characters, ID numbers in free text."""
    wrong = USCC[:-1] + ("A" if USCC[-1] != "A" else "B")
    (taken,) = await held.take(
        "licence", licence(uscc=wrong, content="持有人330106199001011234，电话15400000000")
    )
    assert taken.outcome is BatchResult.CREATED
    assert taken.warnings == (RowWarning.CHECK_CHARACTER, RowWarning.ID_NUMBER, RowWarning.PHONE)
    (row,) = await held.rows("SELECT CAST(r AS text) AS text FROM record r")
    assert "330106199001011234" not in row["text"]


async def test_a_transaction_that_breaks_off_leaves_nothing(held: IngestBatches) -> None:
    """The transaction is rolled back."""
    async with held.engine.connect() as connection:
        await ingest_rows(
            connection, SOURCE, "licence", [licence()], now=NOW, catalogue=CATALOGUE, vault=VAULT
        )
        await connection.rollback()
    assert await held.rows("SELECT 1 FROM record") == []
    (taken,) = await held.take("licence", licence())
    assert taken.outcome is BatchResult.CREATED


async def test_batches_at_once_neither_deadlock_nor_lose_a_change(held: IngestBatches) -> None:
    """The same records in opposite order, by one source and by two."""
    many = [licence(f"浙许{number}") for number in range(200)]
    changed = [{**row, "name": "改"} for row in reversed(many)]
    batches = [
        held.take("licence", *rows, source=source)
        for rows in (many, changed, many, changed)
        for source in (SOURCE, RIVAL)
    ]
    await asyncio.wait_for(asyncio.gather(*batches), timeout=PATIENCE)
    (records,) = await held.rows("SELECT count(*) AS n, sum(version) AS versions FROM record")
    (history,) = await held.rows("SELECT count(*) AS n FROM record_history")
    assert records["n"] == 400
    assert history["n"] == records["versions"] - 400


async def test_registrations_of_two_sources_at_once_have_one_holder(held: IngestBatches) -> None:
    """The first source; the other's rows are rejected."""
    codes = [USCC, OTHER]
    first, second = await asyncio.gather(
        held.take("registration", *(registration(code) for code in codes)),
        held.take("registration", *(registration(code) for code in reversed(codes)), source=RIVAL),
    )
    assert sorted([outcomes(first), outcomes(second)]) == [["created"] * 2, ["rejected"] * 2]


async def test_a_registration_says_its_size_and_industries_or_nothing(held: IngestBatches) -> None:
    """Row by row and by column alike; a delivery without them is no change of those without."""
    industries = ["F5211", 'C"1\\4']
    full = {
        "small_or_micro": True,
        "small_or_micro_on": "2020-05-01",
        "scope_industries": industries,
    }
    bodies = [f"91330106MA2CXXX{n}" for n in range(10, 30)]
    codes = [each + check_character(each) for each in bodies]
    rows = [registration(uscc=code) | (full if n % 2 else {}) for n, code in enumerate(codes)]
    await held.take("registration", *rows)
    stored = {row["uscc"]: row for row in await held.rows("SELECT * FROM enterprise")}
    for n, code in enumerate(codes):
        row = stored[code]
        known = (row["small_or_micro"], row["small_or_micro_on"], row["scope_industries"])
        assert known == ((True, date(2020, 5, 1), industries) if n % 2 else (None, None, None))
    again = await held.take("registration", *rows, now=LATER)
    assert {each.outcome for each in again} == {BatchResult.UNCHANGED}
    (changed,) = await held.take(
        "registration", rows[1] | {"scope_industries": ["F5211"]}, now=LATER
    )
    assert changed.outcome is BatchResult.UPDATED
    async with held.engine.connect() as connection:
        before = await file_at(connection, codes[1], NOW)
        after = await file_at(connection, codes[1], LATER)
    assert before.enterprise is not None
    assert after.enterprise is not None
    assert before.enterprise.scope_industries == tuple(industries)
    assert after.enterprise.scope_industries == ("F5211",)
