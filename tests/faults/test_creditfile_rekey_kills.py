"""`record refold` killed and resumed: each enterprise is rewritten completely or not at all."""

import asyncio
import os
import random
import signal
import sys
import textwrap
from pathlib import Path
from typing import Final

import orjson
from sqlalchemy import text

from gateway.creditfile.personal_fields import open_record, seal_record, sealed_row_name
from gateway.creditfile.records import Record
from gateway.db.engine import make_engine
from gateway.privacy.field_encryption import Vault
from tests.databases import new_database
from tests.natural_keys_fixture import NOW, SOURCE, NaturalKeysFixture

KILLS: Final = 20 if os.environ.get("FULL") else 2
ENTERPRISES: Final = 80 * KILLS
PROGRAM: Final = textwrap.dedent("""
    import asyncio, sys
    from datetime import UTC, datetime
    from pathlib import Path
    from gateway.creditfile.catalogue import load_catalogue
    from gateway.creditfile.rekey_records import refold_keys
    from gateway.privacy.field_encryption import Vault, VaultKeys
    from gateway.db.engine import make_engine

    async def main():
        engine = make_engine(sys.argv[1], pool_size=1)
        vault = Vault(VaultKeys.parse(Path(sys.argv[2]).read_text()))
        now = datetime(2026, 11, 28, 4, 0, tzinfo=UTC)
        async for _ in refold_keys(engine, vault, load_catalogue(), now=now, enterprises=1):
            pass

    asyncio.run(main())
""")
FILL: Final = text("""
    INSERT INTO record (uscc, record_id, dataset, source_id, natural_key, source_name, source_time,
                        catalogue_version, repaired_at, fields, personal, digests)
    VALUES (:uscc, :id, 'judgment_defaulter', 'market', :key, '法院（合成）', now(), '2026.1',
            CAST(:repaired_at AS timestamptz),
            jsonb_build_object('case_number', CAST(:key AS text), 'published_on', '2026-08-01'),
            CAST(:personal AS bytea), CAST(:digests AS jsonb))""")


async def test_a_killed_run_is_finished_by_the_next(postgres_url: str, tmp_path: Path) -> None:
    """Two spellings of one case for each enterprise, one repaired: one record remains."""
    url, file = await new_database(postgres_url), tmp_path / "vault-keys.json"
    file.write_text(keys := Vault.generate_keys())
    engine = make_engine(url, pool_size=2)
    files = NaturalKeysFixture(engine, keys)
    await fill(files)
    left = []
    for _ in range(KILLS):
        await run_and_kill(files, url, file)
        left.append(await check(files))
    assert await files.refold(enterprises=100)
    assert await check(files) == 0
    assert left == sorted(left, reverse=True)
    assert 0 < left[0] < ENTERPRISES, "the first kill came in the middle"
    await engine.dispose()


async def fill(files: NaturalKeysFixture) -> None:
    """Two records of one case for each enterprise, each with an encrypted number."""
    rows = []
    for place in range(ENTERPRISES):
        uscc = f"91330106MA{place:08d}"
        for dash, end in (("—", NOW), ("－", None)):
            key = f"（2026）浙执3{dash}{place}号"
            row = sealed_row_name(uscc, SOURCE.source_id, "judgment_defaulter", key)
            sealed, digests = seal_record(files.vault, row, {"person_id_number": f"{place}"})
            of: dict[str, object] = {
                "uscc": uscc,
                "id": f"rec_{place}{dash}",
                "key": key,
                "repaired_at": end,
            }
            rows.append(of | {"personal": sealed, "digests": digests})
    async with files.engine.begin() as connection:
        await connection.execute(FILL, rows)
    await files.are_due()


async def run_and_kill(files: NaturalKeysFixture, url: str, file: Path) -> None:
    """Kill a run at a random moment after its first transaction."""
    before = await reached(files)
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", PROGRAM, url, str(file))
    async with asyncio.timeout(120):
        while process.returncode is None and await reached(files) == before:  # noqa: ASYNC110
            await asyncio.sleep(0.005)
    await asyncio.sleep(random.uniform(0, 0.03))  # noqa: S311  # any moment will do
    if process.returncode is None:
        process.send_signal(signal.SIGKILL)
    await process.wait()


async def reached(files: NaturalKeysFixture) -> str:
    """Enterprises completed by the runs."""
    rows = await files.run("SELECT reached FROM key_folding")
    return rows[0]["reached"] if rows else ""


async def check(files: NaturalKeysFixture) -> int:
    """Enterprises left; completed ones are verified, encrypted fields included."""
    rows = await files.run("SELECT CAST(to_jsonb(r) AS text) AS r FROM record AS r")
    held: dict[str, list[Record]] = {}
    for row in rows:
        record = Record.from_json(orjson.loads(row["r"]))
        held.setdefault(record.uscc, []).append(record)
        number = f"{int(record.uscc[-8:])}"
        assert open_record(files.vault, record) == {"person_id_number": number}
    parts = {row["uscc"] for row in await files.run("SELECT uscc FROM record_history")}
    done = {uscc for uscc, records in held.items() if len(records) == 1}
    assert done == parts
    assert len(held) == ENTERPRISES
    for uscc in done:
        (record,) = held[uscc]
        assert record.repaired_at is not None
        assert record.natural_key == f"〔2026〕浙执3-{int(uscc[-8:])}号"
    return ENTERPRISES - len(done)
