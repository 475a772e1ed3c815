"""Every page is drawn here, from a template of its room, with everything in it escaped."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, time, timedelta, timezone
from typing import Any, Final
from urllib.parse import urlencode

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined, select_autoescape
from starlette.requests import Request
from starlette.responses import HTMLResponse

from gateway.pages import i18n
from gateway.pages.i18n import Language, Translated, language_of
from gateway.pages.security_headers import security_headers
from gateway.pages.static import stylesheet_url

SHANGHAI: Final = timezone(timedelta(hours=8))


class PageRenderer:
    """Draws the templates of one room, in the shared frame."""

    def __init__(self, package: str) -> None:
        self._templates = Environment(
            loader=ChoiceLoader([PackageLoader(package), PackageLoader("gateway.pages")]),
            autoescape=select_autoescape(default=True, default_for_string=True),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters.update(moment=moment, day=day, until=until)
        self._templates.globals.update(stylesheet=stylesheet_url)

    def page(  # what a page is made of; all by keyword
        self,
        request: Request,
        template: str,
        *,
        status: int = 200,
        form_action: Iterable[str] = ("'self'",),
        visitor: object = None,
        address: Mapping[str, str] | None = None,
        **context: Any,  # whatever the template shows
    ) -> HTMLResponse:
        """Draw `template`, in the language that its reader has chosen.

        `address` is the query with which the same page can be had again by GET.
        """
        language = language_of(request.query_params, request.cookies)
        drawn = self._templates.get_template(template).render(
            language=language,
            t=_in(language),
            switch=_switch(request.query_params if address is None else address, language),
            demo=_is_demo(request),
            visitor=visitor,
            **context,
        )
        response = HTMLResponse(
            drawn,
            status_code=status,
            headers=security_headers(form_action=form_action),
        )
        response.headers["Content-Language"] = "en" if language == "en" else "zh-CN"
        _remember(request, response)
        return response

    def sorry(  # a page's parts
        self,
        request: Request,
        *,
        status: int,
        title: Translated,
        sentence: Translated,
        onward: tuple[str, Translated] | None = None,
        visitor: object = None,
    ) -> HTMLResponse:
        """Draw a page that says in plain words what happened and what to do."""
        return self.page(
            request,
            "pages/sorry.html",
            status=status,
            title=title,
            sentence=sentence,
            onward=onward,
            visitor=visitor,
        )


def moment(at: datetime) -> str:
    """A point in time on the province's clock, to the minute."""
    return at.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M")


def day(at: datetime | date) -> str:
    """A day; of a point in time, its day in the province."""
    return (at.astimezone(SHANGHAI) if isinstance(at, datetime) else at).strftime("%Y-%m-%d")


def until(at: datetime) -> str:
    """The end of a term: what ends with a day ends at 24:00, not at 0:00 of the next day."""
    local = at.astimezone(SHANGHAI)
    whole_day = local.time() == time()
    return f"{day(local - timedelta(days=1))} 24:00" if whole_day else moment(at)


def _in(language: Language) -> Any:  # a template's function
    def choose(zh: str | Translated, en: str = "") -> str:
        said = zh if isinstance(zh, Translated) else Translated(zh, en)
        return said.to(language)

    return choose


def _switch(query: Mapping[str, str], language: Language) -> str:
    """The address of this very page in the other language."""
    return "?" + urlencode(dict(query) | {"lang": "zh" if language == "en" else "en"})


def _is_demo(request: Request) -> bool:
    runtime = getattr(request.app.state, "runtime", None)
    return runtime is not None and bool(runtime.settings.demo)


def _is_on_http(request: Request) -> bool:
    """Whether browsers come by http, as to the demo on loopback; what a proxy speaks here says nothing."""
    runtime = getattr(request.app.state, "runtime", None)
    return runtime is not None and str(runtime.settings.issuer).startswith("http://")


def _remember(request: Request, response: HTMLResponse) -> None:
    asked = i18n.asked_language(request.query_params)
    if asked is not None:
        response.set_cookie(
            i18n.COOKIE,
            asked,
            max_age=i18n.A_YEAR,
            path="/",
            secure=not _is_on_http(request),
            httponly=True,
            samesite="lax",
        )
