"""Portal pages of delegate invitations; each link is accepted once."""

from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import Response

from gateway.identity import delegations, permissions
from gateway.identity.delegations import StoredDelegation
from gateway.identity.permissions import DelegationState, PermissionProblem, state_of
from gateway.identity.session_dependency import UsingVisitor, Visitor
from gateway.notices.kinds import NoticeKind
from gateway.notices.outbox import note
from gateway.pages.i18n import Translated
from gateway.pages.page_route import EarlyResponse, PageMessage, PageRoute, see_other
from gateway.pages.rendering import PageRenderer
from gateway.portal.delegates import labels
from gateway.portal.delegates.names import delegate_view, seal_accepted_name
from gateway.portal.guards import known_enterprise
from gateway.prefix_router import PrefixRouter
from gateway.runtime import Runtime, UsingRuntime

router = PrefixRouter(route_class=PageRoute, include_in_schema=False)
renderer: Final = PageRenderer("gateway.portal")

REFUSED: Final = Translated("这份邀请不能接受", "This invitation cannot be accepted")


@router.get("/portal/invitations/{invitation}")
async def show_invitation(
    invitation: str, runtime: UsingRuntime, visitor: UsingVisitor
) -> Response:
    """Show an invitation."""
    async with runtime.engine.connect() as connection:
        stored = await _open_invitation(connection, runtime, visitor, invitation)
        card = await known_enterprise(connection, visitor, stored.delegation.uscc)
    return renderer.visitor_page(
        visitor,
        "portal/invitation.html",
        enterprise=card,
        delegate=delegate_view(runtime, stored),
        own=stored.delegation.appointed_by == visitor.session.subject,
        name=visitor.session.name,
        action=f"/portal/invitations/{invitation}",
        csrf=visitor.token(f"accept {invitation}"),
        labels=labels,
        own_text=labels.PROBLEMS[PermissionProblem.OWN],
    )


@router.post("/portal/invitations/{invitation}")
async def accept_invitation(
    invitation: str, runtime: UsingRuntime, visitor: UsingVisitor
) -> Response:
    """Accept an invitation and become a delegate."""
    await visitor.form(f"accept {invitation}")
    now = runtime.now()
    async with runtime.engine.begin() as connection:
        stored = await _open_invitation(connection, runtime, visitor, invitation)
        uscc = stored.delegation.uscc
        accepted = permissions.accept(
            stored.delegation,
            subject=visitor.session.subject,
            representative=await delegations.representative_of(connection, uscc) or "",
            now=now,
        )
        if isinstance(accepted, PermissionProblem):
            raise EarlyResponse(_refusal_page(visitor, accepted))
        taken = await delegations.accept(
            connection,
            accepted,
            name=seal_accepted_name(runtime, accepted, visitor.session.name),
            token_digest=visitor.session.identity_token_digest,
        )
        if not taken:
            raise EarlyResponse(_refusal_page(visitor, PermissionProblem.TOO_LATE))
        await note(connection, NoticeKind.DELEGATE_ACCEPTED, uscc, now=now)
    return see_other("/portal")


async def _open_invitation(
    connection: AsyncConnection, runtime: Runtime, visitor: Visitor, invitation: str
) -> StoredDelegation:
    """The invited delegation of this link; otherwise raise the page that explains."""
    digest = runtime.digests.of("invitation", invitation)
    stored = await delegations.by_invitation(connection, digest)
    if stored is None:
        raise EarlyResponse(visitor.not_found())
    state = state_of(stored.delegation, runtime.now())
    if stored.delegation.subject == visitor.session.subject and state is DelegationState.RUNNING:
        raise EarlyResponse(see_other("/portal"))
    if state is not DelegationState.INVITED:
        raise EarlyResponse(_refusal_page(visitor, PermissionProblem.TOO_LATE))
    return stored


def _refusal_page(visitor: Visitor, problem: PermissionProblem) -> Response:
    status = 403 if problem is PermissionProblem.OWN else 410
    return visitor.message_page(PageMessage(status, REFUSED, labels.PROBLEMS[problem]))
