"""Comparisons: verifications and queries against the baseline, tokens against node-oidc-provider."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

import orjson

from tests.bench.call_requests import PLATFORM, QUERYING_BANK, CallRequests, Role
from tests.bench.environment import Environment
from tests.bench.load_generator import Job
from tests.bench.measure import Comparison
from tests.bench.options import (
    BASELINE,
    KIT_CLIENT,
    QUERY_CONTENDERS,
    TOKEN_CONTENDERS,
    VERIFICATION_CONTENDERS,
    Contender,
    Options,
)
from tests.bench.query_subjects import RECORD, RECORDS_OF_A_PAGE
from tests.bench.servers import Server
from tests.bench.token_requests import TOLD, TokenRequests

# A window's worth: until Node.js has compiled what is hot it is half as fast.
WARM_UP: Final = 2_500


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedCalls:
    """Calls of one sort: who makes them, about what, and what each good answer contains."""

    role: Role
    bodies: tuple[bytes, ...]
    told: tuple[bytes, ...] = ()
    times: int = 1


def compare_verifications(
    options: Options,
    environment: Environment,
    servers: Mapping[str, Server],
    contenders: tuple[Contender, ...] = VERIFICATION_CONTENDERS,
) -> Comparison:
    """Verifications; probe budgets are emptied first, and no enterprise is asked about twice at once."""
    ready = _ready(
        options, environment, servers, SignedCalls(role=PLATFORM, bodies=environment.bodies)
    )

    def unasked(contender: Contender, count: int) -> Job:
        asyncio.run(environment.forget_probes())
        return ready(contender, count)

    return Comparison(contenders=contenders, ready=unasked)


def compare_queries(
    options: Options,
    environment: Environment,
    servers: Mapping[str, Server],
    bodies: tuple[bytes, ...],
) -> Comparison:
    """Authorised queries; each answer must contain a full page of records, but the bare baseline's."""
    calls = SignedCalls(role=QUERYING_BANK, bodies=bodies)
    bare = _ready(options, environment, servers, calls)
    full = _ready(
        options, environment, servers, replace(calls, told=(RECORD,), times=RECORDS_OF_A_PAGE)
    )

    def ready(contender: Contender, count: int) -> Job:
        return (bare if contender.name == BASELINE else full)(contender, count)

    return Comparison(contenders=QUERY_CONTENDERS, ready=ready)


def _ready(
    options: Options, environment: Environment, servers: Mapping[str, Server], calls: SignedCalls
) -> Callable[[Contender, int], Job]:
    """A window's job, which goes on with the enterprises where the last one ended."""
    at = 0

    def ready(contender: Contender, count: int) -> Job:
        nonlocal at
        turned = calls.bodies[at:] + calls.bodies[:at]
        at = (at + count) % len(calls.bodies)
        requests = CallRequests(
            role=calls.role,
            kit=orjson.dumps(environment.kit),
            jwk=environment.jwk,
            bodies=turned,
            path=contender.path,
            port=servers[contender.server].port,
            count=count,
            as_sdk=contender.as_sdk,
        )
        return Job(
            title=contender.title,
            port=requests.port,
            seconds=options.seconds,
            connections=options.connections,
            requests=requests,
            again=not contender.fresh_proofs,
            told=calls.told,
            times=calls.times,
        )

    return ready


def compare_tokens(
    options: Options, environment: Environment, servers: Mapping[str, Server]
) -> Comparison:
    """Token requests; each answer must contain a DPoP token."""

    def ready(contender: Contender, count: int) -> Job:
        requests = TokenRequests(
            client=environment.kit["clients"][KIT_CLIENT],
            jwk=environment.jwk,
            path=contender.path,
            port=servers[contender.server].port,
            count=count,
        )
        return Job(
            title=contender.title,
            port=requests.port,
            seconds=options.seconds,
            connections=options.connections,
            requests=requests,
            told=TOLD,
        )

    return Comparison(contenders=TOKEN_CONTENDERS, ready=ready, warm_up=WARM_UP)
