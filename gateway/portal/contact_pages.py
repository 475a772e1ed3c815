"""Where notices go: named by the legal representative, confirmed from the mailbox itself."""

from datetime import timedelta
from typing import Final, TypedDict

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from gateway.disclosure.ids import new_id
from gateway.identity.permissions import Permission
from gateway.identity.session_dependency import UsingVisitor, Visitor, new_secret
from gateway.notices import contact_points
from gateway.notices.channels import UnsentError, fit, masked
from gateway.notices.contact_points import MOST, ContactPoint
from gateway.notices.templates import confirmation
from gateway.pages.forms import one
from gateway.pages.i18n import Translated, Undone
from gateway.pages.page_route import HOME, PageRoute, see_other
from gateway.pages.rendering import PageRenderer
from gateway.portal.delegates.pages import card_of
from gateway.runtime import Runtime, UsingRuntime

A_DAY: Final = timedelta(days=1)
NOTICES: Final = {
    "sent": Translated(
        "确认链接已发出，请在 24 小时内打开。确认之后才会发送通知。",
        "A link was sent. Open it within 24 hours; notices begin after that.",
    ),
    "unsent": Undone(
        "确认链接没有发出去，请核对地址或稍后再试。",
        "The link could not be sent. Check the address or try again later.",
    ),
    "unfit": Undone("这不是可用的地址。", "This is no address that can be used."),
    "enough": Undone(
        "最多可设 5 个地址，一天最多新增 5 个。", "Five places at most, and five new ones in a day."
    ),
    "confirmed": Translated(
        "已确认，今后的通知会发到这里。", "Confirmed. Notices go there from now on."
    ),
    "removed": Translated("已删除。", "Removed."),
}

router = APIRouter(route_class=PageRoute, include_in_schema=False)
frame: Final = PageRenderer("gateway.portal")


@router.get("/portal/enterprises/{uscc}/notices", response_model=None)
async def show(
    request: Request, uscc: str, runtime: UsingRuntime, visitor: UsingVisitor
) -> Response:
    """Show where notices go, and how to add a place."""
    visitor.must(Permission.MANAGE, request, uscc)
    async with runtime.engine.connect() as connection:
        card = await card_of(connection, request, visitor, uscc)
        found = await contact_points.of_enterprise(connection, uscc)
    return frame.page(
        request,
        "portal/notices.html",
        visitor=visitor,
        enterprise=card,
        tab="notices",
        places=[(each, masked(_opened(runtime, each))) for each in found],
        channels=[each for each in ("email", "sms") if each in runtime.channels],
        notice=NOTICES.get(request.query_params.get("notice", "")),
        csrf=visitor.token(f"add place {uscc}"),
        removing={each.place_id: visitor.token(f"remove {uscc} {each.place_id}") for each in found},
    )


@router.post("/portal/enterprises/{uscc}/notices", response_model=None)
async def add(
    request: Request, uscc: str, runtime: UsingRuntime, visitor: UsingVisitor
) -> Response:
    """Keep an address and send it a link; until that is opened nothing else goes there."""
    fields = await visitor.form(request, f"add place {uscc}")
    visitor.must(Permission.MANAGE, request, uscc)
    channel, now = one(fields, "channel"), runtime.now()
    address = fit(channel, one(fields, "address")) if channel in runtime.channels else None
    if address is None:
        return _to(uscc, "unfit")
    place_id, secret = new_id("plc"), new_secret()
    sealed = runtime.vault.seal(address.encode(), **_place(uscc, place_id))
    async with runtime.engine.begin() as connection:
        card = await card_of(connection, request, visitor, uscc)
        await contact_points.one_at_a_time(connection, uscc)
        held = await contact_points.of_enterprise(connection, uscc)
        if (
            len(held) >= MOST
            or await contact_points.count_since(connection, uscc, now - A_DAY) >= MOST
        ):
            return _to(uscc, "enough")
        await contact_points.add(
            connection,
            ContactPoint(
                uscc=uscc,
                place_id=place_id,
                channel=channel,
                address=sealed,
                added_at=now,
                confirmed_at=None,
                outdated=False,
            ),
            link_digest=runtime.digests.of("invitation", secret),
            **_by(visitor),
        )
    link = f"{runtime.settings.issuer}/portal/enterprises/{uscc}/notices/{place_id}/{secret}"
    try:
        await runtime.channels[channel].send(
            address, confirmation(card.name, link=link, reference=place_id)
        )
    except UnsentError:
        return _to(uscc, "unsent")
    return _to(uscc, "sent")


@router.get("/portal/enterprises/{uscc}/notices/{place_id}/{secret}", response_model=None)
async def ask(
    request: Request,
    uscc: str,
    place_id: str,
    secret: str,
    runtime: UsingRuntime,
    visitor: UsingVisitor,
) -> Response:
    """Ask once: a mail program that opens links by itself confirms nothing."""
    visitor.must(Permission.MANAGE, request, uscc)
    async with runtime.engine.connect() as connection:
        card = await card_of(connection, request, visitor, uscc)
    return frame.page(
        request,
        "portal/notice_confirm.html",
        visitor=visitor,
        enterprise=card,
        tab="notices",
        action=f"/portal/enterprises/{uscc}/notices/{place_id}/{secret}",
        csrf=visitor.token(f"confirm {uscc} {place_id}"),
    )


@router.post("/portal/enterprises/{uscc}/notices/{place_id}/remove", response_model=None)
async def remove(
    request: Request, uscc: str, place_id: str, runtime: UsingRuntime, visitor: UsingVisitor
) -> Response:
    """Send nothing there any more."""
    await visitor.form(request, f"remove {uscc} {place_id}")
    visitor.must(Permission.MANAGE, request, uscc)
    async with runtime.engine.begin() as connection:
        await contact_points.remove(connection, uscc, place_id, **_by(visitor), now=runtime.now())
    return _to(uscc, "removed")


@router.post("/portal/enterprises/{uscc}/notices/{place_id}/{secret}", response_model=None)
async def confirm(
    request: Request,
    uscc: str,
    place_id: str,
    secret: str,
    runtime: UsingRuntime,
    visitor: UsingVisitor,
) -> Response:
    """Confirm the place."""
    await visitor.form(request, f"confirm {uscc} {place_id}")
    visitor.must(Permission.MANAGE, request, uscc)
    async with runtime.engine.begin() as connection:
        digest = runtime.digests.of("invitation", secret)
        done = await contact_points.confirm(
            connection, uscc, place_id, link_digest=digest, **_by(visitor), now=runtime.now()
        )
    if done:
        return _to(uscc, "confirmed")
    return frame.sorry(
        request,
        status=410,
        title=Translated("这个链接不能使用", "This link cannot be used"),
        sentence=Translated(
            "它已过期、已使用过或不完整。请在“通知”页面重新添加地址。",
            "It has expired, was used, or is incomplete. Add the address again under “Notices”.",
        ),
        onward=HOME,
        visitor=visitor,
    )


class _By(TypedDict):
    by: str
    token_digest: bytes


def _by(visitor: Visitor) -> _By:
    """By whose word: the person, and the token that says who that is."""
    session = visitor.session
    return _By(by=session.subject, token_digest=session.identity_token_digest)


def _opened(runtime: Runtime, place: ContactPoint) -> str:
    return runtime.vault.open(place.address, **_place(place.uscc, place.place_id)).decode()


def _place(uscc: str, place_id: str) -> dict[str, str]:
    return {"table": "notice_place", "column": "address", "row": f"{uscc}/{place_id}"}


def _to(uscc: str, notice: str) -> Response:
    return see_other(f"/portal/enterprises/{uscc}/notices?notice={notice}")
