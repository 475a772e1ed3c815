"""Baseline endpoint: the least work of a verification, each step once.

One ES256 verification, one Redis round trip, one PostgreSQL read by key, one committed insert, one
Ed25519 signature. Its key is known beforehand and its limits are a single SET. `/baseline/records`
reads, parses and sends 20 records too, whatever they are.
"""

import base64
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import asyncpg
import jwt
import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi import FastAPI, Request, Response
from jwt.types import Options
from redis.asyncio import Redis
from sqlalchemy.engine import make_url

from gateway.prefix_router import PrefixRouter

POOL = 10  # as the gateway's default
REDIS_CONNECTIONS = 2_000  # one for each call under way: at 100 redis-py would refuse more
REMEMBER_SECONDS = 180
TABLE = "CREATE TABLE IF NOT EXISTS bench_baseline (id text PRIMARY KEY, uscc text, answer bytea)"
READ = "SELECT name, status FROM enterprise WHERE uscc = $1"
READ_RECORDS = """
    SELECT CAST(json_agg(r) AS text) FROM (
        SELECT * FROM record WHERE uscc = $1 ORDER BY decided_on DESC, record_id LIMIT 20) AS r"""
SENT = ("dataset", "record_id", "version", "source_name", "source_time", "valid_to", "fields")
WRITE = "INSERT INTO bench_baseline (id, uscc, answer) VALUES ($1, $2, $3)"
UNTIMED: Options = {"verify_exp": False, "verify_iat": False, "verify_aud": False}


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """Connections and keys of the baseline's five steps."""

    pool: Any  # asyncpg has no types
    redis: "Redis"
    public: Any  # PyJWT's keys are any of cryptography's
    private: Ed25519PrivateKey

    @classmethod
    async def open(cls, *, database: str, redis: str, jwk: str) -> Self:
        """Connect, and create the table if it is missing."""
        address = make_url(database)
        pool = await asyncpg.create_pool(
            host=address.query["host"],
            user=address.username,
            database=address.database,
            min_size=POOL,
            max_size=POOL,
            reset=_nothing_to_reset,
        )
        await pool.execute(TABLE)
        return cls(
            pool=pool,
            redis=Redis.from_url(redis, max_connections=REDIS_CONNECTIONS),
            public=jwt.PyJWK(orjson.loads(jwk), algorithm="ES256").key,
            private=Ed25519PrivateKey.generate(),
        )

    async def close(self) -> None:
        """Close the connections."""
        await self.redis.aclose()
        await self.pool.close()

    def verify(self, proof: str) -> dict[str, Any]:
        """One ES256 verification."""
        claims: dict[str, Any] = jwt.decode(
            proof, self.public, algorithms=["ES256"], options=UNTIMED
        )
        return claims

    async def first_seen(self, jti: str) -> bool:
        """One Redis round trip."""
        return bool(await self.redis.set(f"baseline:{jti}", 1, nx=True, ex=REMEMBER_SECONDS))

    async def read(self, uscc: str) -> dict[str, Any]:
        """One PostgreSQL read of one row by its key."""
        return dict(await self.pool.fetchrow(READ, uscc))

    async def read_records(self, uscc: str) -> dict[str, Any]:
        """One PostgreSQL read of 20 rows by the first part of their key."""
        rows = orjson.loads(await self.pool.fetchval(READ_RECORDS, uscc))
        return {"records": [{name: row[name] for name in SENT} for row in rows]}

    async def write(self, jti: str, uscc: str, answer: bytes) -> None:
        """One insert, committed."""
        await self.pool.execute(WRITE, jti, uscc, answer)

    def sign(self, answer: bytes) -> str:
        """One Ed25519 signature."""
        return base64.b64encode(self.private.sign(answer)).decode()


async def _nothing_to_reset(_connection: object) -> None:
    """Skip asyncpg's session reset, as the gateway's pool does."""


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    names = ("database", "redis", "jwk")
    app.state.baseline = await Baseline.open(**{n: os.environ[f"BENCH_{n.upper()}"] for n in names})
    yield
    await app.state.baseline.close()


def baseline() -> FastAPI:
    """The baseline as an application, configured by BENCH_… variables."""
    app = FastAPI(lifespan=_lifespan, openapi_url=None)

    @app.post("/baseline")
    async def answer(request: Request) -> Response:
        return await _answered(request, request.app.state.baseline.read)

    @app.post("/baseline/records")
    async def answer_records(request: Request) -> Response:
        return await _answered(request, request.app.state.baseline.read_records)

    return app


async def _answered(request: Request, read: Callable[[str], Awaitable[dict[str, Any]]]) -> Response:
    """The five steps, with this read."""
    of: Baseline = request.app.state.baseline
    claims = of.verify(request.headers["dpop"])
    uscc = orjson.loads(await request.body())["enterprise"]["uscc"]
    if not await of.first_seen(claims["jti"]):
        return Response(status_code=401)
    told = orjson.dumps(await read(uscc))
    await of.write(claims["jti"], uscc, told)
    headers = {"Signature": of.sign(told)}
    return Response(told, media_type="application/json", headers=headers)


def echo() -> FastAPI:
    """Echo application: answers with the request's body."""
    app = FastAPI(openapi_url=None)

    @app.post("/echo")
    async def answer(request: Request) -> Response:
        return Response(await request.body(), media_type="application/json")

    return app


def _page_router() -> PrefixRouter:
    """Endpoint that sends one page's bytes and headers, from the file that BENCH_PAGE names."""
    page = orjson.loads(Path(os.environ["BENCH_PAGE"]).read_bytes())
    body, headers = base64.b64decode(page["body"]), dict(page["headers"])
    router = PrefixRouter()

    @router.get("/bare/{code_id}", include_in_schema=False)
    async def answer(code_id: str) -> Response:  # noqa: ARG001  # as the gateway's route has it
        return Response(body, headers=headers)

    return router


def bare() -> FastAPI:
    """The gateway's application, with an endpoint that only sends bytes before all others."""
    from gateway.app import create_app  # the other servers are to load nothing of the gateway
    from gateway.settings import Settings

    app = create_app(Settings.from_env())
    others = list(app.router.routes)
    app.include_router(_page_router())
    app.router.routes[:] = [app.router.routes[-1], *others]
    return app


def static() -> FastAPI:
    """Application with nothing but the endpoint that sends bytes."""
    app = FastAPI(openapi_url=None)
    app.include_router(_page_router())
    return app
