"""Limits per client network on the public pages: reports, national codes, and ids that are no code of ours.

A network is known by a digest under the day's salt (`scans.daily_salt`). A report fails closed without
the limiter; pages are shown all the same.
"""

from typing import Final

from fastapi import Request

from gateway.access.client_network import client_network
from gateway.codes.reports.model import STORED_PER_NETWORK_AND_CODE
from gateway.codes.scans.counter import ScanCounter
from gateway.limits.model import Admission, Counter, Limited
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


def count_scan(request: Request, runtime: Runtime, code_id: str) -> None:
    """Count a scan in memory; no I/O."""
    network = client_network(request, runtime)
    scan_counter_of(request).count(code_id, network, now=runtime.now())


async def report_wait(request: Request, runtime: Runtime) -> int | None:
    """Seconds to wait where this network has sent too many reports; `None` if it may send one."""
    return await _charge(request, runtime, "code_reports", REPORTS_PER_TEN_MINUTES)


async def may_store_report(request: Request, runtime: Runtime, code: str) -> bool:
    """True for the first reports of a network on one code in a day."""
    quota, name = STORED_PER_NETWORK_AND_CODE, "code_reports_stored"
    return await _charge(request, runtime, name, quota, key=code, window=DAY) is None


async def unknown_wait(request: Request, runtime: Runtime) -> int | None:
    """Seconds to wait where this network has tried too many ids that are no code of ours."""
    return await _page_wait(request, runtime, "unknown_codes", UNKNOWN_PER_TEN_MINUTES)


async def national_wait(request: Request, runtime: Runtime) -> int | None:
    """Seconds to wait where this network has opened too many national codes."""
    return await _page_wait(request, runtime, "national_codes", NATIONAL_PER_TEN_MINUTES)


async def _page_wait(request: Request, runtime: Runtime, name: str, quota: int) -> int | None:
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
