"""Portal pages to keep or withdraw consents given under a former legal representative."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from gateway.disclosure import consent_log_writer
from gateway.identity import representatives
from gateway.identity.permissions import Permission
from gateway.identity.session_dependency import UsingVisitor
from gateway.pages.page_route import PageRoute, see_other
from gateway.pages.rendering import PageRenderer
from gateway.portal import labels, page_queries
from gateway.portal.consents.consent_guard import acting_person, own_consent
from gateway.runtime import UsingRuntime

router = APIRouter(route_class=PageRoute, include_in_schema=False)
renderer = PageRenderer("gateway.portal")


@router.get("/portal/consents/{consent_id}/keep", response_model=None)
async def show_inherited_consent(
    request: Request, consent_id: str, runtime: UsingRuntime, visitor: UsingVisitor
) -> Response:
    """Ask whether to keep or withdraw a consent."""
    async with runtime.engine.connect() as connection:
        found = await own_consent(visitor, connection, request, consent_id, Permission.MANAGE)
        unconfirmed = await representatives.to_confirm(
            connection, found.uscc, [found], now=runtime.now()
        )
        cards = await page_queries.find_enterprises(connection, [found.uscc])
        clients = await page_queries.find_clients(connection, [found.client_id])
    if not unconfirmed or not cards or found.client_id not in clients:
        return see_other(f"/portal/consents/{consent_id}")
    return renderer.page(
        request,
        "portal/inherited_consent.html",
        visitor=visitor,
        enterprise=cards[0],
        tab="consents",
        consent=found,
        client=clients[found.client_id].name,
        purpose=labels.purpose_name(found.purpose),
        items=[
            labels.item_name(code, runtime.catalogue)
            for code in (*found.datasets, *found.questions)
        ],
        csrf=visitor.token(f"keep {consent_id}"),
    )


@router.post("/portal/consents/{consent_id}/keep", response_model=None)
async def keep_consent(
    request: Request, consent_id: str, runtime: UsingRuntime, visitor: UsingVisitor
) -> Response:
    """Keep a consent."""
    await visitor.form(request, f"keep {consent_id}")
    async with runtime.engine.begin() as connection:
        found = await own_consent(visitor, connection, request, consent_id, Permission.MANAGE)
        if await representatives.to_confirm(connection, found.uscc, [found], now=runtime.now()):
            person = acting_person(visitor, found.uscc)
            await consent_log_writer.keep_inherited(
                connection, found, person=person, now=runtime.now()
            )
    return see_other("/portal")
