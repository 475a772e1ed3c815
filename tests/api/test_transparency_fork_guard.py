"""Fork guard: a gateway whose log conflicts with the kept checkpoint neither starts nor serves."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx2
import pytest
import pytest_asyncio
from fastapi import FastAPI
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from typer.testing import CliRunner, Result

from gateway.cli.main import app as command
from gateway.db.engine import make_engine
from gateway.privacy.field_encryption import Vault
from gateway.runtime import Runtime
from gateway.settings import Settings
from gateway.signing.keys import KeyRing, new_key_file
from gateway.transparency.checkpoint_stores import CHECKPOINT_FILE
from gateway.transparency.checkpoints import open_checkpoint, origin_of, sign_checkpoint
from gateway.transparency.rollback import LogForkedError
from tests.databases import copy_of, new_database
from tests.gateway_fixture import in_process
from tests.log_builders import make_checkpoint_folder, write_disclosures
from tests.oauth_builders import ISSUER, SECRET
from tests.servers.gateway_process import environment, run
from xinqiao._core.signatures.exchange import Exchange
from xinqiao._core.signatures.http_signatures import read_claims, verify_signature
from xinqiao._core.signatures.keys import KeySet

pytestmark = pytest.mark.asyncio

ORIGIN = origin_of(ISSUER)
ROUTES = (
    ("GET", "/readyz"),
    ("GET", "/log/checkpoint"),
    ("GET", "/log/tile/0/000.p/1"),
    ("POST", "/v1/verifications"),
    ("GET", "/v1/questions"),
    ("GET", "/E/ABCDEFGHIJKLMNOP"),
    ("GET", "/portal"),
    ("GET", "/openapi.json"),
    ("GET", "/nowhere"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """An installation: settings and kept checkpoint."""

    settings: Settings
    folder: Path

    @property
    def file(self) -> Path:
        """File of the kept checkpoint."""
        return Path(self.settings.log_checkpoints[0]) / CHECKPOINT_FILE

    @property
    def size(self) -> int:
        """Tree size of the kept checkpoint."""
        keys = KeyRing.read(self.settings.signing_keys).published_for("log")
        return open_checkpoint(self.file.read_bytes(), ORIGIN, keys).size

    def keep(self, size: int) -> None:
        """Store a checkpoint of this log, signed elsewhere."""
        keys = KeyRing.read(self.settings.signing_keys)
        note = sign_checkpoint(ORIGIN, size, bytes(32), keys.current("log", datetime.now(UTC)))
        self.file.write_text(note)

    def on(self, url: str) -> "Installation":
        """The same installation on another database."""
        return Installation(
            settings=self.settings.model_copy(update={"database_url": url}), folder=self.folder
        )

    @asynccontextmanager
    async def served(self) -> AsyncIterator[tuple[FastAPI, httpx2.AsyncClient]]:
        """The gateway in process."""
        async with in_process(self.settings, lambda: datetime.now(UTC)) as running:
            yield running

    def shell(self, *arguments: str) -> Result:
        """Run an operator's command."""
        env = environment(self.settings, XINQIAO_OPERATOR="fang", COLUMNS="300")
        return CliRunner().invoke(command, list(arguments), env=env)

    async def run(self, *arguments: str) -> Result:
        """Run the command in a thread, since it starts its own event loop."""
        return await asyncio.to_thread(self.shell, *arguments)


@pytest_asyncio.fixture
async def place(postgres_url: str, tmp_path: Path) -> Installation:
    """A new installation."""
    signing, vault = tmp_path / "signing", tmp_path / "vault"
    signing.write_text(new_key_file())
    vault.write_text(Vault.generate_keys())
    settings = Settings(
        database_url=await new_database(postgres_url),
        issuer=ISSUER,
        secret=SECRET,
        signing_keys=signing,
        vault_keys=vault,
        log_checkpoints=(make_checkpoint_folder(tmp_path),),
    )
    return Installation(settings=settings, folder=tmp_path)


async def wait_until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Wait until the condition holds."""
    async with asyncio.timeout(60):
        while not await condition():  # noqa: ASYNC110  # the gateway tells nobody
            await asyncio.sleep(0.05)


async def answers(http: httpx2.AsyncClient, path: str, status: int) -> bool:
    """True if `path` answers with this status."""
    return (await http.get(path)).status_code == status


def assert_signed(answer: httpx2.Response, runtime: Runtime) -> None:
    """Assert a signature of the gateway over the answer and its request."""
    exchange, keys = Exchange.of(answer), KeySet.read(runtime.keys.published())
    exchange = replace(exchange, request_body=b"")  # sent without a digest
    claimed = read_claims(exchange)
    key = keys.get(claimed.keyid)
    assert key is not None
    verify_signature(
        exchange, claimed, key, earliest=None, latest=datetime.now(UTC) + timedelta(minutes=5)
    )


def ready(http: httpx2.AsyncClient, status: int) -> Callable[[], Awaitable[bool]]:
    """True if `/readyz` answers with this status."""
    return lambda: answers(http, "/readyz", status)


@asynccontextmanager
async def open_engine(place: Installation) -> AsyncIterator[AsyncEngine]:
    """Connections to its database."""
    engine = make_engine(place.settings.database_url, pool_size=1)
    yield engine
    await engine.dispose()


async def pending(engine: AsyncEngine) -> int:
    """Number of pending leaves."""
    async with engine.connect() as connection:
        return int(
            (await connection.execute(text("SELECT count(*) FROM pending_leaf"))).scalar_one()
        )


async def test_a_running_gateway_that_finds_a_fork_answers_nothing_more(
    place: Installation,
) -> None:
    """503 in each form; nothing is sequenced, and the metrics show it."""
    async with place.served() as (app, http):
        runtime: Runtime = app.state.runtime
        await wait_until(ready(http, 200))
        place.keep(1_000)
        await wait_until(ready(http, 503))
        for method, path in ROUTES:
            answer = await http.request(method, path, json={} if method == "POST" else None)
            assert (answer.status_code, answer.json()["code"]) == (503, "temporarily_unavailable")
            assert answer.headers["retry-after"]
            assert answer.json()["request_id"] == answer.headers["x-request-id"]
            if path.startswith("/v1"):
                assert_signed(answer, runtime)
        for path in ("/oauth/token", "/oauth/par", "/oauth/introspect", "/oauth/revoke"):
            answer = await http.post(path, data={"grant_type": "client_credentials"})
            assert (answer.status_code, answer.json()["error"]) == (503, "temporarily_unavailable")
        page = await http.get("/E/ABCDEFGHIJKLMNOP", headers={"Accept": "text/html"})
        assert (page.status_code, page.headers["content-type"]) == (503, "text/html; charset=utf-8")
        assert (await http.get("/healthz")).status_code == 200
        assert "\nxinqiao_log_forked 1.0\n" in (await http.get("/metrics")).text
        waiting = await pending(runtime.engine)
        await write_disclosures(runtime.hot, 3)
        place.file.unlink()  # nothing but a start brings it back
        assert await ready(http, 503)()
    async with open_engine(place) as engine:
        assert await pending(engine) == waiting + 3


async def test_a_call_under_way_when_a_fork_is_found_is_not_answered(place: Installation) -> None:
    """A long poll that waited while the database was replaced."""
    async with place.served() as (app, http):

        async def found() -> dict[str, str]:
            app.state.runtime.log_status.fork()
            return {"told": "too much"}

        app.add_api_route("/v1/slow", found)
        answer = await http.get("/v1/slow")
        assert (answer.status_code, answer.json()["code"]) == (503, "temporarily_unavailable")
        assert_signed(answer, app.state.runtime)


async def test_a_gateway_on_a_restored_database_does_not_start(place: Installation) -> None:
    """The worker raises; the command prints the sentence before listening."""
    async with place.served() as (_, http):
        await wait_until(ready(http, 200))
    dump = await copy_of(place.settings.database_url)
    before = place.size
    async with place.served() as (app, _):
        await write_disclosures(app.state.runtime.hot, 4)
    assert place.size == before + 4
    restored = place.on(dump)
    with pytest.raises(LogForkedError, match=f"has {before} entries"):
        async with restored.served():
            pass
    done = await asyncio.to_thread(run, "serve", environ=environment(restored.settings))
    assert (done.returncode, done.stdout) == (2, "")
    [sentence] = done.stderr.splitlines()
    assert f"has {before} entries" in sentence
    assert f"has {before + 4}: the database has lost" in sentence
    assert sentence.endswith("to the end of its write-ahead log: docs/operate/backup.md.")


async def test_a_place_that_is_away_stops_the_answers_until_it_is_back(place: Installation) -> None:
    """After some seconds, shortened here; then everything continues."""
    async with place.served() as (app, http):
        await wait_until(lambda: answers(http, "/log/checkpoint", 200))
        app.state.runtime.log_status.clock = lambda: 100 * time.monotonic()
        before = place.size
        kept = place.file.rename(place.folder / "kept")
        await wait_until(ready(http, 503))
        assert (await http.get("/log/checkpoint")).status_code == 503
        await write_disclosures(app.state.runtime.hot, 3)
        kept.rename(place.file)
        await wait_until(ready(http, 200))
        await wait_until(lambda: has_grown(place, before))


async def has_grown(place: Installation, before: int) -> bool:
    """True if the kept checkpoint has grown."""
    return place.size >= before + 3


async def test_a_log_that_was_never_kept_outside_begins_with_an_operators_command(
    place: Installation,
) -> None:
    """After an upgrade or a move: with the known size, as an audited act."""
    async with place.served() as (_, http):
        await wait_until(ready(http, 200))
    size = place.size
    place.file.unlink()
    done = await place.run("log", "check")
    assert (done.exit_code, "missing" in done.stdout) == (2, True)
    assert f"has no checkpoint, but the log's published one has {size}" in done.stderr
    wrong = await place.run("log", "put-checkpoint", "--size", str(size + 1))
    assert (wrong.exit_code, place.file.exists()) == (2, False)
    assert f"has {size} entries, not {size + 1}" in wrong.stderr
    right = await place.run("log", "put-checkpoint", "--size", str(size))
    assert right.exit_code == 0, right.stderr
    assert place.size == size
    done = await place.run("log", "check")
    assert (done.exit_code, "consistent" in done.stdout) == (0, True)
    async with place.served() as (app, _), app.state.runtime.engine.connect() as connection:
        acts = await connection.execute(
            text("SELECT what, operator_name, subject FROM operator_act")
        )
        assert [tuple(each) for each in acts] == [("checkpoint.put", "fang", str(size))]


async def test_no_command_puts_a_smaller_checkpoint_over_a_larger_one(place: Installation) -> None:
    """Recovery is by the write-ahead log, not by a command."""
    async with place.served() as (_, http):
        await wait_until(ready(http, 200))
    size = place.size
    place.keep(size + 4)
    kept = place.file.read_bytes()
    for arguments in (("check",), ("put-checkpoint", "--size", str(size))):
        done = await place.run("log", *arguments)
        assert done.exit_code == 2
        assert "the database has lost what was committed after it" in done.stderr
    assert place.file.read_bytes() == kept


async def test_a_new_log_begins_by_itself(place: Installation) -> None:
    """A new log needs no command."""
    done = await place.run("log", "check")
    assert (done.exit_code, done.stderr) == (0, "")
    done = await place.run("log", "put-checkpoint", "--size", "0")
    assert "has not begun" in done.stderr
    async with place.served() as (_, http):
        await wait_until(ready(http, 200))
    assert place.size > 0
