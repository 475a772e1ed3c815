"""Command-line options of a run, and the contenders of each comparison."""

import socket
from dataclasses import dataclass, field
from typing import Final

HOST: Final = "127.0.0.1"
KIT_CLIENT: Final = "platform"
PURPOSE: Final = "merchant_onboarding"
SCOPE: Final = "verify"
GATEWAY: Final = "gateway"
BASELINE: Final = "baseline"
ECHO: Final = "echo"
PEER: Final = "peer"
BARE: Final = "bare"
STATIC: Final = "static"
WARM: Final = "warm"
COLD: Final = "cold"
PARTS: Final = ("verification", "token", "page", "lookup", "ingest", "codes")
ALL: Final = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Options of one run; `seconds` is the length of one window of load."""

    part: str = field(default=ALL, metadata={"choices": (ALL, *PARTS)})
    rounds: int = 4
    seconds: float = 4.0
    connections: int = 32
    entities: int = 5_000
    steps: int = 1_000
    scale: int = 300_000
    lookups: int = 4_000
    province: int = 30_000
    loads: int = 3
    stickers: int = 6_000
    draws: int = 2

    def has(self, part: str) -> bool:
        """Whether `part` is measured."""
        return self.part in {ALL, part}


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

TOKEN_CONTENDERS: Final = (
    Contender(name=GATEWAY, title="gateway", server=GATEWAY, path="/oauth/token"),
    Contender(name=PEER, title="node-oidc-provider", server=PEER, path="/token"),
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
