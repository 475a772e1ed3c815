"""A gateway killed while it sends a purge: the next one sends it, and no change is without its purge."""

import asyncio
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest_asyncio
from sqlalchemy import text

from tests.clock import Clock
from tests.creditfile_builders import make_record
from tests.databases import new_database
from tests.page_changes import CHANGES, change_page
from tests.portal_fixture import PortalFixture, open_portal
from tests.sampling import sampled
from tests.servers.caching_cdn import TOKEN, CachingCdn, caching_cdn
from tests.servers.gateway_process import COMMAND, environment
from tests.servers.ports import free_port
from tests.waiting import PATIENCE, eventually

KILLS: Final = sampled(2, full=20)


@pytest_asyncio.fixture
async def cdn() -> AsyncIterator[CachingCdn]:
    """A CDN that takes purges."""
    async with caching_cdn(Clock()) as made:
        yield made


@contextmanager
def process(portal: PortalFixture, cdn: CachingCdn) -> Iterator[subprocess.Popen[bytes]]:
    """A gateway's own process that purges at the CDN; killed at the end."""
    variables = {"XINQIAO_PURGE_URL": cdn.purge_url, "XINQIAO_PURGE_TOKEN": TOKEN}
    started = subprocess.Popen(
        [*COMMAND, "serve", "--port", str(free_port())],
        env=environment(portal.runtime.settings, **variables),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield started
    finally:
        started.kill()
        started.wait(PATIENCE)


async def test_what_a_killed_gateway_was_sending_is_sent_by_the_next(
    cdn: CachingCdn, postgres_url: str, tmp_path: Path
) -> None:
    """SIGKILL while the CDN holds the call; several times, with a change each."""
    async with open_portal(await new_database(postgres_url), tmp_path) as portal:
        await portal.add_records(make_record(uscc=portal.firm))
        await portal.add_code(portal.firm)

        async def is_leased() -> bool:
            async with portal.engine.connect() as connection:
                found = await connection.execute(text("SELECT count(*) FROM page_purge_lease"))
                return bool(found.scalar_one())

        async def is_called() -> bool:
            return bool(cdn.purges)

        for what in [*CHANGES][:KILLS]:
            cdn.stalled = asyncio.Event()
            with process(portal, cdn):
                await eventually(is_leased)
                cdn.purges.clear()
                await change_page(
                    portal.engine, CHANGES[what], uscc=portal.firm, now=portal.clock()
                )
                await eventually(is_called)
            held = list(cdn.purges)
            cdn.stalled.set()
            cdn.stalled = None
            cdn.purges.clear()
            with process(portal, cdn):
                await eventually(is_called)
            assert set(held[0]) <= {key for keys in cdn.purges for key in keys}, what
