"""Limits per client network on the public pages of reports; pages are shown without the limiter too."""

from typing import Final

from fastapi import Request

from gateway.codes.network_limits import page_wait
from gateway.runtime import Runtime

OPENINGS_PER_TEN_MINUTES: Final = 120
PDFS_PER_TEN_MINUTES: Final = 20
CHECKS_PER_TEN_MINUTES: Final = 60
UNKNOWN_PER_TEN_MINUTES: Final = 60
STATUSES_PER_TEN_MINUTES: Final = 300


async def opening_wait(request: Request, runtime: Runtime) -> int | None:
    """Seconds to wait where this network has opened too many reports, of which each is written down."""
    return await page_wait(request, runtime, "report_openings", OPENINGS_PER_TEN_MINUTES)


async def pdf_wait(request: Request, runtime: Runtime) -> int | None:
    """Seconds to wait where this network has had too many PDFs drawn."""
    return await page_wait(request, runtime, "report_pdfs", PDFS_PER_TEN_MINUTES)


async def check_wait(request: Request, runtime: Runtime) -> int | None:
    """Seconds to wait where this network has sent too many files to compare."""
    return await page_wait(request, runtime, "report_checks", CHECKS_PER_TEN_MINUTES)


async def status_wait(request: Request, runtime: Runtime) -> int | None:
    """Seconds to wait where this network has asked for too many states, each of which is computed."""
    return await page_wait(request, runtime, "report_statuses", STATUSES_PER_TEN_MINUTES)


async def unknown_wait(request: Request, runtime: Runtime) -> int | None:
    """Seconds to wait where this network has tried too many ids that are no report of ours."""
    return await page_wait(request, runtime, "unknown_reports", UNKNOWN_PER_TEN_MINUTES)
