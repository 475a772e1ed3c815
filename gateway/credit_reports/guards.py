"""Access checks of a visitor on own credit reports; each failure is the same 404 page."""

from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.credit_reports import store
from gateway.credit_reports.model import StoredReport
from gateway.identity.permissions import Permission
from gateway.identity.session_dependency import Visitor
from gateway.pages.page_route import EarlyResponse


async def own_report(connection: AsyncConnection, visitor: Visitor, report_id: str) -> StoredReport:
    """The report, if the visitor may make reports of its enterprise; else the 404 page."""
    found = await store.find_report(connection, report_id)
    if found is None or not visitor.session.may(found.uscc, Permission.REPORTS):
        raise EarlyResponse(visitor.not_found())
    return found
