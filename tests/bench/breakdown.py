"""Where a call's CPU goes: the gateway's steps, the floor's, and the whole application's."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import cycle, islice
from statistics import median
from typing import Final

import orjson
from fastapi import FastAPI

from gateway.app import close_runtime, create_app, open_runtime
from gateway.runtime import Runtime
from tests.bench import token_steps
from tests.bench.floor import Floor
from tests.bench.plan import WHO
from tests.bench.proofs import passes
from tests.bench.stage import Stage
from tests.bench.steps import PATH, Call, Spent, floor_steps, gateway_steps, timed, whole
from tests.bench.token_steps import TokenCall
from tests.bench.tokens import asking

TURN: Final = 50  # calls that go one way before the next way has its turn
WHOLE: Final = "whole"


@dataclass(frozen=True, slots=True, kw_only=True)
class Breakdown:
    """Microseconds of CPU by step; `whole` is the application's, without the server around it."""

    gateway: dict[str, float]
    floor: dict[str, float]
    whole: float


async def verifying(stage: Stage, calls: int) -> Breakdown:
    """Time all steps of verifications, by turns; the gateway must be up, for its token."""
    fresh = passes(stage.kit, stage.jwk)
    bodies = cycle(stage.bodies)
    async with _opened(stage) as (app, runtime), _floor(stage) as floor:

        def made(count: int) -> list[Call]:
            pass_ = fresh()
            return [Call.of(pass_.headers(PATH), raw, app) for raw in islice(bodies, count)]

        ways = (gateway_steps(runtime), floor_steps(floor), {WHOLE: whole(app)})
        await stage.forget_probes()
        spent = [Spent(list) for _ in ways]
        for turn in range(1 + calls // TURN):
            some = made(TURN)
            for way, theirs, into in zip(ways, (some, some, made(TURN)), spent, strict=True):
                await timed(way, theirs, into if turn else Spent(list))  # the first warms up
    by_step, least, total = map(_medians, spent)
    return Breakdown(gateway=by_step, floor=least, whole=total[WHOLE])


async def issuing(stage: Stage, calls: int) -> Breakdown:
    """Time all steps of tokens, by turns; the gateway must be up, for its nonce."""
    client = asking(stage.kit["clients"][WHO], stage.jwk, stage.settings.issuer, token_steps.PATH)
    async with _opened(stage) as (app, runtime):
        steps, everything = token_steps.token_steps(runtime), {WHOLE: whole(app)}
        by_step, total = Spent(list), Spent(list)
        for turn in range(1 + calls // TURN):
            some, others = (
                [TokenCall.of(headers, raw, app) for headers, raw in client.requests(TURN)]
                for _ in range(2)
            )
            await timed(steps, some, by_step if turn else Spent(list))  # the first warms up
            await timed(everything, others, total if turn else Spent(list))
    return Breakdown(gateway=_medians(by_step), floor={}, whole=_medians(total)[WHOLE])


def _medians(spent: Spent) -> dict[str, float]:
    return {name: median(found) * 1e6 for name, found in spent.items()}


@asynccontextmanager
async def _opened(stage: Stage) -> AsyncIterator[tuple[FastAPI, Runtime]]:
    app = create_app(stage.settings)
    runtime = await open_runtime(stage.settings)
    app.state.runtime = runtime
    try:
        yield app, runtime
    finally:
        await close_runtime(runtime)


@asynccontextmanager
async def _floor(stage: Stage) -> AsyncIterator[Floor]:
    public = orjson.dumps({name: value for name, value in stage.jwk.items() if name != "d"})
    floor = await Floor.open(
        database=stage.settings.database_url, redis=stage.redis.plain_url, jwk=public.decode()
    )
    try:
        yield floor
    finally:
        await floor.close()
