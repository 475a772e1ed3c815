"""What a run measures and how long; all contenders get the same requests and the same settings."""

import socket
from dataclasses import dataclass
from typing import Final

HOST: Final = "127.0.0.1"
WHO: Final = "platform"
PURPOSE: Final = "merchant_onboarding"
GATEWAY: Final = "gateway"
FLOOR: Final = "floor"
ECHO: Final = "echo"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The arguments of one run; `seconds` is the length of one window of load."""

    rounds: int = 4
    seconds: float = 4.0
    connections: int = 32
    entities: int = 5_000
    steps: int = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Contender:
    """One way of answering. `as_sdk`: with the digest and idempotency key that the SDK sends."""

    name: str
    title: str
    server: str
    path: str
    as_sdk: bool = False
    fresh_proofs: bool = True


CONTENDERS: Final = (
    Contender(name=GATEWAY, title="gateway", server=GATEWAY, path="/v1/verifications"),
    Contender(
        name="gateway-sdk",
        title="gateway (SDK)",
        server=GATEWAY,
        path="/v1/verifications",
        as_sdk=True,
    ),
    Contender(name=FLOOR, title="floor", server=FLOOR, path="/floor"),
    Contender(name=ECHO, title="echo", server=ECHO, path="/echo", fresh_proofs=False),
)


def free_port() -> int:
    """A loopback port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
