"""Retention killed and resumed: each record is complete, or deleted and proved once."""

import asyncio
import os
import random
import secrets
import signal
import sys
import textwrap
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final

from sqlalchemy import insert, text

from gateway.creditfile.catalogue import load_catalogue
from gateway.creditfile.retention import deletion_proof
from gateway.creditfile.retention.delete import Deleter
from gateway.creditfile.tables import record
from gateway.db.engine import make_engine
from gateway.signing.keys import KeyRing, new_key_file, read_keys
from tests.creditfile_builders import make_record
from tests.databases import new_database
from tests.waiting import PATIENCE

KILLS: Final = 20 if os.environ.get("FULL") else 3
RECORDS: Final = 200 * KILLS
NOW: Final = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
PROGRAM: Final = textwrap.dedent("""
    import asyncio, sys
    from datetime import UTC, datetime
    from pathlib import Path
    from gateway.creditfile.catalogue import load_catalogue
    from gateway.creditfile.retention.delete import Deleter
    from gateway.db.engine import make_engine
    from gateway.signing.keys import KeyRing, read_keys

    async def main():
        engine = make_engine(sys.argv[1], pool_size=1)
        deleter = Deleter(
            engine=engine,
            keys=KeyRing(read_keys(Path(sys.argv[2]))),
            catalogue=load_catalogue(),
            issuer="https://credit.test",
        )
        print("ready", flush=True)
        await deleter.run(now=datetime(2026, 11, 22, 4, 0, tzinfo=UTC))

    asyncio.run(main())
""")


async def test_retention_is_killed_anywhere_and_finished_by_the_next(
    postgres_url: str, tmp_path: Path
) -> None:
    """The rest is deleted by an undisturbed run; each version is in one proof."""
    url, keys = await new_database(postgres_url), tmp_path / "keys"
    keys.write_text(new_key_file(datetime(2026, 1, 1, tzinfo=UTC)))
    ids = await make_full_table(url)
    left = []
    for _ in range(KILLS):
        await run_and_kill(url, keys)
        left.append(await check(url, keys, ids))
    engine = make_engine(url, pool_size=1)
    ring = KeyRing(read_keys(keys))
    await Deleter(
        engine=engine, keys=ring, catalogue=load_catalogue(), issuer="https://credit.test"
    ).run(now=NOW)
    await engine.dispose()
    assert await check(url, keys, ids) == 0
    assert left == sorted(left, reverse=True)
    assert 0 < left[0] < RECORDS, "the first kill came in the middle"


async def make_full_table(url: str) -> list[str]:
    """Penalties past retention, two for each enterprise."""
    long_ago = date(2015, 1, 5).isoformat()
    ids = [f"rec_{secrets.token_hex(8)}" for _ in range(RECORDS)]
    engine = make_engine(url, pool_size=1)
    async with engine.begin() as connection:
        for place, record_id in enumerate(ids):
            made = make_record(
                uscc=f"91330106MA{place // 2:08d}",
                record_id=record_id,
                document_number=record_id,
                decided_on=long_ago,
                determined_on=long_ago,
                published_on=long_ago,
            )
            row = {c.name: getattr(made, c.name) for c in record.columns}
            row = {name: value for name, value in row.items() if value is not None}
            await connection.execute(insert(record).values(row | {"fields": dict(made.fields)}))
    await engine.dispose()
    return ids


async def run_and_kill(url: str, keys: Path) -> None:
    """Start the deletion in a process and kill it at a random moment."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PROGRAM, url, str(keys), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    before = await proofs(url)
    async with asyncio.timeout(PATIENCE):
        assert await process.stdout.readline() == b"ready\n"
        while process.returncode is None and await proofs(url) == before:
            continue
    await asyncio.sleep(random.uniform(0, 0.03))  # noqa: S311  # any moment will do
    if process.returncode is None:
        process.send_signal(signal.SIGKILL)
    await process.wait()


async def proofs(url: str) -> int:
    """Number of committed transactions."""
    engine = make_engine(url, pool_size=1)
    async with engine.connect() as connection:
        found = await connection.execute(text("SELECT count(*) FROM deletion_proof"))
        count: int = found.scalar_one()
    await engine.dispose()
    return count


async def check(url: str, keys: Path, ids: list[str]) -> int:
    """Records left; each deleted one is in exactly one verified proof."""
    jwks = KeyRing(read_keys(keys)).published()
    engine = make_engine(url, pool_size=1)
    async with engine.connect() as connection:
        held = set((await connection.execute(text("SELECT record_id FROM record"))).scalars())
        found = (
            await connection.execute(
                text("SELECT statement, salt, commitments FROM deletion_proof")
            )
        ).all()
        leaves = (await connection.execute(text("SELECT count(*) FROM pending_leaf"))).scalar_one()
    await engine.dispose()
    for row in found:
        deletion_proof.verify(
            deletion_proof.proof_document(row.statement, row.salt, row.commitments), jwks
        )
    for record_id in ids:
        times = sum(deletion_proof.commitment(r.salt, record_id, 1) in r.commitments for r in found)
        assert times == (0 if record_id in held else 1), record_id
    assert leaves == len(found)
    return len(held)
