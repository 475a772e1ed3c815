"""Rotation of field encryption keys (R17) by command, without unreadable data."""

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from typer.testing import CliRunner, Result

from gateway.cli.main import app
from gateway.creditfile.history import file_at
from gateway.creditfile.personal_fields import open_enterprise, open_record
from gateway.creditfile.record_mapping import sealed_fields
from gateway.db.engine import make_engine
from gateway.ingest import Source, ingest_rows
from gateway.ingest.job_store import try_lock_job
from gateway.privacy.encryption_keys_file import (
    VaultFileError,
    using_key,
    with_new_key,
    without_key,
)
from gateway.privacy.field_encryption import SealBrokenError, Vault, VaultKeys
from gateway.privacy.reencryption import count_by_key, reencrypt
from gateway.synthetic.generator.province import province
from gateway.synthetic.load import load
from tests.creditfile_builders import CATALOGUE
from tests.databases import new_database

PROVINCE = tuple(province(3, 70, today=date(2026, 11, 23), catalogue=CATALOGUE))
OF = PROVINCE[0]
DELIVERED = [each for made in PROVINCE for each in made.deliveries]
SEALED_RECORDS = sum(
    any(name in each.fields for name in sealed_fields(CATALOGUE.dataset(each.dataset)))
    for each in DELIVERED
)
SEALED = len(PROVINCE) + SEALED_RECORDS + 3
"""Values of the province, and of `fill`: a report, its history and a registration's."""
SOURCE = Source(source_id="annual", name="经营主体自行填报（合成数据）")
OLD, LATER = datetime(2026, 11, 23, 4, tzinfo=UTC), datetime(2026, 11, 24, 4, tzinfo=UTC)
FILE = Vault.generate_keys()
TWO_KEYS = json.dumps(using_key(with_new_key(json.loads(FILE)), 2))
"""The same file with a second key, used for encryption."""


def make_vault(file: str) -> Vault:
    return Vault(VaultKeys.parse(file))


async def fill(url: str) -> None:
    """Enterprises, a record with an encrypted field, and history of both, under the first key."""
    engine, vault = make_engine(url), make_vault(FILE)
    await load(engine, PROVINCE, vault=vault, catalogue=CATALOGUE)
    registration = {**OF.registration.fields, **OF.personal}
    for phone, now in (("15400000000", OLD), ("15400000001", LATER)):
        async with engine.begin() as connection:
            await ingest_rows(
                connection,
                SOURCE,
                "annual_report",
                [{"uscc": OF.uscc, "year": "2020", "contact_phone": phone}],
                now=now,
                catalogue=CATALOGUE,
                vault=vault,
            )
    market = Source(
        source_id=OF.enterprise.source_id,
        name=OF.enterprise.source_name,
        uscc=OF.enterprise.source_uscc,
    )
    async with engine.begin() as connection:
        (outcome,) = await ingest_rows(
            connection,
            market,
            "registration",
            [{**registration, "phone": "15400000009"}],
            now=LATER,
            catalogue=CATALOGUE,
            vault=vault,
        )
        assert outcome.outcome.value == "updated", outcome
    await engine.dispose()


@pytest.fixture
def url(postgres_url: str) -> str:
    """URL of a filled database."""
    made = asyncio.run(new_database(postgres_url))
    asyncio.run(fill(made))
    return made


async def legible(engine: AsyncEngine, vault: Vault) -> None:
    """Decrypt every stored value."""
    async with engine.connect() as connection:
        then = await file_at(connection, OF.uscc, OLD)
        now = await file_at(connection, OF.uscc, LATER)
    assert then.enterprise
    assert now.enterprise
    assert open_enterprise(vault, then.enterprise) == OF.personal
    assert open_enterprise(vault, now.enterprise)["phone"] == "15400000009"
    reports = [
        open_record(vault, record)
        for held in (then, now)
        for record in held.records
        if record.personal
    ]
    assert reports == [{"contact_phone": "15400000000"}, {"contact_phone": "15400000001"}]


async def _counts(engine: AsyncEngine) -> dict[int, int]:
    async with engine.connect() as connection:
        found = await count_by_key(connection)
    total: dict[int, int] = {}
    for by_key in found.values():
        for key, rows in by_key.items():
            total[key] = total.get(key, 0) + rows
    return total


def test_everything_moves_to_the_new_key_and_the_old_one_can_go(url: str) -> None:
    """Enterprises, records and history; readable throughout."""

    async def story() -> None:
        engine, both = make_engine(url), make_vault(TWO_KEYS)
        assert await _counts(engine) == {1: SEALED}
        await legible(engine, both)
        moved = 0
        async for done in reencrypt(engine, both, batch=7):
            moved += done.moved
            assert done.broken == 0
            assert done.moved <= 7
            await legible(engine, both)
        assert moved == SEALED
        assert await _counts(engine) == {2: SEALED}
        await legible(engine, make_vault(json.dumps(without_key(json.loads(TWO_KEYS), 1))))
        with pytest.raises(SealBrokenError):
            await legible(engine, make_vault(FILE))
        await engine.dispose()

    asyncio.run(story())


def test_a_run_that_breaks_off_is_begun_again_and_does_nothing_twice(url: str) -> None:
    """Locked rows are skipped and taken in the next round."""

    async def story() -> None:
        engine, both = make_engine(url, pool_size=3), make_vault(TWO_KEYS)
        rounds = reencrypt(engine, both, batch=20)
        first = await anext(rounds)
        await rounds.aclose()  # type: ignore[attr-defined]  # an async generator
        assert (await _counts(engine))[2] == first.moved == 20
        async with engine.begin() as busy:
            await busy.execute(
                text("SELECT 1 FROM enterprise WHERE get_byte(personal, 1) = 1 LIMIT 1 FOR UPDATE")
            )
            moved = sum([done.moved async for done in reencrypt(engine, both, batch=20)])
            assert moved == SEALED - 20 - 1
        assert sum([done.moved async for done in reencrypt(engine, both)]) == 1
        assert [done async for done in reencrypt(engine, both)] == []
        await legible(engine, both)
        await engine.dispose()

    asyncio.run(story())


def test_a_damaged_value_is_counted_and_stays(url: str) -> None:
    """It is counted and does not stop the run."""

    async def story() -> None:
        engine, both = make_engine(url), make_vault(TWO_KEYS)
        async with engine.begin() as connection:
            await connection.execute(
                text(
                    "UPDATE enterprise SET personal = set_byte(personal, 20, 0) ||"
                    " '\\x00' WHERE uscc = :uscc"
                ),
                {"uscc": PROVINCE[1].uscc},
            )
        done = [each async for each in reencrypt(engine, both)]
        assert sum(each.broken for each in done) == 1
        assert await _counts(engine) == {1: 1, 2: SEALED - 1}
        await engine.dispose()

    asyncio.run(story())


async def while_a_file_is_taken(url: str, check: Callable[[], None]) -> None:
    """A process started before the key change, encrypting under the old key until it ends."""
    engine = make_engine(url)
    file = {"source_id": "source-x", "dataset": "penalty", "file_digest": bytes(32)}
    async with engine.connect() as connection:
        assert await try_lock_job(connection, file)
        await asyncio.to_thread(check)
    await engine.dispose()


def refused_for_now(result: Result) -> None:
    assert result.exit_code == 2
    assert "1 files are being taken" in result.output


def test_the_commands_lead_from_one_key_to_the_next(url: str, tmp_path: Path) -> None:
    """Add, use, rotate, drop; a key in use is not dropped."""
    file = tmp_path / "vault-keys.json"
    file.write_text(FILE)
    file.chmod(0o600)
    environment = {"XINQIAO_DATABASE_URL": url, "XINQIAO_VAULT_KEYS": str(file)}

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(app, ["personal", *arguments], env=environment)

    assert "Key 2 is in the file" in run("new-key").output
    assert VaultKeys.parse(file.read_text()).current == 1
    assert "Key 2 seals" in run("use-key", "2").output
    refused = run("drop-key", "1")
    assert refused.exit_code == 2
    assert f"{SEALED} values lie under key 1" in refused.output
    assert f"{SEALED} values sealed anew under key 2" in run("rotate").output
    shown = run("status").output
    assert "enterprise\t2\tcurrent\t70" in shown
    assert "\told" not in shown
    assert run("drop-key", "2").exit_code == 2
    asyncio.run(while_a_file_is_taken(url, lambda: refused_for_now(run("drop-key", "1"))))
    assert "Key 1 is gone" in run("drop-key", "1").output
    assert set(VaultKeys.parse(file.read_text()).keys) == {2}
    assert file.stat().st_mode & 0o777 == 0o600
    assert "15400000009" not in shown


def test_a_file_of_keys_changes_only_as_it_may() -> None:
    """One step at a time."""
    file = json.loads(FILE)
    with pytest.raises(VaultFileError, match="no key 2"):
        using_key(file, 2)
    with pytest.raises(VaultFileError, match="one that seals"):
        without_key(file, 1)
    full = {**file, "keys": {**file["keys"], "255": file["keys"]["1"]}}
    with pytest.raises(VaultFileError, match="no ids left"):
        with_new_key(full)


@pytest.mark.asyncio(loop_scope="session")
async def test_a_key_counts_as_used_by_any_column_of_a_table(postgres_url: str) -> None:
    """A key that only one of two columns still needs is not to be dropped."""
    engine = make_engine(await new_database(postgres_url))
    values = {"asked": bytes((1, 1)), "answers": bytes((1, 2)), "now": OLD}
    async with engine.begin() as connection:
        await connection.execute(
            text(
                "INSERT INTO verification_job (job_id, client_id, state, lines, broken, answered,"
                " completed, problems, tree, attempts, created_at)"
                " VALUES ('j', 'c', 'running', 1, 0, 0, 0, 0, '', 0, :now)"
            ),
            {"now": OLD},
        )
        await connection.execute(
            text(
                "INSERT INTO verification_job_set"
                " (job_id, upload_id, first_line, lines, told, asked, answers, at)"
                " VALUES ('j', 'u', 1, 1, 0, :asked, :answers, :now)"
            ),
            values,
        )
        found = await count_by_key(connection)
    await engine.dispose()
    assert found["verification_job_set"] == {1: 1, 2: 1}
