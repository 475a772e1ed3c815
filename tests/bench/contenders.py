"""Comparisons of a run: verifications against the baseline, tokens against node-oidc-provider."""

import asyncio
from collections.abc import Mapping
from typing import Final

import orjson

from tests.bench.environment import Environment
from tests.bench.load_generator import Job
from tests.bench.measure import Comparison
from tests.bench.options import (
    KIT_CLIENT,
    TOKEN_CONTENDERS,
    VERIFICATION_CONTENDERS,
    Contender,
    Options,
)
from tests.bench.servers import Server
from tests.bench.token_requests import TOLD, TokenRequests
from tests.bench.verification_requests import VerificationRequests

# A window's worth: until Node.js has compiled what is hot it is half as fast.
WARM_UP: Final = 6_000


def compare_verifications(
    options: Options, environment: Environment, servers: Mapping[str, Server]
) -> Comparison:
    """Verifications; probe budgets are emptied first, and no enterprise is asked about twice at once."""
    at = 0

    def ready(contender: Contender, count: int) -> Job:
        nonlocal at
        turned = environment.bodies[at:] + environment.bodies[:at]
        at = (at + count) % len(environment.bodies)
        asyncio.run(environment.forget_probes())
        requests = VerificationRequests(
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
        )

    return Comparison(contenders=VERIFICATION_CONTENDERS, ready=ready)


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
