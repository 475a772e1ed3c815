"""Portal form to end a cool-down early (R9): after a refusal the client may ask again at once."""

from starlette.responses import Response

import consent
from consent import Status, Transition
from consent import store as consents
from gateway.disclosure import consent_log_writer
from gateway.identity.session_dependency import UsingVisitor
from gateway.pages.page_route import PageRoute, see_other
from gateway.portal.guards import acting_person, own_consent
from gateway.prefix_router import PrefixRouter
from gateway.runtime import UsingRuntime

router = PrefixRouter(route_class=PageRoute, include_in_schema=False)


@router.post("/portal/consents/{consent_id}/end-cool-down")
async def end_cool_down(consent_id: str, runtime: UsingRuntime, visitor: UsingVisitor) -> Response:
    """End the cool-down of all refusals of the same client and purpose; a repetition has no effect."""
    await visitor.form(f"end-cool-down {consent_id}")
    now = runtime.now()
    async with runtime.engine.begin() as connection:
        found = await own_consent(connection, visitor, consent_id)
        relation = found.client_id, found.uscc, found.purpose
        await consents.in_turn(connection, *relation)
        person = acting_person(visitor, found.uscc)
        for refused in await consents.cooling_refusals(connection, *relation, now=now):
            ended = consent.end_cool_down(refused, person=person, now=now)
            if isinstance(ended, Transition):
                await consent_log_writer.save(connection, refused, ended)
    notice = "may_ask" if found.status is Status.REFUSED else "too_late"
    return see_other(f"/portal/consents/{consent_id}?notice={notice}")
