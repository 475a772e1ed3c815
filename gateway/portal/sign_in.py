"""Sign-in gives a new session, whatever cookie came along; sign-out leaves none."""

from typing import Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from gateway.identity import sessions, sign_in
from gateway.identity.provider import IdentityProvider, IdentityRefusedError
from gateway.identity.returns import HOME, safe_return
from gateway.identity.sign_in import SignIn
from gateway.identity.visitor import UsingVisitor, new_secret
from gateway.pages.frame import Frame
from gateway.pages.languages import Said
from gateway.pages.route import PageRoute
from gateway.runtime import Runtime, UsingRuntime

router = APIRouter(route_class=PageRoute, include_in_schema=False)
frame: Final = Frame("gateway.portal")


@router.get("/portal/sign-in", response_model=None)
async def begin(request: Request, runtime: UsingRuntime) -> Response:
    """Send the person to the identity provider."""
    provider = _provider(request)
    if provider is None:
        return _no_provider(request)
    started = SignIn(new_secret(), safe_return(request.query_params.get("return", HOME)))
    response = RedirectResponse(
        provider.sign_in_url(
            state=started.state(runtime.digests),
            nonce=started.nonce(runtime.digests),
        ),
        status_code=303,
        headers={"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"},
    )
    response.set_cookie(
        sign_in.cookie_name(runtime.settings),
        started.as_cookie(),
        max_age=sign_in.LIFETIME_SECONDS,
        **sessions.cookie_attributes(runtime.settings),
    )
    return response


@router.get("/portal/sign-in/return", response_model=None)
async def come_back(request: Request, runtime: UsingRuntime) -> Response:
    """Take the provider's ticket and begin a session."""
    kept = request.cookies.get(sign_in.cookie_name(runtime.settings))
    provider = _provider(request)
    if provider is None or not kept:
        return _try_again(request)
    started = SignIn.from_cookie(kept)
    if request.query_params.get("state", "") != started.state(runtime.digests):
        return _try_again(request)
    now = runtime.now()
    try:
        identity = provider.identity_of(
            request.query_params.get("ticket", ""),
            nonce=started.nonce(runtime.digests),
            now=now,
        )
    except IdentityRefusedError:
        return _try_again(request)
    async with runtime.engine.begin() as conn:
        await sessions.end(conn, runtime.digests, runtime.settings, request.cookies)
        await sessions.forget_ended(conn, now=now)
        value = await sessions.begin(conn, runtime.digests, identity, now=now)
    return _signed_in(runtime, value, started.return_to)


@router.post("/portal/sign-out", response_model=None)
async def sign_out(request: Request, runtime: UsingRuntime, visitor: UsingVisitor) -> Response:
    """End the session."""
    await visitor.form(request, "sign-out")
    async with runtime.engine.begin() as conn:
        await sessions.end(conn, runtime.digests, runtime.settings, request.cookies)
    response = RedirectResponse("/portal/signed-out", status_code=303)
    response.delete_cookie(
        sessions.cookie_name(runtime.settings),
        **sessions.cookie_attributes(runtime.settings),
    )
    return response


@router.get("/portal/signed-out", response_model=None)
async def signed_out(request: Request) -> Response:
    """Say that the session has ended."""
    return frame.sorry(
        request,
        status=200,
        title=Said("已退出登录", "You have signed out"),
        sentence=Said(
            "您的授权保持不变，随时可以再次登录查看或撤回。",
            "Your consents stay as they are. Sign in again to see them or to take them back.",
        ),
        onward=("/portal", Said("再次登录", "Sign in again")),
    )


def _signed_in(runtime: Runtime, value: str, return_to: str) -> Response:
    response = RedirectResponse(
        return_to,
        status_code=303,
        headers={"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"},
    )
    attributes = sessions.cookie_attributes(runtime.settings)
    response.set_cookie(sessions.cookie_name(runtime.settings), value, **attributes)
    response.delete_cookie(sign_in.cookie_name(runtime.settings), **attributes)
    return response


def _provider(request: Request) -> IdentityProvider | None:
    provider: IdentityProvider | None = getattr(request.app.state, "identity_provider", None)
    return provider


def _no_provider(request: Request) -> Response:
    return frame.sorry(
        request,
        status=503,
        title=Said("暂时无法登录", "Sign-in is not available"),
        sentence=Said(
            "本系统尚未接入统一身份认证，请稍后再来。",
            "No identity service is connected to this installation yet. Please come back later.",
        ),
    )


def _try_again(request: Request) -> Response:
    return frame.sorry(
        request,
        status=400,
        title=Said("登录没有完成", "Sign-in was not completed"),
        sentence=Said(
            "这次登录已过期或已使用过。请重新登录。",
            "This sign-in has expired or was used already. Please sign in again.",
        ),
        onward=("/portal", Said("重新登录", "Sign in again")),
    )
