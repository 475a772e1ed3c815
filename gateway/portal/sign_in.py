"""Portal sign-in and sign-out; each sign-in starts a new session, against session fixation."""

import hmac
from typing import Final

import structlog
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from gateway.access.http.head_requests import get_only
from gateway.identity import kept_forms, sessions, sign_in_cookie
from gateway.identity.identity_provider import (
    IdentityProvider,
    IdentityRefusedError,
    IdentityUnavailableError,
    TooWeakError,
)
from gateway.identity.return_url import HOME, safe_return
from gateway.identity.session_dependency import UsingVisitor, new_secret
from gateway.identity.sign_in_cookie import SignIn
from gateway.pages.i18n import Translated
from gateway.pages.page_route import PageMessage, PageRoute, message_page, see_other
from gateway.prefix_router import PrefixRouter
from gateway.runtime import UsingRuntime

router = PrefixRouter(route_class=PageRoute, include_in_schema=False)
log = structlog.get_logger("gateway.sign_in")

AGAIN: Final = (HOME, Translated("重新登录", "Sign in again"))
SIGNED_OUT: Final = PageMessage(
    200,
    Translated("已退出登录", "You have signed out"),
    Translated(
        "您的授权保持不变，随时可以再次登录查看或撤回。",
        "Your consents stay as they are. Sign in again at any time to view or withdraw them.",
    ),
    (HOME, Translated("再次登录", "Sign in again")),
)
NO_PROVIDER: Final = PageMessage(
    503,
    Translated("暂时无法登录", "Sign-in is not available"),
    Translated(
        "本系统尚未接入统一身份认证，请稍后再来。",
        "No identity service is connected to this installation yet. Please come back later.",
    ),
    None,
)
UNAVAILABLE: Final = PageMessage(
    503,
    Translated("暂时无法登录", "Sign-in is not available"),
    Translated(
        "统一身份认证服务没有正常应答，请稍后再试。",
        "The identity service does not answer as it should. Please try again in a while.",
    ),
    AGAIN,
)
TOO_WEAK: Final = PageMessage(
    403,
    Translated("需要更高等级的身份认证", "A stronger sign-in is needed"),
    Translated(
        "本次登录的认证等级或时间不符合要求。请重新登录，并使用更高等级的认证方式（如刷脸、电子营业执照）。",
        "This sign-in was not strong or not recent enough. Sign in again, and choose a stronger way.",
    ),
    AGAIN,
)
NOT_COMPLETED: Final = PageMessage(
    400,
    Translated("登录没有完成", "Sign-in was not completed"),
    Translated(
        "这次登录没有得到确认、已过期或已使用过。请重新登录。",
        "This sign-in was not confirmed, has expired, or was used already. Please sign in again.",
    ),
    AGAIN,
)


@router.get("/portal/sign-in")
@get_only()
async def start_sign_in(request: Request, runtime: UsingRuntime) -> Response:
    """Redirect to the identity provider."""
    provider = _provider(request)
    if provider is None:
        return message_page(request, NO_PROVIDER)
    started = SignIn(new_secret(), safe_return(request.query_params.get("return", HOME)))
    try:
        address = await provider.sign_in_url(started.attempt(runtime.digests), now=runtime.now())
    except IdentityUnavailableError as error:
        return _unavailable(request, error)
    response = see_other(address)
    response.set_cookie(
        sign_in_cookie.cookie_name(runtime.settings),
        started.as_cookie(),
        max_age=sign_in_cookie.LIFETIME_SECONDS,
        **sessions.cookie_attributes(runtime.settings),
    )
    return response


@router.get("/portal/sign-in/return")
@get_only()
async def finish_sign_in(request: Request, runtime: UsingRuntime) -> Response:
    """Verify the provider's response and begin a session."""
    settings, digests, now = runtime.settings, runtime.digests, runtime.now()
    cookie = request.cookies.get(sign_in_cookie.cookie_name(settings))
    provider = _provider(request)
    if provider is None or not cookie:
        return message_page(request, NOT_COMPLETED)
    started = SignIn.from_cookie(cookie)
    attempt, back = started.attempt(digests), _unrepeated_parameters(request)
    if not hmac.compare_digest(back.get("state", "").encode(), attempt.state.encode()):
        return message_page(request, NOT_COMPLETED)
    try:
        identity = await provider.identity_of(back, attempt, now=now)
    except IdentityRefusedError as error:
        log.warning("sign_in_refused", reason=str(error))
        weak = isinstance(error, TooWeakError)
        return message_page(request, TOO_WEAK if weak else NOT_COMPLETED)
    except IdentityUnavailableError as error:
        return _unavailable(request, error)
    async with runtime.engine.begin() as connection:
        value = await sessions.begin(connection, digests, identity, now=now)
        await kept_forms.carry_over(
            connection, digests, settings, request.cookies, cookie=value, subject=identity.subject
        )
    response, attributes = see_other(started.return_to), sessions.cookie_attributes(settings)
    response.set_cookie(sessions.cookie_name(settings), value, **attributes)
    response.delete_cookie(sign_in_cookie.cookie_name(settings), **attributes)
    return response


@router.post("/portal/sign-out")
async def sign_out(request: Request, runtime: UsingRuntime, visitor: UsingVisitor) -> Response:
    """End the session."""
    await visitor.form("sign-out")
    settings = runtime.settings
    async with runtime.engine.begin() as connection:
        await sessions.end(connection, runtime.digests, settings, request.cookies)
    response = RedirectResponse("/portal/signed-out", status_code=303)
    response.delete_cookie(sessions.cookie_name(settings), **sessions.cookie_attributes(settings))
    return response


@router.get("/portal/signed-out")
async def show_signed_out(request: Request) -> Response:
    """Confirm the sign-out."""
    return message_page(request, SIGNED_OUT)


def _unrepeated_parameters(request: Request) -> dict[str, str]:
    """The query parameters given exactly once."""
    given = request.query_params
    return {name: value for name, value in given.items() if len(given.getlist(name)) == 1}


def _provider(request: Request) -> IdentityProvider | None:
    provider: IdentityProvider | None = getattr(request.app.state, "identity_provider", None)
    return provider


def _unavailable(request: Request, error: IdentityUnavailableError) -> Response:
    log.error("identity_provider_unavailable", trouble=str(error))
    return message_page(request, UNAVAILABLE)
