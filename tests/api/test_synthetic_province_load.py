"""Loading a synthetic province into PostgreSQL: completeness, encryption, masking."""

import secrets
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import replace
from datetime import date

import pytest
import pytest_asyncio
from sqlalchemy import UniqueConstraint, text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from gateway.creditfile.catalogue import load_catalogue
from gateway.creditfile.file_query import (
    enterprise_from_json,
    enterprise_json,
    records_from_json,
    records_json,
)
from gateway.creditfile.personal_fields import open_enterprise, with_personal
from gateway.creditfile.records import Enterprise, Record
from gateway.creditfile.tables import enterprise, record
from gateway.db.metadata import metadata
from gateway.db.statements import Statement
from gateway.privacy.field_encryption import Vault, VaultKeys
from gateway.synthetic.generator.delivered_rows import SyntheticEnterprise
from gateway.synthetic.generator.province import province
from gateway.synthetic.load import Loaded, NotEmptyError, load

CATALOGUE = load_catalogue()
VAULT = Vault(VaultKeys.parse(Vault.generate_keys()))
PROVINCE = tuple(province(5, 150, today=date(2026, 11, 23), catalogue=CATALOGUE))
READ = Statement(f"SELECT {enterprise_json()} AS enterprise, {records_json()} AS records")


@pytest_asyncio.fixture
async def empty(postgres_url: str) -> AsyncIterator[AsyncEngine]:
    """Engine on a schema of its own with both tables empty."""
    schema = f"province_{secrets.token_hex(6)}"
    made = create_async_engine(
        postgres_url,
        connect_args={"server_settings": {"search_path": schema, "timezone": "UTC"}},
    )
    async with made.begin() as connection:
        await connection.execute(text(f"CREATE SCHEMA {schema}"))
        await connection.run_sync(
            lambda sync: metadata.create_all(sync, tables=[enterprise, record]),
        )
    yield made
    async with made.begin() as connection:
        await connection.execute(text(f"DROP SCHEMA {schema} CASCADE"))
    await made.dispose()


async def _read(
    engine: AsyncEngine,
    uscc: str,
    datasets: Sequence[str] = CATALOGUE.codes,
) -> tuple[Enterprise | None, tuple[Record, ...]]:
    """Read by asyncpg in one statement, as the hot path does."""
    values: dict[str, object] = {"uscc": uscc, "datasets": list(datasets)}
    async with engine.connect() as connection:
        driver = (await connection.get_raw_connection()).driver_connection
        assert driver is not None
        row = await driver.fetchrow(READ.positional, *(values[name] for name in READ.names))
    return enterprise_from_json(row["enterprise"]), records_from_json(row["records"])


async def _load(engine: AsyncEngine) -> Loaded:
    return await load(engine, PROVINCE, vault=VAULT, catalogue=CATALOGUE)


@pytest.mark.asyncio
async def test_everything_is_read_back_as_it_was_made(empty: AsyncEngine) -> None:
    """Of each dataset newest first, without withdrawn records."""
    loaded = await _load(empty)
    assert loaded == Loaded(
        enterprises=len(PROVINCE),
        records=sum(len(each.records) for each in PROVINCE),
    )
    for each in PROVINCE[:80]:
        found, records = await _read(empty, each.enterprise.uscc)
        assert found is not None
        as_made = replace(found, personal=None, digests=each.enterprise.digests)
        assert as_made == each.enterprise
        if "id_number_in_free_text" not in each.traits:
            opened = (with_personal(VAULT, record) for record in records)
            assert {r.record_id: replace(r, personal=None, digests=None) for r in opened} == {
                r.record_id: r for r in each.records
            }
        for dataset in CATALOGUE.codes:
            days = [r.decided_on or date.min for r in records if r.dataset == dataset]
            assert days == sorted(days, reverse=True)


@pytest.mark.asyncio
async def test_only_the_datasets_that_were_asked_for_are_read(empty: AsyncEngine) -> None:
    """Other datasets are not read."""
    await _load(empty)
    _, records = await _read(empty, PROVINCE[0].enterprise.uscc, ["licence", "honour"])
    assert {record.dataset for record in records} == {"licence", "honour"}
    _, none = await _read(empty, PROVINCE[0].enterprise.uscc, [])
    assert none == ()


@pytest.mark.asyncio
async def test_an_unknown_enterprise_is_none_with_no_records(empty: AsyncEngine) -> None:
    """One row without records."""
    assert await _read(empty, "91330106MA0000000X") == (None, ())


@pytest.mark.asyncio
async def test_personal_fields_lie_sealed_and_open_with_the_key(empty: AsyncEngine) -> None:
    """R17: neither table has a plain personal number."""
    await _load(empty)
    found, _ = await _read(empty, PROVINCE[0].enterprise.uscc)
    assert found is not None
    assert open_enterprise(VAULT, found) == PROVINCE[0].personal
    async with empty.connect() as connection:
        everything = await connection.execute(
            text(
                "SELECT (SELECT string_agg(CAST(e AS text), '') FROM enterprise e)"
                " || (SELECT string_agg(CAST(r AS text), '') FROM record r)"
            ),
        )
        legible = str(everything.scalar_one())
    for each in PROVINCE:
        assert each.personal["legal_representative_id_number"] not in legible
        assert each.personal["phone"] not in legible


@pytest.mark.asyncio
async def test_an_identity_number_in_free_text_is_masked_on_its_way_in(empty: AsyncEngine) -> None:
    """R5: also with spaces."""
    await _load(empty)
    bearer = next(each for each in PROVINCE if "id_number_in_free_text" in each.traits)
    _, records = await _read(empty, bearer.enterprise.uscc, ["penalty"])
    facts = records[0].fields["facts"]
    assert facts.count("（身份证号码已隐去）") == 2
    assert "（电话号码已隐去）" in facts
    assert bearer.personal["legal_representative_id_number"][6:14] not in facts


@pytest.mark.asyncio
async def test_a_second_province_is_refused_and_the_first_stays(empty: AsyncEngine) -> None:
    """Existing credit files are not extended."""
    await _load(empty)
    with pytest.raises(NotEmptyError):
        await _load(empty)
    async with empty.connect() as connection:
        count = await connection.execute(text("SELECT count(*) FROM enterprise"))
        assert count.scalar_one() == len(PROVINCE)


@pytest.mark.asyncio
async def test_a_load_that_breaks_off_leaves_nothing(empty: AsyncEngine) -> None:
    """One transaction, so the load can be repeated."""

    def broken() -> Iterator[SyntheticEnterprise]:
        yield from PROVINCE
        message = "the stream broke"
        raise OSError(message)

    with pytest.raises(OSError, match="the stream broke"):
        await load(empty, broken(), vault=VAULT, catalogue=CATALOGUE)
    assert (await _load(empty)).enterprises == len(PROVINCE)


@pytest.mark.asyncio
async def test_progress_is_reported_batch_by_batch(empty: AsyncEngine) -> None:
    """For the progress bar."""
    heard: list[Loaded] = []
    many = province(6, 2500, today=date(2026, 11, 23), catalogue=CATALOGUE)
    await load(empty, many, vault=VAULT, catalogue=CATALOGUE, on_progress=heard.append)
    assert [each.enterprises for each in heard] == [1000, 2000, 2500]


def test_every_table_about_an_enterprise_has_its_code_first_in_its_key() -> None:
    """For distribution by enterprise; each unique constraint includes `uscc`."""
    for table in (enterprise, record):
        assert next(iter(table.primary_key.columns)).name == "uscc"
        for constraint in table.constraints:
            if isinstance(constraint, UniqueConstraint):
                assert "uscc" in constraint.columns
        assert not table.foreign_keys
