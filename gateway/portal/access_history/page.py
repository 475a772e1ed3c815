"""Who looked (R10): every disclosure and every refused attempt, free of charge."""

from collections.abc import AsyncIterator
from typing import Final

from fastapi import APIRouter
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from gateway.identity.permissions import Permission
from gateway.identity.session_dependency import UsingVisitor
from gateway.pages import csv_safe
from gateway.pages.i18n import language_of
from gateway.pages.page_route import PageRoute, not_found, see_other
from gateway.pages.rendering import PageRenderer
from gateway.pages.security_headers import security_headers
from gateway.portal import labels, store
from gateway.portal.access_history import entries
from gateway.portal.access_history.entries import PAGE, Filter, HistoryPosition
from gateway.portal.access_history.filters import HistoryFilter, asked_of
from gateway.portal.access_history.table import Table
from gateway.portal.download_limit import count_file
from gateway.portal.store import ClientCard
from gateway.runtime import Runtime, UsingRuntime

router = APIRouter(route_class=PageRoute, include_in_schema=False)
frame: Final = PageRenderer("gateway.portal")


@router.get("/portal/enterprises/{uscc}/looks", response_model=None)
async def list_looks(
    request: Request,
    uscc: str,
    runtime: UsingRuntime,
    visitor: UsingVisitor,
) -> Response:
    """List who looked, the newest first; `?before=` names where the page before ended."""
    visitor.must(Permission.RECORD, request, uscc)
    before = request.query_params.get("before", "")
    place = HistoryPosition.read(before) if before else None
    async with runtime.engine.connect() as connection:
        cards = await store.enterprises(connection, [uscc])
        if not cards or (before and place is None):
            return not_found(request, visitor)
        asked, clients = await _asked(connection, request, uscc)
        found = await entries.lines(connection, uscc, asked.filter, after=place, limit=PAGE + 1)
    shown, more = found[:PAGE], len(found) > PAGE
    return frame.page(
        request,
        "portal/looks.html",
        visitor=visitor,
        enterprise=cards[0],
        tab="looks",
        looks=shown,
        clients=clients,
        purposes=sorted(asked.seen.purposes),
        asked=asked,
        older=shown[-1].place if more else None,
        first=place is None,
        words=labels,
        catalogue=runtime.catalogue,
    )


@router.get("/portal/enterprises/{uscc}/looks.csv", response_model=None)
async def export(
    request: Request,
    uscc: str,
    runtime: UsingRuntime,
    visitor: UsingVisitor,
) -> Response:
    """Give all lines within the filter as a file for a spreadsheet, the newest first."""
    visitor.must(Permission.RECORD, request, uscc)
    await count_file(request, runtime, visitor)
    async with runtime.engine.connect() as connection:
        asked, clients = await _asked(connection, request, uscc)
    if not asked.understood:  # else the file would hold more than was asked for
        back = f"/portal/enterprises/{uscc}/looks?{request.url.query}"
        return see_other(back)
    table = Table(
        language=language_of(request.query_params, request.cookies),
        clients=clients,
        catalogue=runtime.catalogue,
    )
    headers = security_headers(form_action=()) | {
        "Content-Disposition": f'attachment; filename="who-looked-{uscc}.csv"',
    }
    return StreamingResponse(
        _written(runtime, uscc, asked.filter, table),
        media_type="text/csv; charset=utf-8",
        headers=headers,
    )


async def _asked(
    connection: AsyncConnection, request: Request, uscc: str
) -> tuple[HistoryFilter, dict[str, ClientCard]]:
    """What is asked for, and the clients that ever looked, by name."""
    seen = await entries.seen(connection, uscc)
    clients = await store.clients(connection, seen.clients)
    by_name = sorted(clients.values(), key=lambda each: each.name)
    return asked_of(request.query_params, seen), {each.client_id: each for each in by_name}


async def _written(runtime: Runtime, uscc: str, wanted: Filter, table: Table) -> AsyncIterator[str]:
    yield csv_safe.BOM + csv_safe.as_csv([table.head()])
    async for some in entries.every_line(runtime.engine, uscc, wanted):
        yield csv_safe.as_csv(table.row(each) for each in some)
