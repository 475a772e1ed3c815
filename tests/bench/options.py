"""Command-line options of a run, and the contenders of each comparison."""

import socket
from dataclasses import dataclass, field
from typing import Final

HOST: Final = "127.0.0.1"
KIT_CLIENT: Final = "platform"
PURPOSE: Final = "merchant_onboarding"
SCOPE: Final = "verify"
BANK: Final = "bank"
QUERY_SCOPE: Final = "query"
GATEWAY: Final = "gateway"
BASELINE: Final = "baseline"
TELLING_BASELINE: Final = "baseline-records"
ECHO: Final = "echo"
PEER: Final = "peer"
STORED_PEER: Final = "stored-peer"
BARE: Final = "bare"
STATIC: Final = "static"
WARM: Final = "warm"
COLD: Final = "cold"
REQUEST_PATHS: Final = ("verification", "token", "page", "query")
"""Queries last: they add records to enterprises, whose pages would become longer."""
LONG: Final = ("batch", "timing", "watch", "lookup", "ingest", "codes")
BY_DEFAULT: Final = "request-paths"
ALL: Final = "all"
BATCH_LINES: Final = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Options of one run; `seconds` is the length of one window of load.

    `memory` and `workers` replace the parts: a long load, and one on several workers.
    """

    part: str = field(
        default=BY_DEFAULT, metadata={"choices": (BY_DEFAULT, *REQUEST_PATHS, *LONG, ALL)}
    )
    rounds: int = 3
    seconds: float = 1.5
    connections: int = 32
    entities: int = 5_000
    steps: int = 400
    memory: float = 0.0
    workers: int = 1
    scale: int = 300_000
    lookups: int = 4_000
    samples: int = 10_000
    province: int = 200_000
    loads: int = 1
    stickers: int = 6_000
    draws: int = 2

    @property
    def province_size(self) -> int:
        """Number of enterprises that the province needs: a batch asks about each once."""
        return max(self.entities, BATCH_LINES) if "batch" in self.parts else self.entities

    @property
    def parts(self) -> tuple[str, ...]:
        """Measured parts, in order."""
        if self.memory or self.workers > 1:
            return (
                *(["memory"] if self.memory else []),
                *(["workers"] if self.workers > 1 else []),
            )
        several = {BY_DEFAULT: REQUEST_PATHS, ALL: (*REQUEST_PATHS, *LONG)}
        return several.get(self.part, (self.part,))


@dataclass(frozen=True, slots=True, kw_only=True)
class Contender:
    """One server and path under load. `as_sdk`: with the SDK's digest and idempotency key."""

    name: str
    title: str
    server: str
    path: str
    as_sdk: bool = False
    fresh_proofs: bool = True


VERIFICATION_CONTENDERS: Final = (
    Contender(name=GATEWAY, title="gateway", server=GATEWAY, path="/v1/verifications"),
    Contender(
        name="gateway-sdk",
        title="gateway (SDK)",
        server=GATEWAY,
        path="/v1/verifications",
        as_sdk=True,
    ),
    Contender(name=BASELINE, title="baseline", server=BASELINE, path="/baseline"),
    Contender(name=ECHO, title="echo", server=ECHO, path="/echo", fresh_proofs=False),
)

QUERY_CONTENDERS: Final = (
    Contender(name=GATEWAY, title="gateway", server=GATEWAY, path="/v1/queries"),
    Contender(name=BASELINE, title="baseline", server=BASELINE, path="/baseline"),
    Contender(
        name=TELLING_BASELINE,
        title="baseline, 20 records",
        server=BASELINE,
        path="/baseline/records",
    ),
)

VERIFYING_GATEWAY: Final = VERIFICATION_CONTENDERS[:1]

TOKEN_CONTENDERS: Final = (
    Contender(name=GATEWAY, title="gateway", server=GATEWAY, path="/oauth/token"),
    Contender(name=PEER, title="node-oidc-provider", server=PEER, path="/token"),
    Contender(name=STORED_PEER, title="… in PostgreSQL", server=STORED_PEER, path="/token"),
)

PAGE_CONTENDERS: Final = (
    Contender(name=WARM, title="page, warm", server=GATEWAY, path="/E/", fresh_proofs=False),
    Contender(name=COLD, title="page, cold", server=GATEWAY, path="/E/", fresh_proofs=False),
    Contender(name=BARE, title="its bytes bare", server=BARE, path="/bare/", fresh_proofs=False),
    Contender(name=STATIC, title="FastAPI alone", server=STATIC, path="/bare/", fresh_proofs=False),
)


def free_port() -> int:
    """A free loopback port."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
