"""Permission check of the consent pages, and the signed-in person as actor."""

from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.requests import Request

from consent import Channel, Consent, Person
from consent import store as consents
from gateway.identity.permissions import Permission
from gateway.identity.session_dependency import Visitor
from gateway.pages.page_route import InsteadError, not_found


async def own_consent(
    visitor: Visitor,
    connection: AsyncConnection,
    request: Request,
    consent_id: str,
    power: Permission = Permission.CONSENTS,
) -> Consent:
    """The consent, if the visitor has `power` for its enterprise; else the 404 page."""
    found = await consents.by_id(connection, consent_id)
    visitor.must(power, request, found.uscc if found else None)
    if found is None:
        raise InsteadError(not_found(request, visitor))
    return found


def acting_person(visitor: Visitor, uscc: str) -> Person:
    """The signed-in person, acting for the enterprise `uscc` in the portal."""
    return Person(
        subject=visitor.session.subject,
        uscc=uscc,
        channel=Channel.PORTAL,
        identity_token_digest=visitor.session.identity_token_digest,
    )
