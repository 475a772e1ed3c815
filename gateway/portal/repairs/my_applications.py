"""Portal pages to list and follow applications for repair, and to withdraw one."""

from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import Response

from gateway.creditfile.local_dates import day_of
from gateway.creditfile.repair_terms import deciding_office
from gateway.creditfile.repairs import service, store
from gateway.creditfile.repairs.model import ApplicationRefusal, RepairApplication
from gateway.identity.permissions import Permission
from gateway.identity.session_dependency import UsingVisitor, Visitor
from gateway.pages.page_route import EarlyResponse, PageRoute
from gateway.portal import page_queries
from gateway.portal.guards import own_enterprise
from gateway.portal.my_record import dataset_name, read_credit_file, renderer
from gateway.portal.objections.new_objection import actor
from gateway.portal.repairs import labels
from gateway.portal.repairs.new_application import redirect_to_application
from gateway.prefix_router import PrefixRouter
from gateway.runtime import Runtime, UsingRuntime

router = PrefixRouter(route_class=PageRoute, include_in_schema=False)


@router.get("/portal/enterprises/{uscc}/repairs")
async def list_applications(uscc: str, runtime: UsingRuntime, visitor: UsingVisitor) -> Response:
    """List an enterprise's applications, open ones first."""
    async with runtime.engine.connect() as connection:
        card = await own_enterprise(connection, visitor, uscc, Permission.REPAIRS)
        found = await store.of_enterprise(connection, uscc)
    return renderer.visitor_page(
        visitor,
        "portal/repairs.html",
        enterprise=card,
        tab="record",
        running=[each for each in found if each.is_open],
        over=[each for each in found if not each.is_open],
        names={each.dataset: dataset_name(runtime, each.dataset) for each in found},
        labels=labels,
    )


@router.get("/portal/repairs/{application_id}")
async def show_application(
    application_id: str, runtime: UsingRuntime, visitor: UsingVisitor
) -> Response:
    """Show one application: deadline, statement, papers, decision."""
    return await _page(runtime, visitor, application_id, "portal/repair.html")


@router.get("/portal/repairs/{application_id}/withdraw")
async def confirm_withdrawal(
    application_id: str, runtime: UsingRuntime, visitor: UsingVisitor
) -> Response:
    """Show the form to confirm the withdrawal."""
    return await _page(runtime, visitor, application_id, "portal/repair_withdraw.html")


@router.post("/portal/repairs/{application_id}/withdraw")
async def withdraw_application(
    application_id: str, runtime: UsingRuntime, visitor: UsingVisitor
) -> Response:
    """Withdraw an application that is not decided."""
    await visitor.form(f"withdraw {application_id}")
    async with runtime.engine.begin() as connection:
        found = await _own_application(connection, visitor, application_id)
        done = await service.withdraw(
            connection, application_id, actor=actor(visitor, found.uscc), now=runtime.now()
        )
    refused = isinstance(done, ApplicationRefusal)
    return redirect_to_application(application_id, "too_late" if refused else "withdrawn")


async def _own_application(
    connection: AsyncConnection, visitor: Visitor, application_id: str
) -> RepairApplication:
    """The application, if the visitor may act for its enterprise; else the 404 page."""
    found = await store.by_id(connection, application_id) if "\0" not in application_id else None
    if found is None or not visitor.session.may(found.uscc, Permission.REPAIRS):
        raise EarlyResponse(visitor.not_found())
    return found


async def _page(runtime: Runtime, visitor: Visitor, application_id: str, template: str) -> Response:
    async with runtime.engine.connect() as connection:
        found = await _own_application(connection, visitor, application_id)
        card = await page_queries.enterprise_or_uscc(connection, found.uscc)
        file = await read_credit_file(connection, runtime, found.uscc)
    if template.endswith("withdraw.html") and not found.is_open:
        return redirect_to_application(application_id, "too_late")
    records = file.records if file else ()
    record = next((each for each in records if each.record_id == found.record_id), None)
    office = None if record is None else deciding_office(record, runtime.catalogue)
    variables: dict[str, Any] = {
        "enterprise": card,
        "tab": "record",
        "found": found,
        "dataset": dataset_name(runtime, found.dataset),
        "office": office or found.source_name,
        "overdue": found.is_open and day_of(runtime.now()) > found.due_on,
        "notice": visitor.notice(labels.NOTICES),
        "csrf": visitor.token(f"withdraw {found.application_id}"),
        "labels": labels,
    }
    return renderer.visitor_page(visitor, template, **variables)
