"""Runtime of a worker process: settings, engines, keys, limiter, catalogue. Built by `app`."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.anomalies.alert import AlertHook
from gateway.clients.agreements import AgreementCache
from gateway.creditfile.catalogue import Catalogue
from gateway.data_quality.counting import QualityCounts
from gateway.db.locations import Locations
from gateway.db.prepared import HotDatabase
from gateway.disclosure.refusal_counts import RefusalCounter
from gateway.limits.last_refusals import LastRefusals
from gateway.limits.slots import Slots
from gateway.limits.store_protocol import LimitStore
from gateway.notices.channels import Channels
from gateway.pages.cdn import PageCdn
from gateway.pages.kept_files import KeptFiles
from gateway.pages.kept_pages import KeptPages
from gateway.privacy.field_encryption import Vault
from gateway.settings import Settings
from gateway.signing.access_tokens import TokenVerifier
from gateway.signing.decryption_keys import DecryptionKeys
from gateway.signing.dpop_nonces import DpopNonces
from gateway.signing.keyed_digests import KeyedDigests
from gateway.signing.keys import KeyRing
from gateway.transparency.publication import LogStatus

MAX_BATCHES = 8
MAX_BATCHES_OF_ONE = 2
MAX_RESULTS = 4
MAX_RESULTS_OF_ONE = 1
WORKBOOK_TURNS = 2
"""Workbooks that are read at once in a worker: each may take much memory."""
BATCH_TURNS = 3
"""Sets of lines that are answered at once in a worker: calls have the rest of its connections."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """The shared objects of one worker process."""

    settings: Settings
    engine: AsyncEngine
    """For calls: statements time out with the call."""
    background: AsyncEngine
    """For background work: longer timeout, its own connections."""
    hot: HotDatabase
    keys: KeyRing
    decryption_keys: DecryptionKeys
    digests: KeyedDigests
    catalogue: Catalogue
    vault: Vault
    limiter: LimitStore
    agreements: AgreementCache
    tokens: TokenVerifier
    nonces: DpopNonces
    now: Callable[[], datetime]
    refusal_counter: RefusalCounter = field(default_factory=RefusalCounter)
    batch_slots: Slots = field(
        default_factory=lambda: Slots(
            most=MAX_BATCHES, most_of_one=MAX_BATCHES_OF_ONE, turns=BATCH_TURNS
        )
    )
    """Batches under way in this worker."""
    evaluation: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held by the one set of lines that is evaluated: it is ready sooner than two that take turns."""
    job_files: Slots = field(
        default_factory=lambda: Slots(
            most=MAX_RESULTS, most_of_one=MAX_RESULTS_OF_ONE, turns=WORKBOOK_TURNS
        )
    )
    """Results of jobs that are made as files in this worker; workbooks are read by turns."""
    quality_counts: QualityCounts = field(default_factory=QualityCounts)
    """Counts of data quality under way in this worker."""
    last_refusals: LastRefusals = field(default_factory=LastRefusals)
    kept_pages: KeptPages = field(default_factory=KeptPages)
    drawn_reports: KeptFiles = field(default_factory=KeptFiles)
    """PDFs of own reports, by what they were drawn from."""
    code_locations: Locations = field(default_factory=Locations)
    """The enterprises of codes that were scanned before."""
    log_status: LogStatus = field(default_factory=LogStatus)
    cdn: PageCdn | None = None
    """The CDN in front of the public pages, where it takes purges."""
    alert_hook: AlertHook | None = None
    """Where alerts of anomalies go."""
    channels: Channels = field(default_factory=dict)
    """Channels of notices; empty if none is configured."""

    async def note_refusal(self, client_id: str, quota: str, seconds: int) -> None:
        """Remember that a quota refused a call of this client, and fits again after `seconds`."""
        await self.last_refusals.note(self.limiter, client_id, quota, seconds, now=self.now())


async def runtime_of(request: Request) -> Runtime:
    """The runtime of the application that serves `request`.

    A coroutine because FastAPI runs plain functions in a thread.
    """
    runtime: Runtime = request.app.state.runtime
    return runtime


UsingRuntime = Annotated[Runtime, Depends(runtime_of)]
