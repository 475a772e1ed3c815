"""Varnish with the configuration of `deploy/cdn`: keeps pages, and loses them by the gateway's purges."""

import asyncio
import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx2
import pytest
import pytest_asyncio

from gateway.codes.store import Code
from gateway.settings import Settings
from tests.creditfile_builders import make_record
from tests.databases import new_database
from tests.page_changes import CHANGES, change_page
from tests.portal_fixture import PortalFixture, open_portal
from tests.servers.gateway_process import serving
from tests.servers.ports import free_port
from tests.waiting import PATIENCE, eventually

VARNISH: Final = shutil.which("varnishd") or shutil.which("varnishd", path="/usr/sbin")
XKEY: Final = list(Path("/usr/lib").glob("*/varnish/vmods/libvmod_xkey.so"))
CONFIGURED: Final = Path(__file__).parents[2] / "deploy" / "cdn" / "varnish.vcl"
TOKEN: Final = "purge token of the tests, long enough"
SENT_TO_CITIZENS_NEVER: Final = (
    "surrogate-key", "surrogate-control", "cache-tag", "cdn-cache-control", "xkey",
)  # fmt: skip

pytestmark = pytest.mark.skipif(
    VARNISH is None or not XKEY, reason="varnish or its module xkey is not installed"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cached:
    """A gateway behind Varnish."""

    portal: PortalFixture
    origin: httpx2.AsyncClient
    citizen: httpx2.AsyncClient
    code: Code

    @property
    def path(self) -> str:
        """The page's path."""
        return f"/E/{self.code.code_id}"

    async def is_hit(self, path: str, **headers: str) -> bool:
        """True if Varnish answers by itself: it names the request that fetched the page too."""
        answer = await self.citizen.get(path, headers=headers)
        return len(answer.headers["x-varnish"].split()) > 1


@contextmanager
def varnish(folder: Path, gateway: str, port: int) -> Iterator[str]:
    """A running Varnish in front of the gateway."""
    assert VARNISH is not None
    file = folder / "varnish.vcl"
    text = CONFIGURED.read_text().replace('"8420"', f'"{gateway.rpartition(":")[2]}"')
    file.write_text(text)
    with (folder / "varnish.log").open("wb") as log:
        running = subprocess.Popen(
            [VARNISH, "-F", "-j", "none", "-n", str(folder / "varnish"), "-f", str(file),
             "-a", f"127.0.0.1:{port}", "-s", "malloc,16m"],
            env=os.environ | {"XINQIAO_PURGE_TOKEN": TOKEN},
            stdout=log,
            stderr=log,
        )  # fmt: skip
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            running.terminate()
            running.wait(PATIENCE)


def changed(settings: Settings, port: int) -> dict[str, str]:
    """The gateway's variables behind Varnish on this port."""
    assert settings.demo
    return {
        "XINQIAO_PURGE_URL": f"http://127.0.0.1:{port}/purge",
        "XINQIAO_PURGE_TOKEN": TOKEN,
        "XINQIAO_PURGE_MAX_AGE": "300",
    }


@pytest_asyncio.fixture
async def cached(postgres_url: str, tmp_path: Path) -> AsyncIterator[Cached]:
    """A firm's page, once Varnish keeps it."""
    port = free_port()
    async with open_portal(await new_database(postgres_url), tmp_path) as portal:
        await portal.add_records(make_record(uscc=portal.firm))
        code = await portal.add_code(portal.firm)
        variables = changed(portal.runtime.settings, port)
        starting = serving(portal.runtime.settings, tmp_path / "output", **variables)
        gateway = await asyncio.to_thread(starting.__enter__)
        try:
            with varnish(tmp_path, gateway, port) as address:
                async with (
                    httpx2.AsyncClient(base_url=gateway, trust_env=False) as origin,
                    httpx2.AsyncClient(base_url=address, trust_env=False) as citizen,
                ):
                    made = Cached(portal=portal, origin=origin, citizen=citizen, code=code)

                    async def is_kept() -> bool:
                        try:
                            return await made.is_hit(made.path)
                        except (httpx2.TransportError, KeyError):
                            return False

                    await eventually(is_kept)
                    yield made
        finally:
            await asyncio.to_thread(starting.__exit__, None, None, None)


async def test_varnish_keeps_a_page_until_it_is_purged(cached: Cached) -> None:
    """A new name is shown after the purge, within the term; then a revoked code, which is not kept."""
    before = await cached.citizen.get(cached.path)
    assert before.headers["cache-control"] == "no-cache"
    assert not [name for name in SENT_TO_CITIZENS_NEVER if name in before.headers]
    for query in ("?utm=x", "?lang=zh&utm=y"):
        assert await cached.is_hit(cached.path + query), "the query that shapes nothing is no key"
    uscc, now = cached.portal.firm, cached.portal.clock()
    for what in ("another name", "a revoked code"):
        await change_page(cached.portal.engine, CHANGES[what], uscc=uscc, now=now)

        async def is_shown(sentence: str = SHOWN[what]) -> bool:
            return sentence in (await cached.citizen.get(cached.path)).text

        await eventually(is_shown)
    assert not await cached.is_hit(cached.path)
    assert (await cached.citizen.get(cached.path)).status_code == 410


SHOWN: Final = {"another name": "杭州云栖新名有限公司", "a revoked code": "已作废"}


async def test_forms_are_apart_and_nothing_else_is_kept(cached: Cached) -> None:
    """Languages and sizes; JSON, warnings, look-ups and other methods go to the gateway."""
    english = await cached.citizen.get(f"{cached.path}?size=large&lang=en&utm=x")
    direct = await cached.origin.get(f"{cached.path}?lang=en&size=large")
    assert english.text == direct.text
    twin = {"Accept": "application/json"}
    first = await cached.citizen.get(cached.path, headers=twin)
    assert first.json()["code"]["code_id"] == cached.code.code_id
    assert first.headers["cache-control"] == "no-store"
    assert not await cached.is_hit(cached.path, **twin)
    for path in (f"/E/{'A' * 26}", "/E/", f"/E/?code={cached.code.code_id}", "/E/how", "/portal"):
        await cached.citizen.get(path)
        assert not await cached.is_hit(path), path


async def test_only_the_gateway_purges(cached: Cached) -> None:
    """Without its token, or by another method, nothing is purged."""
    for method, token in (("POST", "another"), ("GET", TOKEN), ("PURGE", TOKEN)):
        answer = await cached.citizen.request(
            method, "/purge", headers={"Authorization": f"Bearer {token}", "Surrogate-Key": "x"}
        )
        assert answer.status_code == 403, method
    assert await cached.is_hit(cached.path)
