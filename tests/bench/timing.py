"""Timing side channels of a worker: Welch's t of answers that must take equally long.

Every request is asked alone and as the first of eight lines of a batch, in an order that changes with each
round. Of each group the slowest 1 % are left out. Two controls: the first request once more, which must not
be told apart; and a request under a consent of the client's own, which must be, for it is answered and
spends a use. That tells the client nothing: it knows its consents.
"""

import asyncio
import http.client
import random
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, Final

import orjson
from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from consent import Purpose, Request
from gateway.creditfile.catalogue import load_catalogue
from gateway.db.engine import make_engine
from gateway.synthetic.generator.uscc_generator import make_uscc
from tests.bench.call_requests import CallCredentials, credentials_source
from tests.bench.environment import Environment
from tests.bench.options import BANK, HOST, KIT_CLIENT, PURPOSE, VERIFYING_GATEWAY, Options
from tests.bench.servers import servers
from tests.consent_grants import Grant, insert_granted
from tests.welch import trimmed, welch

PATHS: Final = {"alone": "/v1/verifications", "in a batch": "/v1/verifications/batch"}
PAIRS: Final = {
    "yes and no": ("yes", "no"),
    "a registered and an unknown enterprise": ("closed", "unknown"),
    "with and without another client's consent": ("consented to another", "closed"),
    "a spent probe budget and an unknown enterprise": ("locked", "unknown, named"),
    "a spent and an unspent probe budget": ("locked", "unlocked"),
    "control: the same twice": ("yes", "yes again"),
}
SEEN: Final = ("consented", "closed")
"""The control that must be told apart."""
GUESSES: Final = ("甲", "乙", "丙")
"""Wrong names, as many as a budget allows."""
KEPT: Final = 0.99
_NEIGHBOURS: Final = 7
_WARM_UP: Final = 50
_FRESH: Final = 20.0  # seconds that a nonce is used
_TERM: Final = timedelta(days=100)
_NAME: Final = "enterprise_name.v1"
_RATING: Final = ("rating_at_least.v1", "良好")
_ACTIVE: Final = ("is_active.v1", None)
_FIRMS: Final = text("""
    SELECT uscc, name, kind FROM enterprise
    WHERE code_ok AND unavailable = '{}' AND kind = 'firm' ORDER BY uscc LIMIT :firms""")

Asked = Mapping[str, Any]
"""A request's document."""


@dataclass(slots=True, kw_only=True)
class Timings:
    """Of each request its seconds and the lengths of its answers, by one path."""

    seconds: dict[str, list[float]] = field(default_factory=dict)
    lengths: dict[str, set[int]] = field(default_factory=dict)

    def t(self, pair: tuple[str, str]) -> float:
        """Welch's t of a pair, positive where the first is slower."""
        one, other = (trimmed(self.seconds[name], KEPT) for name in pair)
        return welch(one, other)

    def of_one_length(self, pair: tuple[str, str]) -> bool:
        """True if all answers to both have the same length."""
        return len(self.lengths[pair[0]] | self.lengths[pair[1]]) == 1


def measure_timing(
    options: Options, environment: Environment, say: Callable[[str], None]
) -> dict[str, Timings]:
    """Ask every request so many times by each path, interleaved."""
    asked, neighbours = asyncio.run(_requests(environment))
    found = {}
    with servers(environment, VERIFYING_GATEWAY) as running:
        (server,) = running.values()
        with closing(http.client.HTTPConnection(HOST, server.port, timeout=60)) as line:
            asking = _Asking(line=line, fresh=credentials_source(environment.kit, environment.jwk))
            uscc = asked["locked"]["enterprise"]["uscc"]
            for guess in GUESSES:
                asking.ask(PATHS["alone"], orjson.dumps(_about(uscc, (_NAME, guess))))
            for way, path in PATHS.items():
                bodies = {name: _body(way, each, neighbours) for name, each in asked.items()}
                found[way] = _interleaved(asking, path, bodies, options.samples)
                say(f"{options.samples:,} of each {way}")
    return found


def _interleaved(
    asking: "_Asking", path: str, bodies: Mapping[str, bytes], samples: int
) -> Timings:
    found = Timings(seconds={name: [] for name in bodies}, lengths={name: set() for name in bodies})
    order = random.Random(20261130)  # noqa: S311  # an order, not a secret
    for turn in range(_WARM_UP + samples):
        for name in order.sample(list(bodies), len(bodies)):
            seconds, length = asking.ask(path, bodies[name])
            if turn >= _WARM_UP:
                found.seconds[name].append(seconds)
                found.lengths[name].add(length)
    return found


@dataclass(slots=True, kw_only=True)
class _Asking:
    """One connection of the kit's platform, whose proofs are made before the clock starts."""

    line: http.client.HTTPConnection
    fresh: Callable[[], CallCredentials]
    held: CallCredentials | None = None
    until: float = 0.0

    def ask(self, path: str, body: bytes) -> tuple[float, int]:
        """Seconds from the first byte sent to the last byte read, and the answer's length."""
        if self.held is None or time.monotonic() > self.until:
            self.held, self.until = self.fresh(), time.monotonic() + _FRESH
        headers = self.held.headers(path)
        if path == PATHS["in a batch"]:
            headers["Content-Type"] = "application/x-ndjson"
        began = time.perf_counter()
        self.line.request("POST", path, body, headers)
        answer = self.line.getresponse()
        told = answer.read()
        seconds = time.perf_counter() - began
        if answer.status != http.client.OK or b'"problem"' in told:
            raise RuntimeError(f"{path} was answered {answer.status}: {told[:500]!r}")
        return seconds, len(told.split(b"\n", 1)[0])


def _body(way: str, asked: Asked, neighbours: Sequence[Asked]) -> bytes:
    if way == "alone":
        return orjson.dumps(asked)
    numbers = count(1)
    lines = ({"line": next(numbers), **each} for each in (asked, *neighbours))
    return b"".join(orjson.dumps(each) + b"\n" for each in lines)


async def _requests(environment: Environment) -> tuple[dict[str, Asked], list[Asked]]:
    """The requests by name, and the lines of a batch that stand beside each."""
    platform, bank = (environment.kit["clients"][who]["client_id"] for who in (KIT_CLIENT, BANK))
    engine = make_engine(environment.settings.database_url)
    async with engine.begin() as connection:
        rows = (await connection.execute(_FIRMS, {"firms": 5 + _NEIGHBOURS})).all()
        named, locked, closed, own, another, *beside = rows
        await _grant(connection, platform, own)
        await _grant(connection, bank, another)
    await engine.dispose()
    unknown = make_uscc(10**6, 20261130, "firm", "330106")
    guessed = (_NAME, locked.name)
    right, wrong = (_NAME, named.name), (_NAME, f"{named.name[1:]}{named.name[0]}")
    requests = {
        "yes": _about(named.uscc, right),
        "yes again": _about(named.uscc, right),
        "no": _about(named.uscc, wrong),
        "closed": _about(closed.uscc, _RATING),
        "unknown": _about(unknown, _RATING),
        "consented": _about(own.uscc, _RATING),
        "consented to another": _about(another.uscc, _RATING),
        "locked": _about(locked.uscc, guessed),
        "unlocked": _about(closed.uscc, guessed),
        "unknown, named": _about(unknown, guessed),
    }
    return requests, [_about(each.uscc, _ACTIVE) for each in beside]


def _about(uscc: str, *asked: tuple[str, str | None]) -> Asked:
    questions = [{"question": tag} | ({"value": value} if value else {}) for tag, value in asked]
    return {"enterprise": {"uscc": uscc}, "purpose": PURPOSE, "questions": questions}


async def _grant(connection: AsyncConnection, client_id: str, firm: Row[Any]) -> None:
    now = datetime.now(UTC)
    asked = Request(
        client_id=client_id,
        uscc=firm.uscc,
        purpose=Purpose(PURPOSE),
        datasets=(),
        questions=(_RATING[0],),
        valid_until=now + _TERM,
        max_uses=None,
    )
    grant = Grant(asked=asked, kind=firm.kind)
    await insert_granted(connection, grant, load_catalogue(), now=now)
