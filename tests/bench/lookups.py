"""Latency of look-ups in a small and a large database, called alternately in one run.

Both get the same pattern: half of the calls are about a few repeated enterprises, the others about
new ones.
"""

import asyncio
import http.client
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median, quantiles
from typing import Any, Final

from tests.bench.call_requests import CallCredentials, credentials_source
from tests.bench.environment import Environment, body_about
from tests.bench.lookup_databases import (
    PAGE,
    VERIFICATION,
    LookupDatabase,
    Target,
    lookup_databases,
)
from tests.bench.options import GATEWAY, HOST, KIT_CLIENT, Contender, Options, free_port
from tests.bench.servers import servers
from tests.log_builders import begin_anew, make_checkpoint_folder

_PATH: Final = "/v1/verifications"
_KEPT: Final = 20.0  # seconds that a nonce is used
_PAGE: Final = Contender(name="page", title="public page", server=GATEWAY, path="/E/")


@dataclass(slots=True, kw_only=True)
class Timings:
    """Seconds of each call, by first or repeated look-up of the enterprise."""

    again: list[float] = field(default_factory=list)
    first: list[float] = field(default_factory=list)

    @property
    def every(self) -> list[float]:
        """All timings."""
        return self.again + self.first

    def percentile(self, of_hundred: int) -> float:
        """A percentile over all calls."""
        return quantiles(self.every, n=100)[of_hundred - 1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookups:
    """Timings by path, in the small and the large database."""

    databases: tuple[LookupDatabase, LookupDatabase]
    timings: dict[str, tuple[Timings, Timings]]

    def ratio(self, path: str) -> float:
        """Ratio of the medians, large to small."""
        small, large = self.timings[path]
        return median(large.every) / median(small.every)


def measure_lookups(
    options: Options, environment: Environment, say: Callable[[str], None]
) -> Lookups:
    """Fill both databases, then call them alternately."""
    with ExitStack() as stack:
        small, large = (
            stack.enter_context(database)
            for database in lookup_databases(options, environment, say)
        )
        timings = {}
        connections = [
            stack.enter_context(_served(environment, database)) for database in (small, large)
        ]
        timings[VERIFICATION] = _asked(
            VERIFICATION, connections, [_verifying(environment, each) for each in connections]
        )
        say("verifications done")
        timings[PAGE] = _asked(PAGE, connections, [_opened, _opened])
        return Lookups(databases=(small, large), timings=timings)


def _in_turn(turn: int, *of_each: Sequence[Any]) -> Sequence[tuple[Any, ...]]:
    """Alternating order: small first, then large first."""
    pairs = list(zip(*of_each, strict=True))
    return pairs if turn % 4 < 2 else pairs[::-1]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Connection:
    """A gateway over a database, and one HTTP connection to it."""

    database: LookupDatabase
    issuer: str
    line: http.client.HTTPConnection


_Request = tuple[str, str, bytes | None, Mapping[str, str]]
"""Method, path, body and headers."""


@contextmanager
def _served(environment: Environment, database: LookupDatabase) -> Iterator[_Connection]:
    port = free_port()
    issuer = f"http://{HOST}:{port}"
    folder = Path(tempfile.mkdtemp(dir=environment.settings.signing_keys.parent))
    own = {
        "database_url": database.url,
        "issuer": issuer,
        "log_checkpoints": (make_checkpoint_folder(folder),),
    }
    settings = environment.settings.model_copy(update=own)
    asyncio.run(begin_anew(database.url))
    with servers(replace(environment, settings=settings, port=port), (_PAGE,)):
        line = http.client.HTTPConnection(HOST, port, timeout=30)
        yield _Connection(database=database, issuer=issuer, line=line)
        line.close()


def _asked(
    path: str, connections: Sequence[_Connection], requests: Sequence[Callable[[Target], _Request]]
) -> tuple[Timings, Timings]:
    """Time of each answer, from the first byte sent to the last byte read."""
    timings = Timings(), Timings()
    for turn in range(len(connections[0].database.drawn[path])):
        for connection, request, timing in _in_turn(turn, connections, requests, timings):
            method, target, body, headers = request(connection.database.drawn[path][turn])
            began = time.perf_counter()
            connection.line.request(method, target, body, dict(headers))
            answer = connection.line.getresponse()
            answer.read()
            spent = time.perf_counter() - began
            if answer.status != http.client.OK:
                raise RuntimeError(f"{target} was answered {answer.status}.")
            (timing.again if turn % 2 else timing.first).append(spent)
    return timings


def _opened(drawn: Target) -> _Request:
    """Request of an enterprise code's public page."""
    return "GET", f"/E/{drawn.code_id}", None, {"Accept": "text/html"}


def _verifying(environment: Environment, connection: _Connection) -> Callable[[Target], _Request]:
    """Request of five questions, with a proof made before the clock starts."""
    client = {**environment.kit["clients"][KIT_CLIENT], "client_id": connection.database.client_id}
    fresh = credentials_source(
        {**environment.kit, "issuer": connection.issuer, "clients": {KIT_CLIENT: client}},
        environment.jwk,
    )
    held: list[tuple[float, CallCredentials]] = []

    def request(drawn: Target) -> _Request:
        if not held or time.monotonic() > held[-1][0]:
            held.append((time.monotonic() + _KEPT, fresh()))
        return "POST", _PATH, body_about(drawn.uscc, drawn.name), held[-1][1].headers(_PATH)

    return request
