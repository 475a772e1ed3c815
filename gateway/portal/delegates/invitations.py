"""An invitation is taken up once, by whoever signs in with an own identity and holds the link."""

from typing import Final

from fastapi import APIRouter
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.requests import Request
from starlette.responses import Response

from gateway.identity import delegations, permissions
from gateway.identity.delegations import StoredDelegation
from gateway.identity.permissions import DelegationState, PermissionProblem, state_of
from gateway.identity.session_dependency import UsingVisitor, Visitor
from gateway.notices.kinds import NoticeKind
from gateway.notices.outbox import note
from gateway.pages.i18n import Translated
from gateway.pages.page_route import HOME, InsteadError, PageRoute, not_found, see_other
from gateway.pages.rendering import PageRenderer
from gateway.portal.delegates import labels
from gateway.portal.delegates.pages import card_of, shown
from gateway.runtime import Runtime, UsingRuntime

router = APIRouter(route_class=PageRoute, include_in_schema=False)
frame: Final = PageRenderer("gateway.portal")


@router.get("/portal/invitations/{invitation}", response_model=None)
async def show(
    request: Request, invitation: str, runtime: UsingRuntime, visitor: UsingVisitor
) -> Response:
    """Show what would be passed on, and by whom."""
    async with runtime.engine.connect() as connection:
        kept = await _open(connection, request, runtime, visitor, invitation)
        card = await card_of(connection, request, visitor, kept.delegation.uscc)
    return frame.page(
        request,
        "portal/invitation.html",
        visitor=visitor,
        enterprise=card,
        shown=shown(runtime, kept),
        own=kept.delegation.appointed_by == visitor.session.subject,
        name=visitor.session.name,
        action=f"/portal/invitations/{invitation}",
        csrf=visitor.token(f"accept {invitation}"),
        words=labels,
        own_words=labels.TROUBLES[PermissionProblem.OWN],
    )


@router.post("/portal/invitations/{invitation}", response_model=None)
async def accept(
    request: Request, invitation: str, runtime: UsingRuntime, visitor: UsingVisitor
) -> Response:
    """Take it up: from now on the person may act for the enterprise, within it."""
    await visitor.form(request, f"accept {invitation}")
    async with runtime.engine.begin() as connection:
        kept = await _open(connection, request, runtime, visitor, invitation)
        of = kept.delegation
        accepted = permissions.accept(
            of,
            subject=visitor.session.subject,
            representative=await delegations.representative_of(connection, of.uscc) or "",
            now=runtime.now(),
        )
        if isinstance(accepted, PermissionProblem):
            raise InsteadError(_sorry(request, visitor, accepted))
        taken = await delegations.take_up(
            connection, accepted, token_digest=visitor.session.identity_token_digest
        )
        if not taken:
            raise InsteadError(_sorry(request, visitor, PermissionProblem.TOO_LATE))
        await note(connection, NoticeKind.DELEGATE_ACCEPTED, of.uscc, now=runtime.now())
    return see_other("/portal")


async def _open(
    connection: AsyncConnection,
    request: Request,
    runtime: Runtime,
    visitor: Visitor,
    invitation: str,
) -> StoredDelegation:
    """The delegation that waits behind this link; else the page that says why not."""
    kept = await delegations.by_invitation(connection, runtime.digests.of("invitation", invitation))
    if kept is None:
        raise InsteadError(not_found(request, visitor))
    of = kept.delegation
    if (
        of.subject == visitor.session.subject
        and state_of(of, runtime.now()) is DelegationState.RUNNING
    ):
        raise InsteadError(see_other("/portal"))
    if state_of(of, runtime.now()) is not DelegationState.INVITED:
        raise InsteadError(_sorry(request, visitor, PermissionProblem.TOO_LATE))
    return kept


def _sorry(request: Request, visitor: Visitor, trouble: PermissionProblem) -> Response:
    return frame.sorry(
        request,
        status=403 if trouble is PermissionProblem.OWN else 410,
        title=Translated("这份邀请不能接受", "This invitation cannot be taken up"),
        sentence=labels.TROUBLES[trouble],
        onward=HOME,
        visitor=visitor,
    )
