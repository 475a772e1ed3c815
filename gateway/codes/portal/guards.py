"""Access checks of a visitor on codes; each failure is the same 404 page."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.codes import store
from gateway.codes.ids import parse_code_id
from gateway.codes.model import Code, CodeState, Registration
from gateway.identity.permissions import Permission
from gateway.identity.session_dependency import Visitor
from gateway.pages.page_route import EarlyResponse


async def own_code(connection: AsyncConnection, visitor: Visitor, code_id: str) -> Code:
    """The code, if the visitor may manage its enterprise's codes; else the 404 page."""
    parsed = parse_code_id(code_id)
    code = await store.find_code(connection, parsed) if parsed else None
    if code is None or not visitor.session.may(code.uscc, Permission.CODES):
        raise EarlyResponse(visitor.not_found())
    return code


def is_printed(code: Code, registration: Registration, *, now: datetime) -> bool:
    """True if the code is valid and its sticker would agree with the registration."""
    return code.state_at(now) is CodeState.VALID and not code.outdated_facts(registration)


async def own_valid_code(
    connection: AsyncConnection, visitor: Visitor, code_id: str, *, now: datetime
) -> Code:
    """The visitor's own code, if it is valid and as registered: no other is printed."""
    code = await own_code(connection, visitor, code_id)
    registration = await store.find_registration(connection, code.uscc)
    if registration is None or not is_printed(code, registration, now=now):
        raise EarlyResponse(visitor.not_found())
    return code
