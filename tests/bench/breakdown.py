"""Where a verification's CPU goes: the gateway's steps, the floor's, and the whole application's."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import cycle, islice
from typing import Final

import orjson
from fastapi import FastAPI

from gateway.app import close_runtime, create_app, open_runtime
from gateway.runtime import Runtime
from tests.bench.floor import Floor
from tests.bench.proofs import passes
from tests.bench.stage import Stage
from tests.bench.steps import PATH, Call, floor_steps, gateway_steps, timed, whole

WARM_UP: Final = 100
WHOLE: Final = "whole"


@dataclass(frozen=True, slots=True, kw_only=True)
class Breakdown:
    """Microseconds of CPU by step; `whole` is the application's, without the server around it."""

    gateway: dict[str, float]
    floor: dict[str, float]
    whole: float


async def broken_down(stage: Stage, calls: int) -> Breakdown:
    """Time all steps; the gateway's server must be up, for its token."""
    fresh = passes(stage.kit, stage.jwk)
    bodies = cycle(stage.bodies)
    async with _opened(stage) as (app, runtime, floor):

        def made(count: int) -> list[Call]:
            pass_ = fresh()
            return [Call.of(pass_.headers(PATH), raw, app) for raw in islice(bodies, count)]

        ways = {WHOLE: whole(app)}
        for count in (WARM_UP, calls):
            await stage.forget_probes()
            some = made(count)
            by_step = await timed(gateway_steps(runtime), some)
            least = await timed(floor_steps(floor), some)
            total = await timed(ways, made(count))
    return Breakdown(gateway=by_step, floor=least, whole=total[WHOLE])


@asynccontextmanager
async def _opened(stage: Stage) -> AsyncIterator[tuple[FastAPI, Runtime, Floor]]:
    app = create_app(stage.settings)
    runtime = await open_runtime(stage.settings)
    app.state.runtime = runtime
    public = orjson.dumps({name: value for name, value in stage.jwk.items() if name != "d"})
    floor = await Floor.open(
        database=stage.settings.database_url, redis=stage.redis.plain_url, jwk=public.decode()
    )
    try:
        yield app, runtime, floor
    finally:
        await floor.close()
        await close_runtime(runtime)
