"""Ingest fixture: a database with an authorised source, files, and the `ingest` command."""

import asyncio
import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import asyncpg
import orjson
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import RowMapping, text
from typer.testing import CliRunner

from gateway.cli.main import app
from gateway.clients import registry
from gateway.clients.registration import Registration
from gateway.db.engine import make_engine
from gateway.privacy.field_encryption import Vault
from gateway.synthetic.demo.clients import DEMO_CLIENTS, terms_of
from tests.databases import new_database
from tests.oauth_builders import public_jwk
from tests.waiting import PATIENCE
from verification.uscc import check_character

SOURCES: Final = ("market", "rival", "ended")
DATASETS: Final = frozenset({"registration", "licence", "penalty", "annual_report"})
# A shell ignores SIGINT in what it runs in the background (POSIX §2.11), and children inherit that.
_COMMAND: Final = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
from gateway.cli.main import main
main()
"""
_GATE: Final = 4711
_HOLD: Final = """
CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.rows > {beyond} THEN
        PERFORM pg_advisory_xact_lock_shared({gate});
    END IF;
    RETURN NEW;
END $$
"""
_HELD: Final = """
SELECT pid FROM pg_stat_activity
WHERE datname = current_database() AND wait_event_type = 'Lock' AND wait_event = 'advisory'
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandResult:
    """Result of a finished command."""

    status: int
    out: str
    err: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestFixture:
    """A folder of files and a database to ingest them into."""

    url: str
    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        """Environment variables of the command."""
        return {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(each for each in sys.path if each),
            "XINQIAO_DATABASE_URL": self.url,
            "XINQIAO_VAULT_KEYS": str(self.folder / "vault-keys.json"),
            "XINQIAO_OPERATOR": "fang",
            "COLUMNS": "200",
        }

    def arguments(
        self, *arguments: str, source: str = "market", dataset: str = "licence"
    ) -> list[str]:
        """Command-line arguments; a name with a dot is a file in the folder."""
        given = [str(self.folder / each) if "." in each else each for each in arguments]
        return ["ingest", *given, "--source", source, "--dataset", dataset]

    def ingest(self, *arguments: str, **options: str) -> CommandResult:
        """Run the command to its end."""
        done = CliRunner().invoke(app, self.arguments(*arguments, **options), env=self.environment)
        assert isinstance(done.exception, SystemExit | None), done.exc_info
        return CommandResult(status=done.exit_code, out=done.stdout, err=done.stderr)

    def start(self, *arguments: str, **options: str) -> subprocess.Popen[str]:
        """Start the command as a process."""
        return subprocess.Popen(
            [sys.executable, "-c", _COMMAND, *self.arguments(*arguments, **options)],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    @contextlib.contextmanager
    def held(self, *arguments: str, beyond: int, **options: str) -> Iterator[subprocess.Popen[str]]:
        """The command, stopped before it commits more than `beyond` rows; resumed after the block."""
        self.rows(_HOLD.format(beyond=beyond, gate=_GATE))
        self.rows(
            "CREATE TRIGGER hold BEFORE UPDATE ON intake_job FOR EACH ROW EXECUTE FUNCTION hold()"
        )
        with asyncio.Runner() as runner:
            gate = runner.run(asyncpg.connect(self.url.replace("+asyncpg", "")))
            runner.run(gate.execute(f"SELECT pg_advisory_lock({_GATE})"))
            run = self.start(*arguments, **options)
            until = time.monotonic() + PATIENCE
            while not self.rows(_HELD):
                assert run.poll() is None, run.communicate()
                assert time.monotonic() < until, "the ingest does not get on"
                time.sleep(0.05)
            yield run
            runner.run(gate.close())
        self.rows("DROP FUNCTION hold CASCADE")

    def write(self, name: str, content: bytes | str | Iterable[Mapping[str, Any]]) -> Path:
        """Write a file; rows are written as NDJSON."""
        path = self.folder / name
        if isinstance(content, str):
            path.write_text(content, encoding="utf-8")
        elif isinstance(content, bytes):
            path.write_bytes(content)
        else:
            path.write_bytes(b"".join(orjson.dumps(dict(row)) + b"\n" for row in content))
        return path

    def rows(self, sql: str) -> list[RowMapping]:
        """Rows of an SQL statement."""
        return asyncio.run(self._rows(sql))

    async def _rows(self, sql: str) -> list[RowMapping]:
        engine = make_engine(self.url, pool_size=1)
        try:
            async with engine.begin() as connection:
                found = await connection.execute(text(sql))
                return list(found.mappings()) if found.returns_rows else []
        finally:
            await engine.dispose()

    def content(self, table: str = "record") -> list[str]:
        """Rows of a table without the columns that differ by run: ids, times, ciphertexts."""
        told = (
            "SELECT CAST(to_jsonb(t) - '{record_id,registration_id,received_at,source_time,"
            "personal,digests,replaced_at,row}'::text[] AS text)"
        )
        if table.endswith("_history"):
            told += (
                " || CAST(t.row - '{record_id,registration_id,received_at,source_time,digests}'"
                "::text[] AS text)"
            )
        return sorted(row["held"] for row in self.rows(f"{told} AS held FROM {table} AS t"))


def make_source_database(postgres_url: str) -> str:
    """URL of a new database with the registered sources."""
    url = asyncio.run(new_database(postgres_url))
    asyncio.run(_add_sources(url))
    return url


def make_ingest_fixture(url: str, folder: Path) -> IngestFixture:
    """A fixture with empty credit files."""
    (folder / "vault-keys.json").write_text(Vault.generate_keys())
    fixture = IngestFixture(url=url, folder=folder)
    fixture.rows("TRUNCATE record, record_history, enterprise, enterprise_history, intake_job")
    return fixture


async def _add_sources(url: str) -> None:
    role = next(each for each in DEMO_CLIENTS if each.key == "source")
    engine = make_engine(url, pool_size=1)
    async with engine.begin() as connection:
        for client_id in SOURCES:
            registration = Registration(
                client_id=client_id,
                kind="source",
                name_zh="数源单位（合成）",
                name_en="Source (synthetic)",
                jwks={"keys": [public_jwk(ec.generate_private_key(ec.SECP256R1()), kid="k1")]},
                scopes=("records:write",),
            )
            now = datetime.now(UTC)
            await registry.register_client(connection, registration, now=now)
            terms = replace(terms_of(role, now), datasets=DATASETS)
            await registry.put_agreement(connection, client_id, terms)
    await engine.dispose()


def children_of(pid: int) -> list[int]:
    """Child processes of a process."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


def make_uscc(number: int) -> str:
    """USCC of the test enterprise with this number."""
    first17 = f"91330106{number * 7919 % 10**9:09d}"
    return first17 + check_character(first17)


def licences(count: int, *, changed: int = 0) -> list[dict[str, Any]]:
    """So many licences of a third as many enterprises; the first `changed` have other content."""
    return [
        {
            "uscc": make_uscc(number // 3),
            "number": f"浙许{number}",
            "name": "变更后的许可" if number < changed else "食品经营许可",
            "decided_on": f"2024-{number % 12 + 1:02}-{number % 28 + 1:02}",
        }
        for number in range(count)
    ]
