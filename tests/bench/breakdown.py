"""CPU time of one call by step: the gateway's steps, the baseline's, the whole application."""

import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import cycle, islice
from statistics import median
from typing import Final

import orjson
from fastapi import FastAPI

from gateway.app import create_app
from gateway.open_runtime import close_runtime, open_runtime
from gateway.runtime import Runtime
from tests.bench import token_steps
from tests.bench.baseline import Baseline
from tests.bench.call_requests import credentials_source
from tests.bench.environment import Environment
from tests.bench.options import KIT_CLIENT
from tests.bench.token_requests import token_client
from tests.bench.token_steps import TokenCall
from tests.bench.verification_steps import (
    PATH,
    Call,
    Spent,
    baseline_steps,
    gateway_steps,
    timed,
    whole_application,
)

TURN: Final = 50  # calls that go one way before the next way has its turn
WHOLE: Final = "whole"


@dataclass(frozen=True, slots=True, kw_only=True)
class Breakdown:
    """CPU microseconds by step; `whole` is the application without its server."""

    gateway: dict[str, float]
    baseline: dict[str, float]
    whole: float


async def verification_breakdown(environment: Environment, calls: int) -> Breakdown:
    """Time all steps of a verification in turn; the running gateway gives the token."""
    fresh = credentials_source(environment.kit, environment.jwk)
    bodies = cycle(environment.bodies)
    async with _opened(environment) as (app, runtime), _baseline(environment) as baseline:

        def build(count: int) -> list[Call]:
            pass_ = fresh()
            return [Call.of(pass_.headers(PATH), raw, app) for raw in islice(bodies, count)]

        ways = (gateway_steps(runtime), baseline_steps(baseline), {WHOLE: whole_application(app)})
        await environment.forget_probes()
        spent = [Spent(list) for _ in ways]
        for turn in range(1 + math.ceil(calls / TURN)):
            some = build(TURN)
            for way, theirs, into in zip(ways, (some, some, build(TURN)), spent, strict=True):
                await timed(way, theirs, into if turn else Spent(list))  # the first warms up
    by_step, least, total = map(_medians, spent)
    return Breakdown(gateway=by_step, baseline=least, whole=total[WHOLE])


async def token_breakdown(environment: Environment, calls: int) -> Breakdown:
    """Time all steps of a token request in turn; the running gateway gives the nonce."""
    client = token_client(
        environment.kit["clients"][KIT_CLIENT],
        environment.jwk,
        environment.settings.issuer,
        token_steps.PATH,
    )
    async with _opened(environment) as (app, runtime):
        steps, everything = token_steps.token_steps(runtime), {WHOLE: whole_application(app)}
        by_step, total = Spent(list), Spent(list)
        for turn in range(1 + math.ceil(calls / TURN)):
            some, others = (
                [TokenCall.of(headers, raw, app) for headers, raw in client.requests(TURN)]
                for _ in range(2)
            )
            await timed(steps, some, by_step if turn else Spent(list))  # the first warms up
            await timed(everything, others, total if turn else Spent(list))
    return Breakdown(gateway=_medians(by_step), baseline={}, whole=_medians(total)[WHOLE])


def _medians(spent: Spent) -> dict[str, float]:
    return {name: median(found) * 1e6 for name, found in spent.items()}


@asynccontextmanager
async def _opened(environment: Environment) -> AsyncIterator[tuple[FastAPI, Runtime]]:
    app = create_app(environment.settings)
    runtime = await open_runtime(environment.settings)
    app.state.runtime = runtime
    try:
        yield app, runtime
    finally:
        await close_runtime(runtime)


@asynccontextmanager
async def _baseline(environment: Environment) -> AsyncIterator[Baseline]:
    public = orjson.dumps({name: value for name, value in environment.jwk.items() if name != "d"})
    baseline = await Baseline.open(
        database=environment.settings.database_url,
        redis=environment.redis.plain_url,
        jwk=public.decode(),
    )
    try:
        yield baseline
    finally:
        await baseline.close()
