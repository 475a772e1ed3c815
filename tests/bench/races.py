"""The two parts of a run: verifications beside their floor, tokens beside a foreign server's."""

import asyncio
from collections.abc import Mapping
from typing import Final

import orjson

from tests.bench.load import Job
from tests.bench.plan import ISSUING, VERIFYING, WHO, Contender, Plan
from tests.bench.proofs import Verifications
from tests.bench.rounds import Race
from tests.bench.servers import Server
from tests.bench.stage import Stage
from tests.bench.tokens import TOLD, TokenRequests

# A window's worth: until Node.js has compiled what is hot it is half as fast.
WARM_UP: Final = 6_000


def verifying(plan: Plan, stage: Stage, servers: Mapping[str, Server]) -> Race:
    """Every question is a first one, and no enterprise is asked about twice at once."""
    at = 0

    def ready(contender: Contender, count: int) -> Job:
        nonlocal at
        turned = stage.bodies[at:] + stage.bodies[:at]
        at = (at + count) % len(stage.bodies)
        asyncio.run(stage.forget_probes())
        orders = Verifications(
            kit=orjson.dumps(stage.kit),
            jwk=stage.jwk,
            bodies=turned,
            path=contender.path,
            port=servers[contender.server].port,
            count=count,
            as_sdk=contender.as_sdk,
        )
        return Job(
            title=contender.title,
            port=orders.port,
            seconds=plan.seconds,
            connections=plan.connections,
            orders=orders,
            again=not contender.fresh_proofs,
        )

    return Race(contenders=VERIFYING, ready=ready)


def issuing(plan: Plan, stage: Stage, servers: Mapping[str, Server]) -> Race:
    """Every answer has a token in it."""

    def ready(contender: Contender, count: int) -> Job:
        orders = TokenRequests(
            client=stage.kit["clients"][WHO],
            jwk=stage.jwk,
            path=contender.path,
            port=servers[contender.server].port,
            count=count,
        )
        return Job(
            title=contender.title,
            port=orders.port,
            seconds=plan.seconds,
            connections=plan.connections,
            orders=orders,
            told=TOLD,
        )

    return Race(contenders=ISSUING, ready=ready, warm_up=WARM_UP)
