"""Permission checks of the portal's pages: a resource of a visitor's enterprise, or the 404 page."""

from sqlalchemy.ext.asyncio import AsyncConnection

from consent import Channel, Consent, Person
from consent import store as consents
from gateway.identity.permissions import Permission
from gateway.identity.session_dependency import Visitor
from gateway.pages.page_route import EarlyResponse
from gateway.portal import page_queries
from gateway.portal.page_queries import EnterpriseCard


async def known_enterprise(
    connection: AsyncConnection, visitor: Visitor, uscc: str
) -> EnterpriseCard:
    """The enterprise for the page header; else the 404 page. Checks no permission."""
    card = await page_queries.find_enterprise(connection, uscc)
    if card is None:
        raise EarlyResponse(visitor.not_found())
    return card


async def own_enterprise(
    connection: AsyncConnection, visitor: Visitor, uscc: str, permission: Permission
) -> EnterpriseCard:
    """The enterprise, if the visitor has `permission` for it; else the 404 page."""
    visitor.require(permission, uscc)
    return await known_enterprise(connection, visitor, uscc)


async def own_consent(
    connection: AsyncConnection,
    visitor: Visitor,
    consent_id: str,
    permission: Permission = Permission.CONSENTS,
) -> Consent:
    """The consent, if the visitor has `permission` for its enterprise; else the 404 page."""
    found = await consents.by_id(connection, consent_id)
    if found is None or not visitor.session.may(found.uscc, permission):
        raise EarlyResponse(visitor.not_found())
    return found


def acting_person(visitor: Visitor, uscc: str, channel: Channel = Channel.PORTAL) -> Person:
    """The signed-in person, acting for the enterprise `uscc`."""
    return Person(
        subject=visitor.session.subject,
        uscc=uscc,
        channel=channel,
        identity_token_digest=visitor.session.identity_token_digest,
    )
