"""Public pages of enterprise codes under load, beside their bytes served bare.

Warm: one page over and over. Cold: more pages than a worker keeps, so that each is made anew. Bare: the
warm page's bytes with its headers, sent by an endpoint that does nothing else, in the same application;
and once more in a FastAPI application that has nothing else.
"""

import asyncio
import base64
import http.client
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import orjson
from sqlalchemy import select

from gateway.codes.store import issue
from gateway.creditfile.tables import enterprise
from gateway.db.engine import make_engine
from tests.bench.environment import Environment
from tests.bench.load_generator import Job
from tests.bench.measure import Comparison
from tests.bench.options import BARE, COLD, GATEWAY, HOST, PAGE_CONTENDERS, WARM, Contender, Options
from tests.bench.page_requests import BROWSER, TOLD, PageRequests
from tests.bench.servers import Server, servers

_TURN: Final = 0.382  # the golden section: beginnings of windows stay far from one another
_ANY_SERVER: Final = frozenset({"content-length", "date"})


@dataclass(frozen=True, slots=True, kw_only=True)
class PageServers:
    """The gateway and the servers of bare bytes, what compares them, and the warm page's address."""

    running: Mapping[str, Server]
    comparison: Comparison
    paths: Mapping[str, str]


@contextmanager
def page_servers(options: Options, environment: Environment) -> Iterator[PageServers]:
    """Servers of one page, with its bytes elsewhere."""
    ids = asyncio.run(_issued(environment))
    gateway = tuple(each for each in PAGE_CONTENDERS if each.server == GATEWAY)
    others = tuple(each for each in PAGE_CONTENDERS if each not in gateway)
    file = environment.settings.signing_keys.parent / "page.json"
    with servers(environment, gateway) as running:
        _save(running[GATEWAY].port, ids[0], file)
        with servers(environment, others, BENCH_PAGE=str(file)) as bare:
            both = {**running, **bare}
            yield PageServers(
                running=both,
                comparison=_comparison(options, ids, both),
                paths={
                    each.name: f"{each.path}{ids[0]}"
                    for each in PAGE_CONTENDERS
                    if each.name in {WARM, BARE}
                },
            )


def _comparison(
    options: Options, ids: tuple[str, ...], running: Mapping[str, Server]
) -> Comparison:
    at = 0

    def turned() -> tuple[str, ...]:
        """All ids, from elsewhere each time: no window may find the pages of the last ones kept."""
        nonlocal at
        at = (at + round(len(ids) * _TURN)) % len(ids)
        return ids[at:] + ids[:at]

    def ready(contender: Contender, _: int) -> Job:
        asked = turned() if contender.name == COLD else ids[:1]
        requests = PageRequests(
            paths=tuple(f"{contender.path}{code_id}" for code_id in asked),
            port=running[contender.server].port,
        )
        return Job(
            title=contender.title,
            port=requests.port,
            seconds=options.seconds,
            connections=options.connections,
            requests=requests,
            again=True,
            told=TOLD,
        )

    return Comparison(contenders=PAGE_CONTENDERS, ready=ready)


async def _issued(environment: Environment) -> tuple[str, ...]:
    """The ids of one code for each enterprise."""
    engine = make_engine(environment.settings.database_url)
    now = datetime.now(UTC)
    async with engine.begin() as connection:
        usccs = (await connection.execute(select(enterprise.c.uscc))).scalars().all()
        codes = [await issue(connection, each, "店", now=now) for each in usccs]
    await engine.dispose()
    return tuple(each.code_id for each in codes)


def _save(port: int, code_id: str, file: Path) -> None:
    """Write a page's bytes and headers, as the gateway sends them."""
    connection = http.client.HTTPConnection(HOST, port, timeout=30)
    connection.request("GET", f"/E/{code_id}", headers=BROWSER)
    answer = connection.getresponse()
    body = answer.read()
    sent = {name: value for name, value in answer.getheaders() if name.lower() not in _ANY_SERVER}
    file.write_bytes(orjson.dumps({"body": base64.b64encode(body).decode(), "headers": sent}))
    connection.close()
