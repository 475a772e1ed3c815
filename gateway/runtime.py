"""What a running gateway holds in its hands. Made once by `app`, passed to whoever needs it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.clients.agreements import QuotaBook
from gateway.creditfile.catalogue import Catalogue
from gateway.db.prepared import HotDatabase
from gateway.disclosure.refusal_counts import RefusalCounter
from gateway.limits.limiter import Limiter
from gateway.notices.channels import Channels
from gateway.privacy.field_encryption import Vault
from gateway.settings import Settings
from gateway.signing.access_tokens import Tokens
from gateway.signing.dpop_nonces import Nonces
from gateway.signing.keyed_digests import KeyedDigests
from gateway.signing.keys import KeyRing
from gateway.transparency.publication import LogStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """The parts of one worker process."""

    settings: Settings
    engine: AsyncEngine
    """For calls: a statement ends with the call's time."""
    background: AsyncEngine
    """For what runs without being called: statements take longer, and take no connection from calls."""
    hot: HotDatabase
    keys: KeyRing
    digests: KeyedDigests
    catalogue: Catalogue
    vault: Vault
    guard: Limiter
    quotas: QuotaBook
    tokens: Tokens
    nonces: Nonces
    now: Callable[[], datetime]
    turned_away: RefusalCounter = field(default_factory=RefusalCounter)
    log_status: LogStatus = field(default_factory=LogStatus)
    channels: Channels = field(default_factory=dict)
    """How notices leave; none, where no way is set."""


async def runtime_of(request: Request) -> Runtime:
    """The runtime of the application that serves `request`.

    A coroutine only because FastAPI would run a plain function in a thread, on every request.
    """
    runtime: Runtime = request.app.state.runtime
    return runtime


UsingRuntime = Annotated[Runtime, Depends(runtime_of)]
