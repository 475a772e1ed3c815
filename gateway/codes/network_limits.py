"""Limits per client network on the public pages: reports, national codes, and ids that are no code of ours.

A network is known by a digest under the day's salt (`scans.daily_salt`). A report fails closed without
the limiter; pages are shown all the same.
"""

from typing import Final

from fastapi import Request

from gateway.access.http.client_network import client_network
from gateway.codes.reports.form_token import TERM
from gateway.codes.reports.model import (
    STORED_PER_NETWORK_AND_CODE,
    UNKNOWN_AT_MOST,
    UNKNOWN_PER_DAY,
    UNKNOWN_PER_NETWORK,
    ScannedCode,
)
from gateway.codes.scans.counter import ScanCounter
from gateway.limits.model import Admission, Counter, Limited, Replay, Replayed
from gateway.limits.quotas import DAY
from gateway.limits.store_protocol import LimiterUnavailableError
from gateway.runtime import Runtime

TEN_MINUTES: Final = 600
REPORTS_PER_TEN_MINUTES: Final = 10
UNKNOWN_PER_TEN_MINUTES: Final = 60
NATIONAL_PER_TEN_MINUTES: Final = 300


def scan_counter_of(request: Request) -> ScanCounter:
    """The scan counter of the application that serves `request`."""
    counter: ScanCounter = request.app.state.scan_counter
    return counter


def count_scan(request: Request, runtime: Runtime, code_id: str, *, revoked: bool = False) -> None:
    """Count a scan in memory; no I/O."""
    network = client_network(request, runtime)
    scan_counter_of(request).count(code_id, network, revoked=revoked, now=runtime.now())


async def report_wait(request: Request, runtime: Runtime) -> int | None:
    """Seconds to wait where this network has sent too many reports; `None` if it may send one."""
    return await _charge(request, runtime, "code_reports", REPORTS_PER_TEN_MINUTES)


async def may_store_report(request: Request, runtime: Runtime, code: str) -> bool:
    """True for the first reports of a network on one code in a day."""
    quota, name = STORED_PER_NETWORK_AND_CODE, "code_reports_stored"
    return await _charge(request, runtime, name, quota, key=code, window=DAY) is None


async def new_key_bound(request: Request, runtime: Runtime, scanned: ScannedCode) -> int:
    """New keys of a day, of this one's kind, up to which this network may add it.

    Far more for its first, so that networks that have sent many do not use up the day of the others.
    """
    kind = "ids" if scanned.code_id else "texts"
    for name, quota, bound in (
        ("code_reports_first", 1, UNKNOWN_AT_MOST),
        ("code_reports_new", UNKNOWN_PER_NETWORK - 1, UNKNOWN_PER_DAY),
    ):
        if await _charge(request, runtime, name, quota, key=kind, window=DAY) is None:
            return bound
    return 0


async def spend_form(runtime: Runtime, report_id: str) -> bool:
    """True the first time for a form, from any network, for as long as its token lives."""
    replay = Replay(key="code_report", ttl=int(TERM.total_seconds()) + 1)
    verdict = await runtime.limiter.admit(Admission(tag=report_id, generation=None, replay=replay))
    return not isinstance(verdict, Replayed)


async def unknown_wait(request: Request, runtime: Runtime) -> int | None:
    """Seconds to wait where this network has tried too many ids that are no code of ours."""
    return await page_wait(request, runtime, "unknown_codes", UNKNOWN_PER_TEN_MINUTES)


async def national_wait(request: Request, runtime: Runtime) -> int | None:
    """Seconds to wait where this network has opened too many national codes."""
    return await page_wait(request, runtime, "national_codes", NATIONAL_PER_TEN_MINUTES)


async def page_wait(request: Request, runtime: Runtime, name: str, quota: int) -> int | None:
    """Seconds to wait for a page, which is shown all the same without the limiter."""
    try:
        return await _charge(request, runtime, name, quota)
    except LimiterUnavailableError:
        return None


async def _charge(
    request: Request,
    runtime: Runtime,
    name: str,
    quota: int,
    *,
    key: str = "",
    window: int = TEN_MINUTES,
) -> int | None:
    salt, network = scan_counter_of(request).salt, client_network(request, runtime)
    digest = await salt.digest_or_refresh(runtime.limiter, network, runtime.now())
    counter = Counter(name=name, key=key, quota=quota, window=window)
    verdict = await runtime.limiter.admit(
        Admission(tag=digest.hex(), generation=None, counters=(counter,))
    )
    return verdict.retry_after if isinstance(verdict, Limited) else None
