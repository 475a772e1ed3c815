"""Portal pages to keep or withdraw consents given under a former legal representative."""

from starlette.responses import Response

from consent import Giver
from gateway.disclosure import consent_log_writer
from gateway.identity import representatives
from gateway.identity.permissions import Permission
from gateway.identity.session_dependency import UsingVisitor
from gateway.pages.page_route import PageRoute, see_other
from gateway.pages.rendering import PageRenderer
from gateway.portal import labels, page_queries
from gateway.portal.guards import acting_person, own_consent
from gateway.prefix_router import PrefixRouter
from gateway.runtime import UsingRuntime

router = PrefixRouter(route_class=PageRoute, include_in_schema=False)
renderer = PageRenderer("gateway.portal")


@router.get("/portal/consents/{consent_id}/keep")
async def show_inherited_consent(
    consent_id: str, runtime: UsingRuntime, visitor: UsingVisitor
) -> Response:
    """Ask whether to keep or withdraw a consent."""
    async with runtime.engine.connect() as connection:
        found = await own_consent(connection, visitor, consent_id, Permission.MANAGE)
        unconfirmed = await representatives.to_confirm(
            connection, found.uscc, [found], now=runtime.now()
        )
        card = await page_queries.find_enterprise(connection, found.uscc)
        client = await page_queries.find_client(connection, found.client_id)
    if not unconfirmed or card is None or client is None:
        return see_other(f"/portal/consents/{consent_id}")
    return renderer.visitor_page(
        visitor,
        "portal/inherited_consent.html",
        enterprise=card,
        tab="consents",
        consent=found,
        client=client.name,
        purpose=labels.purpose_name(found.purpose),
        items=labels.items_of(found, runtime.catalogue),
        ended=[
            labels.separate_name(each.item, runtime.catalogue, card.kind)
            for each in found.separate_consents
            if each.giver is Giver.PERSON
        ],
        csrf=visitor.token(f"keep {consent_id}"),
    )


@router.post("/portal/consents/{consent_id}/keep")
async def keep_consent(consent_id: str, runtime: UsingRuntime, visitor: UsingVisitor) -> Response:
    """Keep a consent."""
    await visitor.form(f"keep {consent_id}")
    now = runtime.now()
    async with runtime.engine.begin() as connection:
        found = await own_consent(connection, visitor, consent_id, Permission.MANAGE)
        if await representatives.to_confirm(connection, found.uscc, [found], now=now):
            person = acting_person(visitor, found.uscc)
            await consent_log_writer.keep_inherited(connection, found, person=person, now=now)
    return see_other("/portal")
