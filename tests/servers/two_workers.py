"""Two worker processes of the gateway on one PostgreSQL and one Redis."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import httpx2
import pytest
import pytest_asyncio

from gateway.identity import sessions
from gateway.limits.redis_store import RedisStore
from gateway.privacy.field_encryption import Vault
from tests.databases import new_database
from tests.gateway_fixture import query_body
from tests.oauth_builders import SECRET, USCC, Bank, OAuthFixture, digest_of, open_oauth
from tests.portal_fixture import add_enterprise
from tests.servers.gateway_process import serving
from tests.servers.redis_server import RedisServer
from tests.waiting import PATIENCE

__all__ = ["CROWD", "Workers", "query", "redis", "session_headers", "workers"]

CROWD: Final = 200 if os.environ.get("FULL") else 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Workers:
    """Two worker processes with one database, Redis and clock."""

    servers: tuple[OAuthFixture, OAuthFixture]

    def both(self, bank: Bank) -> list[Bank]:
        """Fixtures of the same bank, alternating between the workers."""
        return [replace(bank, oauth=self.servers[turn % 2]) for turn in range(CROWD)]

    async def bank(self) -> Bank:
        """A registered client with an agreement."""
        return await self.servers[0].bank()


@pytest.fixture(scope="module")
def redis() -> Iterator[RedisServer]:
    """A Redis server for this module."""
    with RedisServer() as server:
        yield server


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def workers(
    postgres_url: str, redis: RedisServer, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Workers]:
    """Two worker processes of the gateway."""
    folder = tmp_path_factory.mktemp("workers")
    vault = folder / "vault.json"
    vault.write_text(Vault.generate_keys())
    url = await new_database(postgres_url)
    changed = {
        "XINQIAO_DEMO": "false",
        "XINQIAO_REDIS_URL": redis.url,
        "XINQIAO_VAULT_KEYS": str(vault),
    }
    async with open_oauth(url, folder) as oauth:
        assert oauth.runtime.settings.secret.get_secret_value() == SECRET
        guard = RedisStore(redis.url)
        shared = replace(oauth, runtime=replace(oauth.runtime, limiter=guard))
        await add_enterprise(oauth.runtime.engine, USCC, "杭州云栖数据科技有限公司")
        with ExitStack() as stack:
            addresses = await asyncio.to_thread(_start_two, stack, shared, folder, changed)
            async with _client(addresses[0]) as one, _client(addresses[1]) as other:
                yield Workers(servers=(replace(shared, http=one), replace(shared, http=other)))
        await guard.close()


def _start_two(
    stack: ExitStack, oauth: OAuthFixture, folder: Path, changed: dict[str, str]
) -> tuple[str, str]:
    one, other = (
        stack.enter_context(serving(oauth.runtime.settings, folder / f"{name}.log", **changed))
        for name in ("one", "other")
    )
    return one, other


def _client(address: str) -> httpx2.AsyncClient:
    limits = httpx2.Limits(max_connections=CROWD, keepalive_expiry=2.0)
    return httpx2.AsyncClient(base_url=address, timeout=PATIENCE, limits=limits, trust_env=False)


async def query(bank: Bank, token: str) -> httpx2.Response:
    """Call a query with an access token."""
    path = "/v1/queries"
    proof = await bank.proof(path, ath=digest_of(token))
    headers = {"Authorization": f"DPoP {token}", "DPoP": proof}
    body = query_body(USCC, "registration")
    return await bank.oauth.http.post(path, json=body, headers=headers)


def session_headers(cookie: str) -> dict[str, str]:
    """Browser headers with a session cookie."""
    return {"Cookie": f"{sessions.COOKIE}={cookie}"}
