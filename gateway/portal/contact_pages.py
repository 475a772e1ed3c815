"""Portal pages for contact points: add, confirm by a link sent to the address, remove."""

from datetime import timedelta
from typing import Final

from starlette.responses import Response

from gateway.disclosure.ids import new_id
from gateway.identity.permissions import Permission
from gateway.identity.session_dependency import UsingVisitor, Visitor, new_secret
from gateway.notices import contact_points
from gateway.notices.channels import UnsentError, mask_address, valid_address
from gateway.notices.contact_points import MAX_CONTACT_POINTS, ContactPoint
from gateway.notices.templates import confirmation_message
from gateway.pages.forms import Fields, single_value
from gateway.pages.i18n import Translated, WarningText
from gateway.pages.page_route import PageMessage, PageRoute, see_other
from gateway.pages.rendering import PageRenderer
from gateway.portal.guards import own_enterprise
from gateway.prefix_router import PrefixRouter
from gateway.runtime import Runtime, UsingRuntime

MAX_ADDRESS: Final = 254
A_DAY: Final = timedelta(days=1)
NOTICES: Final = {
    "sent": Translated(
        "确认链接已发出，请在 24 小时内打开。确认之后才会发送通知。",
        "A link was sent. Open it within 24 hours; notices begin after that.",
    ),
    "unsent": WarningText(
        "确认链接发送失败，请核对地址后重试，或稍后再试。",
        "The link could not be sent. Check the address or try again later.",
    ),
    "unfit": WarningText(
        "请填写正确的邮箱地址或手机号码。", "Please enter a valid e-mail address or mobile number."
    ),
    "enough": WarningText(
        "最多设置 5 个地址，每天最多新增 5 个。",
        "At most five addresses, and five new ones a day.",
    ),
    "confirmed": Translated(
        "已确认，今后的通知将发送到该地址。",
        "Confirmed. Notices are sent to this address from now on.",
    ),
    "removed": Translated("已删除。", "Removed."),
}
UNUSABLE_LINK: Final = PageMessage(
    410,
    Translated("这个链接不能使用", "This link cannot be used"),
    Translated(
        "它已过期、已使用过或不完整。请在“通知”页面重新添加地址。",
        "It has expired, was used, or is incomplete. Add the address again under “Notices”.",
    ),
)

router = PrefixRouter(route_class=PageRoute, include_in_schema=False)
renderer: Final = PageRenderer("gateway.portal")


@router.get("/portal/enterprises/{uscc}/notices")
async def show_contact_points(uscc: str, runtime: UsingRuntime, visitor: UsingVisitor) -> Response:
    """List the contact points, with forms to add and remove."""
    kept = await visitor.kept_form(f"add place {uscc}")
    return await _list_page(runtime, visitor, uscc, kept or Fields({}))


async def _list_page(
    runtime: Runtime,
    visitor: Visitor,
    uscc: str,
    typed: Fields,
    problem: Translated | None = None,
) -> Response:
    async with runtime.engine.connect() as connection:
        card = await own_enterprise(connection, visitor, uscc, Permission.MANAGE)
        found = await contact_points.list_contact_points(connection, uscc)
    return renderer.visitor_page(
        visitor,
        "portal/contact_points.html",
        status=422 if problem else 200,
        address={},
        typed={single_value(typed, "channel"): single_value(typed, "address")[:MAX_ADDRESS]},
        problem=problem,
        problem_field=f"address-{single_value(typed, 'channel')}" if problem else None,
        enterprise=card,
        tab="notices",
        contact_points=[(each, mask_address(_decrypted(runtime, each))) for each in found],
        channels=[each for each in ("email", "sms") if each in runtime.channels],
        notice=visitor.notice(NOTICES),
        csrf=visitor.token(f"add place {uscc}"),
        removing={each.place_id: visitor.token(f"remove {uscc} {each.place_id}") for each in found},
    )


@router.post("/portal/enterprises/{uscc}/notices")
async def add_contact_point(uscc: str, runtime: UsingRuntime, visitor: UsingVisitor) -> Response:
    """Store an address and send it the confirmation link."""
    fields = await visitor.form(f"add place {uscc}")
    channel, written = single_value(fields, "channel"), single_value(fields, "address")
    address = valid_address(channel, written) if channel in runtime.channels else None
    place_id, secret, now = new_id("plc"), new_secret(), runtime.now()
    async with runtime.engine.begin() as connection:
        card = await own_enterprise(connection, visitor, uscc, Permission.MANAGE)
        if address is None:
            return await _list_page(runtime, visitor, uscc, fields, NOTICES["unfit"])
        await contact_points.lock_contact_points(connection, uscc)
        current = await contact_points.list_contact_points(connection, uscc)
        new = await contact_points.count_since(connection, uscc, now - A_DAY)
        if max(len(current), new) >= MAX_CONTACT_POINTS:
            return _redirect(uscc, "enough")
        await contact_points.add(
            connection,
            ContactPoint(
                uscc=uscc,
                place_id=place_id,
                channel=channel,
                address=runtime.vault.seal(address.encode(), **_vault_cell(uscc, place_id)),
                added_at=now,
                confirmed_at=None,
                outdated=False,
            ),
            link_digest=runtime.digests.of("invitation", secret),
            **visitor.authorship,
        )
    link = f"{runtime.settings.issuer}/portal/enterprises/{uscc}/notices/{place_id}/{secret}"
    message = confirmation_message(card.name, link=link, reference=place_id)
    try:
        await runtime.channels[channel].send(address, message)
    except UnsentError:
        return _redirect(uscc, "unsent")
    return _redirect(uscc, "sent")


@router.get("/portal/enterprises/{uscc}/notices/{place_id}/{secret}")
async def show_confirmation(
    uscc: str, place_id: str, secret: str, runtime: UsingRuntime, visitor: UsingVisitor
) -> Response:
    """Ask to confirm by a form, since mail programs may open links by themselves."""
    async with runtime.engine.connect() as connection:
        card = await own_enterprise(connection, visitor, uscc, Permission.MANAGE)
    return renderer.visitor_page(
        visitor,
        "portal/confirm_contact_point.html",
        enterprise=card,
        tab="notices",
        action=f"/portal/enterprises/{uscc}/notices/{place_id}/{secret}",
        csrf=visitor.token(f"confirm {uscc} {place_id}"),
    )


@router.post("/portal/enterprises/{uscc}/notices/{place_id}/remove")
async def remove_contact_point(
    uscc: str, place_id: str, runtime: UsingRuntime, visitor: UsingVisitor
) -> Response:
    """Remove a contact point."""
    await visitor.form(f"remove {uscc} {place_id}")
    visitor.require(Permission.MANAGE, uscc)
    async with runtime.engine.begin() as connection:
        await contact_points.remove(
            connection, uscc, place_id, **visitor.authorship, now=runtime.now()
        )
    return _redirect(uscc, "removed")


@router.post("/portal/enterprises/{uscc}/notices/{place_id}/{secret}")
async def confirm_contact_point(
    uscc: str, place_id: str, secret: str, runtime: UsingRuntime, visitor: UsingVisitor
) -> Response:
    """Confirm a contact point."""
    await visitor.form(f"confirm {uscc} {place_id}")
    visitor.require(Permission.MANAGE, uscc)
    digest, now = runtime.digests.of("invitation", secret), runtime.now()
    async with runtime.engine.begin() as connection:
        done = await contact_points.confirm(
            connection, uscc, place_id, link_digest=digest, **visitor.authorship, now=now
        )
    return _redirect(uscc, "confirmed") if done else visitor.message_page(UNUSABLE_LINK)


def _decrypted(runtime: Runtime, point: ContactPoint) -> str:
    return runtime.vault.open(point.address, **_vault_cell(point.uscc, point.place_id)).decode()


def _vault_cell(uscc: str, place_id: str) -> dict[str, str]:
    return {"table": "notice_place", "column": "address", "row": f"{uscc}/{place_id}"}


def _redirect(uscc: str, notice: str) -> Response:
    return see_other(f"/portal/enterprises/{uscc}/notices?notice={notice}")
