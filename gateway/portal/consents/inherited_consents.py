"""What a former legal representative allowed is kept by the new one, or withdrawn: two taps each."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from gateway.disclosure import consent_writer
from gateway.identity import representatives
from gateway.identity.permissions import Permission
from gateway.identity.session_dependency import UsingVisitor
from gateway.pages.page_route import PageRoute, see_other
from gateway.pages.rendering import PageRenderer
from gateway.portal import labels, store
from gateway.portal.consents.consent_guard import acting, consent_of
from gateway.runtime import UsingRuntime

router = APIRouter(route_class=PageRoute, include_in_schema=False)
frame = PageRenderer("gateway.portal")


@router.get("/portal/consents/{consent_id}/keep", response_model=None)
async def ask(
    request: Request, consent_id: str, runtime: UsingRuntime, visitor: UsingVisitor
) -> Response:
    """Ask once whether to let it go on."""
    async with runtime.engine.connect() as connection:
        found = await consent_of(visitor, connection, request, consent_id, Permission.MANAGE)
        open_ones = await representatives.to_confirm(
            connection, found.uscc, [found], now=runtime.now()
        )
        cards = await store.enterprises(connection, [found.uscc])
        clients = await store.clients(connection, [found.client_id])
    if not open_ones or not cards or found.client_id not in clients:
        return see_other(f"/portal/consents/{consent_id}")
    return frame.page(
        request,
        "portal/keep.html",
        visitor=visitor,
        enterprise=cards[0],
        tab="consents",
        found=found,
        client=clients[found.client_id].name,
        purpose=labels.purpose_name(found.purpose),
        items=[
            labels.item_name(code, runtime.catalogue)
            for code in (*found.datasets, *found.questions)
        ],
        csrf=visitor.token(f"keep {consent_id}"),
    )


@router.post("/portal/consents/{consent_id}/keep", response_model=None)
async def keep(
    request: Request, consent_id: str, runtime: UsingRuntime, visitor: UsingVisitor
) -> Response:
    """Let it go on."""
    await visitor.form(request, f"keep {consent_id}")
    async with runtime.engine.begin() as connection:
        found = await consent_of(visitor, connection, request, consent_id, Permission.MANAGE)
        if await representatives.to_confirm(connection, found.uscc, [found], now=runtime.now()):
            by = acting(visitor, found.uscc)
            await consent_writer.keep_inherited(connection, found, person=by, now=runtime.now())
    return see_other("/portal")
