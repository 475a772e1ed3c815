"""Files of a report: the signed document as it was issued, and the PDF, drawn when it is asked for."""

import asyncio
import hashlib
from typing import Final

from starlette.responses import Response

from gateway.credit_reports import store
from gateway.credit_reports.content import content_of
from gateway.credit_reports.pdf import MEDIA_TYPE, draw_report
from gateway.credit_reports.service import Standing
from gateway.db.unavailable import UnavailableError
from gateway.pages.chinese_font import find_font
from gateway.pages.security_headers import security_headers
from gateway.runtime import Runtime

JSON: Final = "application/json"
pdf_slots: Final = asyncio.Semaphore(2)
"""A drawing holds a large font in memory for about a second."""
MOST_DRAWINGS: Final = 8
"""Under way or waiting, in one worker."""
places: Final = asyncio.Semaphore(MOST_DRAWINGS)


def may_draw(runtime: Runtime) -> bool:
    """True where there is a font with Chinese."""
    return find_font(runtime.settings.font) is not None


async def draw_pdf(runtime: Runtime, standing: Standing) -> bytes | None:
    """The PDF of a report that is shown, its digest remembered; `None` without a font.

    It is drawn once for all who open it within minutes: a drawing takes half a second of CPU.

    Raises `UnavailableError` where too many wait to be drawn.
    """
    font = find_font(runtime.settings.font)
    if font is None or standing.report is None:
        return None
    signer = runtime.keys.current("response", runtime.now())
    drawn_from = hashlib.sha256(standing.file).digest(), signer.kid, runtime.catalogue.version
    pdf = runtime.drawn_reports.find(drawn_from)
    if pdf is None:
        if places.locked():
            raise UnavailableError
        async with places, pdf_slots:
            pdf = await asyncio.to_thread(
                draw_report,
                content_of(standing.report, runtime.catalogue),
                standing.file,
                font=font,
                signer=signer,
                synthetic=runtime.settings.demo,
            )
        runtime.drawn_reports.keep(drawn_from, pdf)
    digest, stored = hashlib.sha256(pdf).hexdigest(), standing.stored
    if digest not in stored.digests:
        async with runtime.engine.begin() as connection:
            await store.add_digest(connection, stored.uscc, stored.report_id, digest)
    return pdf


def file_response(content: bytes, media_type: str, report_id: str) -> Response:
    """A report's file, to be saved."""
    name = f"credit-report-{report_id}.{'pdf' if media_type == MEDIA_TYPE else 'json'}"
    headers = security_headers(form_action=()) | {
        "Content-Disposition": f'attachment; filename="{name}"',
        "X-Robots-Tag": "noindex",
    }
    return Response(content, media_type=media_type, headers=headers)
