"""Portal page and CSV export of the access history (R10)."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import Response, StreamingResponse

from gateway.access.download_limit import count_download
from gateway.creditfile import labels as record_labels
from gateway.creditfile.watches.followed import watchers_of
from gateway.disclosure.application_outcomes.store import outcomes_of
from gateway.identity.permissions import Permission
from gateway.identity.session_dependency import UsingVisitor, Visitor
from gateway.pages import csv_safe
from gateway.pages.i18n import language_of
from gateway.pages.page_route import PageRoute, see_other
from gateway.pages.rendering import PageRenderer
from gateway.pages.security_headers import security_headers
from gateway.portal import labels, page_queries
from gateway.portal.access_history import entries
from gateway.portal.access_history.entries import AccessEntry, EntryFilter
from gateway.portal.access_history.filters import HistoryFilter, parse_filter
from gateway.portal.access_history.report_cards import report_cards
from gateway.portal.access_history.table import HistoryTable
from gateway.portal.access_history.told_items import PUBLIC, told_items
from gateway.portal.access_history.told_outcomes import ShownOutcome, shown_outcomes
from gateway.portal.guards import own_enterprise
from gateway.portal.my_record import Entry, read_credit_file
from gateway.portal.page_queries import ClientCard
from gateway.portal.pagination import PAGE_SIZE, requested_position
from gateway.prefix_router import PrefixRouter
from gateway.runtime import Runtime, UsingRuntime

router = PrefixRouter(route_class=PageRoute, include_in_schema=False)
renderer: Final = PageRenderer("gateway.portal")


@router.get("/portal/enterprises/{uscc}/looks")
async def show_access_history(uscc: str, runtime: UsingRuntime, visitor: UsingVisitor) -> Response:
    """Show the access history, newest first; `?before=` is the cursor of the next page."""
    async with runtime.engine.connect() as connection:
        card = await own_enterprise(connection, visitor, uscc, Permission.RECORD)
        position = requested_position(visitor)
        selection, clients = await _parse_selection(connection, runtime, visitor, uscc)
        found = await entries.list_entries(
            connection, uscc, selection.filter, position=position, limit=PAGE_SIZE + 1
        )
        shown, more = found[:PAGE_SIZE], len(found) > PAGE_SIZE
        records = await _records_told(connection, runtime, uscc, shown)
        outcomes = await _outcomes_told(connection, uscc, shown)
        watchers = await watchers_of(connection, uscc, runtime.now()) if position is None else []
        watching = await page_queries.find_clients(connection, [e.client_id for e in watchers])
    datasets = {record_id: each.record.dataset for record_id, each in records.items()}
    return renderer.visitor_page(
        visitor,
        "portal/access_history.html",
        enterprise=card,
        tab="looks",
        entries=[(each, told_items(each, runtime.catalogue, datasets)) for each in shown],
        records=records,
        public=PUBLIC,
        outcomes=outcomes,
        watchers=watchers,
        watching=watching,
        clients=clients,
        purposes=sorted(selection.choices.purposes),
        selection=selection,
        older=shown[-1].position if more else None,
        first=position is None,
        labels=labels,
        record_labels=record_labels,
        catalogue=runtime.catalogue,
        may_see_reports=visitor.session.may(uscc, Permission.REPORTS),
    )


@router.get("/portal/enterprises/{uscc}/looks.csv")
async def export_access_history(
    uscc: str, runtime: UsingRuntime, visitor: UsingVisitor
) -> Response:
    """Export the filtered access history as CSV, newest first."""
    visitor.require(Permission.RECORD, uscc)
    await count_download(runtime, visitor)
    request = visitor.request
    async with runtime.engine.connect() as connection:
        selection, clients = await _parse_selection(connection, runtime, visitor, uscc)
    if not selection.all_recognised:  # the file would hold more than asked for
        return see_other(f"/portal/enterprises/{uscc}/looks?{request.url.query}")
    table = HistoryTable(
        language=language_of(request.query_params, request.cookies),
        clients=clients,
        catalogue=runtime.catalogue,
    )
    headers = security_headers(form_action=()) | {
        "Content-Disposition": f'attachment; filename="who-looked-{uscc}.csv"'
    }
    return StreamingResponse(
        _csv_chunks(runtime, uscc, selection.filter, table),
        media_type="text/csv; charset=utf-8",
        headers=headers,
    )


async def _records_told(
    connection: AsyncConnection, runtime: Runtime, uscc: str, shown: Sequence[AccessEntry]
) -> Mapping[str, Entry]:
    """Records of the file, ended ones too, that these entries rest on, by id."""
    told = {record_id for each in shown for record_id, _ in each.relied_on}
    file = await read_credit_file(connection, runtime, uscc) if told else None
    entries_of_file = file.entries() if file else ()
    return {e.record.record_id: e for e in entries_of_file if e.record.record_id in told}


async def _outcomes_told(
    connection: AsyncConnection, uscc: str, shown: Sequence[AccessEntry]
) -> Mapping[str, ShownOutcome]:
    """Outcomes of the applications behind these queries, by query, where their clients told them."""
    queries = [each.ref for each in shown if each.kind == "query" and each.times is None]
    return shown_outcomes(await outcomes_of(connection, uscc, queries)) if queries else {}


async def _parse_selection(
    connection: AsyncConnection, runtime: Runtime, visitor: Visitor, uscc: str
) -> tuple[HistoryFilter, dict[str, ClientCard]]:
    """The parsed filter, and all clients and reports in the history, ordered by name."""
    choices = await entries.filter_choices(connection, uscc)
    clients = {
        **await page_queries.find_clients(connection, choices.clients),
        **await report_cards(connection, runtime.vault, uscc, choices.clients),
    }
    by_name = sorted(clients.values(), key=lambda each: each.name)
    selection = parse_filter(visitor.request.query_params, choices)
    return selection, {each.client_id: each for each in by_name}


async def _csv_chunks(
    runtime: Runtime, uscc: str, criteria: EntryFilter, table: HistoryTable
) -> AsyncIterator[str]:
    yield csv_safe.BOM + csv_safe.as_csv([table.heading()])
    async for batch in entries.stream_entries(runtime.engine, uscc, criteria):
        async with runtime.engine.connect() as connection:
            outcomes = await _outcomes_told(connection, uscc, batch)
        yield csv_safe.as_csv(table.row(each, outcomes.get(each.ref)) for each in batch)
