"""Who looked (R10): every disclosure and every refused attempt, free of charge."""

from typing import Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from gateway.identity.visitor import UsingVisitor
from gateway.pages.frame import Frame
from gateway.pages.route import PageRoute, not_found
from gateway.portal import store, words
from gateway.runtime import UsingRuntime

router = APIRouter(route_class=PageRoute, include_in_schema=False)
frame: Final = Frame("gateway.portal")


@router.get("/portal/enterprises/{uscc}/looks", response_model=None)
async def list_looks(
    request: Request,
    uscc: str,
    runtime: UsingRuntime,
    visitor: UsingVisitor,
) -> Response:
    """List who looked, the newest first; `?before=` names the last one of the page before."""
    visitor.must_act_for(request, uscc)
    before = request.query_params.get("before", "")
    async with runtime.engine.connect() as conn:
        cards = await store.enterprises(conn, [uscc])
        place = await store.place_of(conn, uscc, before) if before else None
        if not cards or (before and place is None):
            return not_found(request, visitor)
        found = await store.looks(conn, uscc, before=place, limit=store.PAGE + 1)
        refused = await store.turned_away(conn, uscc) if place is None else []
        clients = await store.clients(
            conn, {look.client_id for look in found} | {line.client_id for line in refused}
        )
    shown, more = found[: store.PAGE], len(found) > store.PAGE
    return frame.page(
        request,
        "portal/looks.html",
        visitor=visitor,
        enterprise=cards[0],
        tab="looks",
        looks=shown,
        refused=refused,
        clients=clients,
        older=shown[-1].disclosure_id if more else None,
        first=place is None,
        words=words,
        catalogue=runtime.catalogue,
    )
