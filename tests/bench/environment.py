"""Benchmark environment: PostgreSQL, Redis and a synthetic province, removed after the run.

PostgreSQL keeps its defaults: a commit is on the disk before it is answered.
"""

import asyncio
import atexit
import random
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import asyncpg
import orjson
from pydantic import SecretStr
from sqlalchemy import select
from sqlalchemy.engine import make_url

from gateway.clients.registry import put_agreement
from gateway.creditfile.tables import enterprise
from gateway.db import embedded
from gateway.limits.quotas import LARGEST_QUOTA, Quotas
from gateway.migrations.run import upgrade
from gateway.open_runtime import close_runtime, open_runtime
from gateway.runtime import Runtime
from gateway.settings import Settings
from gateway.synthetic.demo.clients import DEMO_CLIENTS, terms_of
from gateway.synthetic.demo.seed import seed_demo
from gateway.synthetic.demo.state import DemoFolder, DemoState
from tests.bench.options import BANK, KIT_CLIENT, PURPOSE, free_port
from tests.servers.redis_server import BINARY, RedisServer
from xinqiao._core.signatures.jose import generate_dpop_key

PUBLIC: Final = frozenset({"kty", "crv", "x", "y", "kid", "use", "alg"})
UNLIMITED: Final = Quotas(
    per_minute=LARGEST_QUOTA,
    per_day=LARGEST_QUOTA,
    per_enterprise_per_minute=LARGEST_QUOTA,
    distinct_enterprises_per_day=LARGEST_QUOTA,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """A running environment; `bodies` are requests about all enterprises."""

    settings: Settings
    redis: RedisServer
    database_folder: Path
    kit: Mapping[str, Any]
    jwk: Mapping[str, str]
    bodies: tuple[bytes, ...]
    port: int

    @property
    def variables(self) -> dict[str, str]:
        """Environment variables of the gateway and of the baseline."""
        of = self.settings
        public = {name: value for name, value in self.jwk.items() if name != "d"}
        return {
            "XINQIAO_DEMO": "true",
            "XINQIAO_ISSUER": of.issuer,
            "XINQIAO_DATABASE_URL": of.database_url,
            "XINQIAO_SECRET": of.secret.get_secret_value(),
            "XINQIAO_SIGNING_KEYS": str(of.signing_keys),
            "XINQIAO_VAULT_KEYS": str(of.vault_keys),
            "XINQIAO_LOG_CHECKPOINTS": ",".join(of.log_checkpoints),
            "XINQIAO_DEMO_PEOPLE": str(of.demo_people),
            "XINQIAO_REDIS_URL": self.redis.url,
            "BENCH_DATABASE": of.database_url,
            "BENCH_REDIS": self.redis.plain_url,
            "BENCH_JWK": orjson.dumps(public).decode(),
        }

    async def forget_probes(self) -> None:
        """Empty the probe budgets, since a repeated question costs less."""
        host = make_url(self.settings.database_url).query["host"]
        connection = await asyncpg.connect(host=host, user="postgres", database=embedded.DATABASE)
        await connection.execute("TRUNCATE probe")
        await connection.close()


@contextmanager
def environment(entities: int) -> Iterator[Environment]:
    """Start and fill the environment."""
    if BINARY is None:
        raise SystemExit("redis-server is not installed; the benchmark needs one.")
    path = Path(tempfile.mkdtemp(prefix="xq-bench-"))
    folder = DemoFolder(path)
    state = folder.open(port=free_port(), entities=entities)
    database = Path(state.database_folder)
    # Before the server: what is registered first runs last, when the server has stopped.
    for made in (path, database if path in database.parents else database.parent):
        atexit.register(shutil.rmtree, made, ignore_errors=True)
    server = embedded.start(database)
    asyncio.run(embedded.ensure_database(server))
    upgrade(server.url())
    with RedisServer() as redis:
        settings = folder.settings(state, server.url())
        settings = settings.model_copy(update={"redis_url": SecretStr(redis.url)})
        kit, bodies = asyncio.run(_filled(settings, folder, state))
        yield Environment(
            settings=settings,
            redis=redis,
            database_folder=database,
            kit=kit,
            jwk=generate_dpop_key(),
            bodies=bodies,
            port=state.port,
        )


async def _filled(
    settings: Settings, folder: DemoFolder, state: DemoState
) -> tuple[dict[str, Any], tuple[bytes, ...]]:
    runtime = await open_runtime(settings)
    try:
        kit = await seed_demo(runtime, folder, state, lambda _: None)
        await _lift_quotas(runtime)
        return kit, await _bodies(runtime)
    finally:
        await close_runtime(runtime)


async def _lift_quotas(runtime: Runtime) -> None:
    async with runtime.engine.begin() as connection:
        for role in DEMO_CLIENTS:
            if role.key in {KIT_CLIENT, BANK}:
                terms = replace(terms_of(role, runtime.now()), quotas=UNLIMITED)
                await put_agreement(connection, role.client_id, terms)


async def _bodies(runtime: Runtime) -> tuple[bytes, ...]:
    """A request body for each enterprise, shuffled."""
    of = enterprise.c
    async with runtime.engine.connect() as connection:
        sound = select(of.uscc, of.name).where(of.code_ok).order_by(of.uscc)
        found = await connection.execute(sound)
        rows = list(found.all())
    random.Random(1).shuffle(rows)  # noqa: S311  # the same order in each run
    return tuple(body_about(row.uscc, row.name) for row in rows)


def body_about(uscc: str, name: str) -> bytes:
    """Request body with five questions about one enterprise."""
    asked = (
        ("enterprise_name.v1", name),
        ("is_active.v1", None),
        ("legal_representative_name.v1", "不是本人"),
        ("rating_at_least.v1", "良好"),
        ("not_on_serious_violation_list.v1", None),
    )
    questions = [{"question": tag} | ({"value": value} if value else {}) for tag, value in asked]
    return orjson.dumps({"enterprise": {"uscc": uscc}, "purpose": PURPOSE, "questions": questions})


def public_keys(kit: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Public keys of the kit's platform client."""
    private = kit["clients"][KIT_CLIENT]["private_jwks"]["keys"]
    return [{name: value for name, value in jwk.items() if name in PUBLIC} for jwk in private]
