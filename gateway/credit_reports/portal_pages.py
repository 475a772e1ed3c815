"""Portal pages of an enterprise's own reports: the list, one report, its files, taking it back."""

from typing import Final

from starlette.responses import Response

from gateway.access.download_limit import count_download
from gateway.codes import qr
from gateway.codes.ids import symbol_url
from gateway.codes.store import enterprise_name
from gateway.credit_reports import labels, new_report_pages, service, store
from gateway.credit_reports.files import JSON, draw_pdf, file_response, may_draw
from gateway.credit_reports.guards import own_report
from gateway.credit_reports.model import StoredReport
from gateway.credit_reports.pdf import MEDIA_TYPE
from gateway.credit_reports.service import Standing
from gateway.creditfile.labels import dataset_label
from gateway.identity.permissions import Permission
from gateway.identity.session_dependency import UsingVisitor, Visitor
from gateway.pages.page_route import EarlyResponse, PageRoute, see_other
from gateway.pages.rendering import PageRenderer
from gateway.pages.security_headers import security_headers
from gateway.prefix_router import PrefixRouter
from gateway.runtime import Runtime, UsingRuntime

router = PrefixRouter(route_class=PageRoute, include_in_schema=False)
router.include_router(new_report_pages.router)
renderer: Final = PageRenderer("gateway.credit_reports")
MOST_SHOWN: Final = 200
"""Reports on the list, the newest."""


@router.get("/portal/enterprises/{uscc}/reports")
async def list_reports(uscc: str, runtime: UsingRuntime, visitor: UsingVisitor) -> Response:
    """List an enterprise's reports with their state and openings."""
    visitor.require(Permission.REPORTS, uscc)
    async with runtime.engine.connect() as connection:
        name = await enterprise_name(connection, uscc)
        stored = await store.list_reports(connection, uscc, limit=MOST_SHOWN)
        standings = [await service.look_at(connection, runtime, each) for each in stored]
        opened = await store.openings(connection, uscc, [each.report_id for each in stored])
    if name is None:
        return visitor.not_found()
    return renderer.visitor_page(
        visitor,
        "credit_reports/list.html",
        tab="reports",
        enterprise={"uscc": uscc, "name": name},
        standings=standings,
        opened=opened,
        names=labels.NAMES,
        anyone=labels.ANYONE,
        is_cut=len(stored) == MOST_SHOWN,
    )


@router.get("/portal/reports/{report_id}")
async def show_own_report(report_id: str, runtime: UsingRuntime, visitor: UsingVisitor) -> Response:
    """Show one report with its address, its symbol and its openings."""
    return await _report_page(report_id, runtime, visitor, "credit_reports/report.html")


@router.get("/portal/reports/{report_id}/take-back")
async def confirm_taking_back(
    report_id: str, runtime: UsingRuntime, visitor: UsingVisitor
) -> Response:
    """Ask to confirm that the report is taken back."""
    return await _report_page(report_id, runtime, visitor, "credit_reports/take_back.html")


@router.post("/portal/reports/{report_id}/take-back")
async def take_back(report_id: str, runtime: UsingRuntime, visitor: UsingVisitor) -> Response:
    """Take a report back, at once."""
    await visitor.form(f"take back {report_id}")
    async with runtime.engine.begin() as connection:
        found = await own_report(connection, visitor, report_id)
        taken = await store.take_back(
            connection, found.uscc, found.report_id, **visitor.authorship, now=runtime.now()
        )
    notice = "taken_back" if taken else "too_late"
    return see_other(f"/portal/reports/{found.report_id}?notice={notice}")


@router.get("/portal/reports/{report_id}/qr.svg")
async def download_symbol(report_id: str, runtime: UsingRuntime, visitor: UsingVisitor) -> Response:
    """Serve the QR symbol of the report's address."""
    async with runtime.engine.connect() as connection:
        found = await own_report(connection, visitor, report_id)
        standing = await service.look_at(connection, runtime, found)
    matrix = qr.matrix_of(symbol_url(runtime.settings.issuer, f"/R/{standing.number}"))
    image = qr.as_svg(matrix, label="信用报告二维码 QR code of the report")
    return Response(image, media_type="image/svg+xml", headers=security_headers(form_action=()))


@router.get("/portal/reports/{report_id}/report.json")
async def download_own_document(
    report_id: str, runtime: UsingRuntime, visitor: UsingVisitor
) -> Response:
    """Serve the signed document to the enterprise itself: no opening, as it is its own."""
    standing = await _own_file(report_id, runtime, visitor)
    return file_response(standing.file, JSON, standing.number)


@router.get("/portal/reports/{report_id}/report.pdf")
async def download_own_pdf(
    report_id: str, runtime: UsingRuntime, visitor: UsingVisitor
) -> Response:
    """Serve the PDF to the enterprise itself: no opening either."""
    standing = await _own_file(report_id, runtime, visitor)
    pdf = await draw_pdf(runtime, standing)
    if pdf is None:
        return visitor.not_found()
    return file_response(pdf, MEDIA_TYPE, standing.number)


async def _own_file(report_id: str, runtime: Runtime, visitor: Visitor) -> Standing:
    """The visitor's own report while it is shown; else the 404 page."""
    async with runtime.engine.connect() as connection:
        found = await own_report(connection, visitor, report_id)
    await count_download(runtime, visitor)  # without holding a database connection
    async with runtime.engine.connect() as connection:
        standing = await service.look_at(connection, runtime, found)
    if standing.report is None:
        raise EarlyResponse(visitor.not_found())
    return standing


async def _report_page(
    report_id: str, runtime: Runtime, visitor: Visitor, template: str
) -> Response:
    async with runtime.engine.connect() as connection:
        found = await own_report(connection, visitor, report_id)
        standing = await service.look_at(connection, runtime, found)
        opened = await store.openings(connection, found.uscc, [found.report_id])
    return _page(runtime, visitor, template, found, standing, opened.get(found.report_id))


def _page(
    runtime: Runtime,
    visitor: Visitor,
    template: str,
    found: StoredReport,
    standing: Standing,
    opened: store.Openings | None,
) -> Response:
    return renderer.visitor_page(
        visitor,
        template,
        tab="reports",
        enterprise={"uscc": found.uscc, "name": standing.name},
        report=found,
        standing=standing,
        said=labels.STATES[standing.state],
        newer=labels.NEWER_FOR_OWNER,
        name=labels.NAMES[standing.state],
        datasets=[
            dataset_label(code, runtime.catalogue, standing.kind)
            for code in (standing.report["datasets"] if standing.report else ())
        ],
        may_see_history=visitor.session.may(found.uscc, Permission.RECORD),
        has_pdf=may_draw(runtime),
        opened=opened,
        link=f"{runtime.settings.issuer}/R/{standing.number}",
        anyone=labels.ANYONE,
        notice=visitor.notice(labels.NOTICES),
        csrf=visitor.token(f"take back {found.report_id}"),
    )
