"""The public page of an enterprise code, as HTML; no sign-in, no cookie."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final, Literal
from urllib.parse import urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from gateway.codes.public_page.markup import ICONS, empty_items
from gateway.codes.public_page.page_json import CodePage
from gateway.codes.public_page.summary import RECORDS_UNFOLDED, Summary
from gateway.codes.public_page.wording import wording_of
from gateway.codes.store import Code
from gateway.creditfile.catalogue import Catalogue
from gateway.creditfile.division_boxes import division_box
from gateway.pages.i18n import Language, Translated, requested_language
from gateway.pages.rendering import PageRenderer, page_headers
from gateway.pages.representation import Headers, Representation, revalidated
from gateway.settings import Settings

renderer: Final = PageRenderer(
    "gateway.codes", language_cookie=False, icons=ICONS, empty_items=empty_items
)

NOTHING: Final[Mapping[str, str]] = {}
LARGE: Final = "large"
"""Value of `size` in the address of the page in large text."""
REGISTRATION: Final = (
    "uscc",
    "kind",
    "status",
    "legal_representative",
    "established_on",
    "registering_authority",
    "capital",
    "small_or_micro",
    "address",
    "scope",
)
"""The registration fields shown, in order; an individual business has no capital."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PageOrigin:
    """The kind of code by which a summary page is opened, and what its page needs of it."""

    kind: Literal["sticker", "screen", "national"]
    code: Code | None = None
    """The code on the sticker."""
    shown_at: str = ""
    """The time of day at which an on-screen code was made."""
    carried: Mapping[str, str] = field(default_factory=dict)
    """The query that links to the page's other forms keep."""


def form_of(request: Request) -> tuple[Language | None, str | None]:
    """Language and size of text that the address asks for, `None` for Chinese and for the standard size.

    Nothing else of a request shapes a page.
    """
    if not request.scope["query_string"]:
        return None, None
    query = request.query_params
    is_english = requested_language(query) == "en"
    return "en" if is_english else None, LARGE if query.get("size") == LARGE else None


def valid_code_page(
    request: Request, page: CodePage, catalogue: Catalogue, *, quickly: bool = False
) -> Representation:
    """The summary page of a valid code, in the language and size of the request's address."""
    origin = PageOrigin(kind="sticker", code=page.code)
    html = _summary_html(request, page.summary, catalogue, origin)
    return _representation(request, html, quickly=quickly)


def screen_code_page(
    request: Request, summary: Summary, catalogue: Catalogue, *, made_at: str, view: str
) -> Response:
    """The summary page of an on-screen code, with the time of day when it was made; never stored.

    Its links to the other forms carry the view key.
    """
    origin = PageOrigin(kind="screen", shown_at=made_at, carried={"view": view})
    html = _summary_html(request, summary, catalogue, origin)
    return HTMLResponse(html, headers=page_headers(_language(request), ()))


def national_code_page(
    request: Request, summary: Summary, catalogue: Catalogue, address: str
) -> Response:
    """The summary page of the enterprise that a national code's address stands for."""
    origin = PageOrigin(kind="national", carried={"code": address})
    html = _summary_html(request, summary, catalogue, origin)
    return _representation(request, html).response(request)


def _summary_html(
    request: Request, summary: Summary, catalogue: Catalogue, origin: PageOrigin
) -> str:
    language = _language(request)
    return _html(
        request,
        "codes/public_page.html",
        summary=summary,
        is_place_known=division_box(summary.registration.get("division")) is not None,
        wording=lambda dataset: wording_of(catalogue, dataset, summary.kind, language),
        unfolded=RECORDS_UNFOLDED,
        registration=[name for name in REGISTRATION if summary.registration.get(name)],
        origin=origin,
        code=origin.code,
        carried=origin.carried,
    )


def lookup_page(
    request: Request, *, mistake: Translated | None = None, typed: str = "", status: int = 200
) -> Response:
    """The page on which a code's number is typed, with what was wrong with the last one."""
    return render_page(
        request,
        "codes/lookup.html",
        status=status,
        form_action=("'self'",),
        mistake=mistake,
        typed=typed,
    )


def render_page(
    request: Request,
    template: str,
    *,
    status: int = 200,
    form_action: Iterable[str] = (),
    carried: Mapping[str, str] = NOTHING,
    **context: Any,  # template variables
) -> Response:
    """The response with a page whose language and size of text are in its address.

    Its links to the other forms keep the query `carried`.
    """
    html = _html(request, template, carried=carried, **context)
    return _representation(request, html, form_action=form_action).response(request, status)


def _html(
    request: Request,
    template: str,
    *,
    carried: Mapping[str, str] = NOTHING,
    **context: Any,  # template variables
) -> str:
    settings, form = request.app.state.runtime.settings, form_of(request)
    links = _links(*form, carried) if carried else _usual_links(*form)
    return renderer.html(
        request,
        template,
        form[0] or "zh",
        host=urlsplit(settings.issuer).netloc,
        authority=_authority(settings),
        **links,
        **context,
    )


def _representation(
    request: Request, html: str, *, form_action: Iterable[str] = (), quickly: bool = False
) -> Representation:
    headers = _headers(_language(request), tuple(form_action))
    return Representation(html.encode(), headers, quickly=quickly)


def _language(request: Request) -> Language:
    return form_of(request)[0] or "zh"


@lru_cache
def _headers(language: Language, form_action: tuple[str, ...]) -> Headers:
    return revalidated(HTMLResponse(headers=page_headers(language, form_action)))


def _links(
    language: Language | None, size: str | None, carried: Mapping[str, str]
) -> Mapping[str, Any]:
    """The form of a page, and the queries of its links to the other forms and to others in this one."""
    form = {name: value for name, value in (("lang", language), ("size", size)) if value}
    query, is_large = dict(carried) | form, size == LARGE
    other_language = query | {"lang": "zh" if language == "en" else "en"}
    other_size = (
        {k: v for k, v in query.items() if k != "size"} if is_large else query | {"size": LARGE}
    )
    return {
        "large": is_large,
        "language_switch": f"?{urlencode(other_language)}",
        "size_switch": f"?{urlencode(other_size)}",
        "also": "".join(f"&{urlencode({k: v})}" for k, v in form.items() if k not in carried),
    }


@lru_cache
def _usual_links(language: Language | None, size: str | None) -> Mapping[str, Any]:
    return _links(language, size, NOTHING)


def _authority(settings: Settings) -> Translated | None:
    """The authority's name, as set."""
    name = settings.authority
    return Translated(name, settings.authority_en or name) if name else None
