"""FastAPI dependency for pages that need a signed-in person; any other visitor is sent to sign in."""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final, Protocol, TypedDict
from urllib.parse import quote

from fastapi import Depends
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from gateway.identity import kept_forms, sessions
from gateway.identity.kept_forms import KeptForm
from gateway.identity.permissions import Permission
from gateway.identity.return_url import safe_return
from gateway.identity.sessions import Session
from gateway.pages.forms import Fields, is_same_origin, is_too_large, read_form, single_value
from gateway.pages.i18n import Translated
from gateway.pages.page_route import (
    NOT_FOUND,
    STALE,
    TOO_LARGE,
    EarlyResponse,
    PageMessage,
    message_page,
)
from gateway.pages.upload_form import UploadForm, is_upload, read_upload_form
from gateway.privacy.field_encryption import Vault
from gateway.settings import Settings
from gateway.signing.keyed_digests import KeyedDigests

SIGN_OUT: Final = "/portal/sign-out"
CONTINUE: Final = Translated("重新登录并继续", "Sign in and continue")
SESSION_LOST: Final = PageMessage(
    403,
    Translated("登录已过期，您填写的内容已保留", "Your sign-in has expired; your input is kept"),
    Translated(
        "尚未提交。请在一小时内重新登录，将回到原来的页面，您勾选和填写的内容仍在，核对后即可提交。",
        "It has not been submitted. Sign in again within an hour: you return to the same page with what you "
        "ticked and typed, and can check and submit it.",
    ),
)
SESSION_LOST_WITH_FILES: Final = SESSION_LOST._replace(
    sentence=Translated(
        "尚未提交。请在一小时内重新登录，将回到原来的页面，您填写的内容仍在；证明材料需要重新选择。",
        "It has not been submitted. Sign in again within an hour: you return to the same page with what you "
        "typed. Please choose the files again.",
    )
)


STALE_REQUEST: Final = STALE._replace(
    sentence=Translated(
        "登录状态可能已变化，或者页面停留时间过长。请回到银行等申请方的页面，重新开始。",
        "Your sign-in has changed, or the page was open too long. Please go back to the bank’s or other "
        "organisation’s page and start again.",
    ),
    onward=None,
)
"""The same in a request by redirect, which only its client can begin again."""
BY_REDIRECT: Final = "/portal/decide/"


class PageRuntime(Protocol):
    """The part of the runtime that pages need."""

    @property
    def settings(self) -> Settings:
        """The installation's settings."""
        ...

    @property
    def engine(self) -> AsyncEngine:
        """The database."""
        ...

    @property
    def digests(self) -> KeyedDigests:
        """The keyed digests of secrets."""
        ...

    @property
    def vault(self) -> Vault:
        """The encryption of personal data."""
        ...

    @property
    def now(self) -> Callable[[], datetime]:
        """The clock."""
        ...


class Authorship(TypedDict):
    """The person who makes a change, and the digest of the identity token of the sign-in."""

    actor: str
    token_digest: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """A signed-in person: the request, the session and its cookie."""

    request: Request
    session: Session
    cookie: str
    runtime: PageRuntime

    @property
    def authorship(self) -> Authorship:
        """The person as the author of a change."""
        session = self.session
        return Authorship(actor=session.subject, token_digest=session.identity_token_digest)

    def token(self, purpose: str) -> str:
        """The CSRF token of the form `purpose`."""
        return sessions.csrf_token(self.runtime.digests, self.cookie, purpose)

    def notice(self, texts: Mapping[str, Translated]) -> Translated | None:
        """The text that the query parameter `notice` names, if any."""
        return texts.get(self.request.query_params.get("notice", ""))

    def message_page(self, message: PageMessage, *, retry_after: int | None = None) -> Response:
        """A page of one message; `retry_after` in seconds."""
        return message_page(self.request, message, self, retry_after=retry_after)

    def not_found(self) -> Response:
        """The 404 page."""
        return self.message_page(NOT_FOUND)

    def require(self, permission: Permission, uscc: str | None) -> None:
        """Raise the 404 page unless the person has the permission for the enterprise `uscc`."""
        if uscc is None or not self.session.may(uscc, permission):
            raise EarlyResponse(self.not_found())

    async def form(self, purpose: str) -> Fields:
        """The fields of the posted form `purpose`; a "stale" page unless it came from our own page."""
        fields = await read_form(self.request)
        if fields is None and is_too_large(self.request):
            raise EarlyResponse(self.message_page(TOO_LARGE))
        if fields is None or not self._is_own(fields, purpose):
            raise EarlyResponse(self.message_page(_stale(self.request)))
        return fields

    async def upload_form(self, purpose: str) -> UploadForm:
        """The posted form `purpose` with its files; otherwise as `form`."""
        form = await read_upload_form(self.request)
        if form is None or not self._is_own(form.fields, purpose):
            raise EarlyResponse(self.message_page(STALE))
        return form

    async def kept_form(self, purpose: str | Callable[[str], str]) -> Fields | None:
        """The fields of the form `purpose` that this person posted here after a session had ended, once.

        `purpose` may depend on the path that it was posted to.
        """
        runtime, page = self.runtime, self.request.url.path
        if self.session.kept_page != page:
            return None
        async with runtime.engine.begin() as connection:
            kept = await kept_forms.take(connection, runtime.vault, self.session.digest, page)
        if kept is None:
            return None
        wanted = purpose if isinstance(purpose, str) else purpose(kept.path)
        csrf = single_value(kept.fields, "csrf")
        fits = sessions.csrf_token_fits(runtime.digests, kept.cookie, wanted, csrf)
        self.request.state.restored = fits
        return kept.fields if fits else None

    @property
    def restored(self) -> bool:
        """True where the page shows a form that was kept over the end of a session."""
        return getattr(self.request.state, "restored", False)

    def _is_own(self, fields: Fields, purpose: str) -> bool:
        """True if the form came from our own page: same origin, and the CSRF token fits."""
        return is_same_origin(
            self.request, self.runtime.settings.issuer
        ) and sessions.csrf_token_fits(
            self.runtime.digests, self.cookie, purpose, single_value(fields, "csrf")
        )


async def signed_in(request: Request) -> Visitor:
    """The signed-in person of a request; any other visitor is redirected to sign-in."""
    runtime: PageRuntime = request.app.state.runtime
    async with runtime.engine.begin() as connection:
        session = await sessions.current(
            connection, runtime.digests, runtime.settings, request.cookies, now=runtime.now()
        )
    if session is not None:
        cookie = request.cookies[sessions.cookie_name(runtime.settings)]
        return Visitor(request=request, session=session, cookie=cookie, runtime=runtime)
    if request.method != "GET":  # the CSP's form-action forbids a redirect to the provider
        raise EarlyResponse(await _session_lost(request, runtime))
    here = request.url.path
    if request.url.query:
        here = f"{here}?{request.url.query}"
    wanted = quote(safe_return(here), safe="/")
    raise EarlyResponse(RedirectResponse(f"/portal/sign-in?return={wanted}", status_code=303))


async def _session_lost(request: Request, runtime: PageRuntime) -> Response:
    """Keep the posted form of a session that has ended, and offer to continue after sign-in."""
    settings, path = runtime.settings, request.url.path
    async with runtime.engine.connect() as connection:
        ended = await kept_forms.ended_session(
            connection, runtime.digests, settings, request.cookies, now=runtime.now()
        )
    if ended is None or path == SIGN_OUT or not is_same_origin(request, settings.issuer):
        return message_page(request, _stale(request))
    page = kept_forms.page_of(path)
    if ended.has_form and is_upload(
        request
    ):  # one upload is read: without a session none is counted
        return message_page(request, _with_return(SESSION_LOST_WITH_FILES, page))
    upload = await read_upload_form(request)
    fields = upload.fields_and_names if upload else None
    if fields is None:
        return message_page(request, _stale(request))
    cookie = request.cookies[sessions.cookie_name(settings)]
    form = KeptForm(path=path, cookie=cookie, fields=fields)
    async with runtime.engine.begin() as connection:
        await kept_forms.keep(connection, runtime.vault, ended.digest, form)
    uscc = single_value(fields, "uscc")
    lost = SESSION_LOST_WITH_FILES if is_upload(request) else SESSION_LOST
    return message_page(request, _with_return(lost, f"{page}?uscc={uscc}" if uscc else page))


def _stale(request: Request) -> PageMessage:
    """The message that a form was out of date."""
    return STALE_REQUEST if request.url.path.startswith(BY_REDIRECT) else STALE


def _with_return(message: PageMessage, page: str) -> PageMessage:
    """The message with a button to sign in and return to the page."""
    wanted = quote(safe_return(page), safe="/")
    return message._replace(onward=(f"/portal/sign-in?return={wanted}", CONTINUE))


def new_secret() -> str:
    """A random secret of 192 bits."""
    return secrets.token_urlsafe(24)


UsingVisitor = Annotated[Visitor, Depends(signed_in)]
