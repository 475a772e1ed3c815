"""Route class for HTML pages, whose errors are pages too, and pages of one message."""

from collections.abc import Callable, Coroutine, Mapping
from functools import lru_cache
from typing import Any, Final, NamedTuple

import structlog
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from gateway.db.unavailable import is_unavailable, name_of
from gateway.pages.i18n import Translated
from gateway.pages.quality_values import quality_values
from gateway.pages.rendering import PageRenderer, PageVisitor

log = structlog.get_logger("gateway.pages")

Handler = Callable[[Request], Coroutine[Any, Any, Response]]

RETRY_SECONDS: Final = 5
JSON: Final = "application/json"
HTML: Final = "text/html"
FIRST_ERROR: Final = 400
API_PATHS: Final = ("/v1/", "/oauth/", "/log/", "/.well-known/")
"""Answered with problem documents, to browsers too."""
OAUTH_PAGES: Final = frozenset({"/oauth/authorize", "/oauth/resume"})
HOME: Final = ("/portal", Translated("回到首页", "Go to the start page"))


class PageMessage(NamedTuple):
    """A page of one message: what has happened, what to do next, and a link to go on."""

    status: int
    title: Translated
    sentence: Translated
    onward: tuple[str, Translated] | None = HOME


NOT_FOUND: Final = PageMessage(
    404,
    Translated("没有找到这个页面", "Page not found"),
    Translated(
        "链接可能不完整，或者内容不属于您的企业。",
        "The link may be incomplete, or the content belongs to another enterprise.",
    ),
)
"""The same for what does not exist and what belongs to another enterprise."""
MALFORMED: Final = PageMessage(
    400,
    Translated("网址不正确", "This address is not correct"),
    Translated(
        "链接可能在复制或转发时被改动了。请从首页或原来的二维码重新打开。",
        "The link may have been altered when it was copied. Please open it again from the start page "
        "or the original QR code.",
    ),
)
STALE: Final = PageMessage(
    403,
    Translated("页面已过期，您的操作没有执行", "This page was out of date; nothing was done"),
    Translated(
        "登录状态可能已变化，或者页面停留时间过长。请回到首页，重新打开后再操作。",
        "Your sign-in has changed, or the page was open too long. Please open it again from the start "
        "page.",
    ),
)
"""A form with an invalid CSRF token or origin."""
NOT_OPENED: Final = PageMessage(
    405,
    Translated("这个页面不能这样打开", "This page cannot be opened like this"),
    Translated(
        "它只接收页面上提交的表单，没有执行任何操作。请回到首页，从页面上的按钮进入。",
        "It only takes what a form on a page sends; nothing was done. Please go to the start page and use "
        "the buttons there.",
    ),
)
TOO_LARGE: Final = PageMessage(
    413,
    Translated("提交的内容过多，没有提交成功", "Too much was sent; nothing was submitted"),
    Translated(
        "请返回上一页，减少文字或者文件后重新提交。",
        "Please go back, shorten the text or leave out files, and submit it again.",
    ),
)
TOO_OFTEN: Final = PageMessage(
    429,
    Translated("操作过于频繁", "Too many requests"),
    Translated(
        "没有执行任何操作。请稍等一会儿再试。",
        "Nothing was done. Please wait a little and try again.",
    ),
)
FAULT: Final = PageMessage(
    500,
    Translated("系统出错了", "Something went wrong on our side"),
    Translated(
        "您刚才的操作不一定已经生效，请重新打开页面查看。再次出错的，请把下面的编号告诉信桥运营方。",
        "Your last action may not have taken effect: please open the page again and check. If this "
        "happens again, tell the operator of Xinqiao the number below.",
    ),
)
UNAVAILABLE: Final = PageMessage(
    503,
    Translated("暂时无法使用", "Not available right now"),
    Translated(
        "系统现在不能处理这个请求。请稍后重新打开页面，并确认上一步操作是否已经生效。",
        "This request cannot be handled right now. Please open the page again shortly, and check "
        "whether your last action took effect.",
    ),
)

MESSAGES: Final = {
    each.status: each
    for each in (NOT_FOUND, MALFORMED, NOT_OPENED, TOO_LARGE, TOO_OFTEN, FAULT, UNAVAILABLE)
}

_renderer: Final = PageRenderer("gateway.pages")


class EarlyResponse(Exception):
    """An exception that ends a page handler with a response."""

    def __init__(self, response: Response) -> None:
        self.response = response
        super().__init__(response.status_code)


class PageRoute(APIRoute):
    """A FastAPI route that answers with pages and redirects, on errors too."""

    def get_route_handler(self) -> Handler:
        """Wrap the handler: translate `EarlyResponse`, invalid parameters and database outages."""
        handler = self.bare_handler()

        async def handle(request: Request) -> Response:
            try:
                return await handler(request)
            except EarlyResponse as early:
                return early.response
            except RequestValidationError:
                return message_page(request, NOT_FOUND)
            except Exception as error:
                if not is_unavailable(error) or wants_json(request):
                    raise
                log.error("unavailable", kind=name_of(error))  # noqa: TRY400  # no data
                return unavailable(request)

        return handle

    def bare_handler(self) -> Handler:
        """FastAPI's own handler."""
        return super().get_route_handler()


class DirectPageRoute(PageRoute):
    """A page route for which no dependency is solved, because it is called most.

    Its function takes the request, the runtime and the parameters of the path, which are texts.
    """

    def bare_handler(self) -> Handler:
        """Call the function with what it takes."""
        function = self.endpoint

        async def handle(request: Request) -> Response:
            runtime = request.app.state.runtime
            response: Response = await function(request, runtime=runtime, **request.path_params)
            return response

        return handle


def wants_json(request: Request) -> bool:
    """True where `Accept` names JSON, with more weight than HTML."""
    return _prefers_json(request.headers.get("accept", ""))


def wants_page(request: Request) -> bool:
    """True where an error is answered with a page: under /portal, or for a browser outside the API."""
    path = request.scope["path"]
    if path == "/portal" or path.startswith("/portal/"):
        return not wants_json(request)
    is_api = path.startswith(API_PATHS) and path not in OAUTH_PAGES
    return not is_api and "text/html" in request.headers.get("accept", "")


def see_other(address: str) -> Response:
    """Redirect after a form (303), with no caching and no referrer."""
    return RedirectResponse(
        address,
        status_code=303,
        headers={"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"},
    )


def message_page(
    request: Request,
    message: PageMessage,
    visitor: PageVisitor | None = None,
    *,
    retry_after: int | None = None,
) -> HTMLResponse:
    """Render a message, with the request's id if it is about an error; `retry_after` in seconds."""
    page = _renderer.page(
        request,
        "pages/message.html",
        status=message.status,
        visitor=visitor,
        message=message,
        request_id=_request_id(request) if message.status >= FIRST_ERROR else None,
    )
    if retry_after is not None:
        page.headers["Retry-After"] = str(retry_after)
    return page


def error_page(request: Request, status: int, headers: Mapping[str, str] | None = None) -> Response:
    """The page of an error that has no page of its own, by its status."""
    page = message_page(request, MESSAGES.get(status, MALFORMED)._replace(status=status))
    page.headers.update(headers or {})
    return page


def unavailable(request: Request) -> Response:
    """503 page for an unavailable database or cache."""
    return message_page(request, UNAVAILABLE, retry_after=RETRY_SECONDS)


@lru_cache(maxsize=256)
def _prefers_json(accept: str) -> bool:
    weights = {name.partition(";")[0]: weight for name, weight in quality_values(accept)}
    return weights.get(JSON, 0.0) > weights.get(HTML, 0.0)


def _request_id(request: Request) -> str | None:
    return getattr(request.state, "request_id", None)
