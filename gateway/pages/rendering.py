"""HTML rendering: Jinja templates with autoescaping, language and security headers."""

import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime, time, timedelta, timezone
from functools import lru_cache
from typing import Any, Final, Protocol
from urllib.parse import urlencode

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse

from gateway.pages import i18n
from gateway.pages.i18n import Language, language_of
from gateway.pages.security_headers import security_headers
from gateway.pages.static import stylesheet_url
from gateway.pages.translated_templates import escaped, marked, template_environments
from gateway.privacy.redaction import readable_masks

_DATE: Final = re.compile(r"[0-9]{4}(?<![0-9-].{4})-[0-9]{2}-[0-9]{2}(?![0-9-])", re.DOTALL)
"""It begins with a set of characters, which is searched quickly."""
SHANGHAI: Final = timezone(timedelta(hours=8))


class PageVisitor(Protocol):
    """The signed-in person whom a page is for."""

    @property
    def request(self) -> Request:
        """The request that the page answers."""
        ...

    @property
    def restored(self) -> bool:
        """True where the page shows a form that was kept over the end of a session."""
        ...


class PageRenderer:
    """Renders the templates of one package, with the shared layout.

    Without `language_cookie`, the address alone decides the language, and no cookie is set. `globals_`
    are there in all of them.
    """

    def __init__(self, package: str, *, language_cookie: bool = True, **globals_: Any) -> None:
        self._language_cookie = language_cookie
        self._templates = template_environments(
            package,
            filters={
                "moment": format_moment,
                "instant": format_instant,
                "day": format_day,
                "until": format_term_end,
                "ended": format_end,
                "masked": readable_masks,
                "dates": marked_dates,
            },
            stylesheet=stylesheet_url,
            **globals_,
        )

    def page(
        self,
        request: Request,
        template: str,
        *,
        status: int = 200,
        form_action: Iterable[str] = ("'self'",),
        visitor: PageVisitor | None = None,
        address: Mapping[str, str] | None = None,
        **context: Any,  # template variables
    ) -> HTMLResponse:
        """Render `template` in the reader's language.

        `address` is the query of the language switch; by default the request's own.
        """
        cookies = request.cookies if self._language_cookie else {}
        language = language_of(request.query_params, cookies)
        query = request.query_params if address is None else address
        html = self.html(
            request,
            template,
            language,
            switch=_language_switch(query, language),
            visitor=visitor,
            **context,
        )
        headers = page_headers(language, tuple(form_action))
        response = HTMLResponse(html, status_code=status, headers=headers)
        if self._language_cookie:
            _set_language_cookie(request, response)
        return response

    def html(
        self,
        request: Request,
        template: str,
        language: Language,
        **context: Any,  # template variables
    ) -> str:
        """A page's text, in this language."""
        settings = _settings(request)
        page = self._templates[language].get_template(template)
        return page.render(demo=bool(settings and settings.demo), **context)

    def visitor_page(self, visitor: PageVisitor, template: str, **context: Any) -> HTMLResponse:
        """Render `template` for a signed-in person; other arguments as for `page`."""
        return self.page(visitor.request, template, visitor=visitor, **context)


@lru_cache
def page_headers(language: Language, form_action: tuple[str, ...]) -> Mapping[str, str]:
    """The headers of a page in this language; `form_action` lists allowed form targets."""
    content_language = {"Content-Language": "en" if language == "en" else "zh-CN"}
    return security_headers(form_action=form_action) | content_language


@lru_cache(maxsize=64)  # a page names its own several times
def format_moment(moment: datetime) -> str:
    """A point in time in UTC+8, to the minute."""
    return _format_minute(moment.replace(second=0, microsecond=0))


@lru_cache(maxsize=64)
def _format_minute(moment: datetime) -> str:
    return moment.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M")


def format_instant(written: str) -> str:
    """A point in time as an answer writes it (RFC 3339), in UTC+8, to the minute."""
    return format_moment(datetime.fromisoformat(written))


def format_day(day: datetime | date) -> str:
    """A date; for a point in time, its date in UTC+8."""
    return (day.astimezone(SHANGHAI) if isinstance(day, datetime) else day).strftime("%Y-%m-%d")


def format_term_end(end: datetime | str) -> str:
    """The end of a term, also as an answer writes it; midnight is written as 24:00 of the day before."""
    local = (datetime.fromisoformat(end) if isinstance(end, str) else end).astimezone(SHANGHAI)
    whole_day = local.time() == time()
    return f"{format_day(local - timedelta(days=1))} 24:00" if whole_day else format_moment(local)


def format_end(end: datetime) -> str:
    """The day on which a term ended or an act ended it; the end of a day is that day."""
    return format_day(end - timedelta(microseconds=1))


def marked_dates(text: str) -> Markup:
    """The text with its dates as elements, which no line breaks at their hyphens."""
    safe = escaped(text)
    return marked(_DATE.sub(_as_time, safe) if "-" in safe else safe)


def _as_time(found: re.Match[str]) -> str:
    """A date as an element; a function is called in half the time of a replacement text."""
    return f"<time>{found[0]}</time>"


def _language_switch(query: Mapping[str, str], language: Language) -> str:
    """The query of the same page in the other language."""
    other = "zh" if language == "en" else "en"
    return "?" + urlencode(dict(query) | {"lang": other}) if query else f"?lang={other}"


def _settings(request: Request) -> Any:  # `None` in an application without a runtime
    runtime = getattr(request.app.state, "runtime", None)
    return runtime and runtime.settings


def _set_language_cookie(request: Request, response: HTMLResponse) -> None:
    language, settings = i18n.requested_language(request.query_params), _settings(request)
    if language is not None:
        response.set_cookie(
            i18n.LANGUAGE_COOKIE,
            language,
            max_age=i18n.COOKIE_SECONDS,
            path="/",
            # By the public address: a proxy may forward plain http.
            secure=not (settings and settings.issuer.startswith("http://")),
            httponly=True,
            samesite="lax",
        )
