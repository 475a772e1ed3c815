"""Route class for HTML pages, whose errors are pages too, and pages of one message."""

from collections.abc import Callable, Coroutine
from typing import Any, Final, NamedTuple

import structlog
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from gateway.db.unavailable import is_unavailable, name_of
from gateway.pages.i18n import Translated
from gateway.pages.rendering import PageRenderer, PageVisitor

log = structlog.get_logger("gateway.pages")

RETRY_SECONDS: Final = 5
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
UNAVAILABLE: Final = PageMessage(
    503,
    Translated("暂时无法使用", "Not available right now"),
    Translated(
        "系统现在不能处理这个请求。请稍后重新打开页面，并确认上一步操作是否已经生效。",
        "This request cannot be handled right now. Please open the page again shortly, and check "
        "whether your last action took effect.",
    ),
)

_renderer: Final = PageRenderer("gateway.pages")


class EarlyResponse(Exception):
    """An exception that ends a page handler with a response."""

    def __init__(self, response: Response) -> None:
        self.response = response
        super().__init__(response.status_code)


class PageRoute(APIRoute):
    """A FastAPI route that answers with pages and redirects, on errors too."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Wrap the handler: translate `EarlyResponse`, invalid parameters and database outages."""
        handler = super().get_route_handler()

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


def wants_json(request: Request) -> bool:
    """True where `Accept` names JSON and not HTML."""
    accept = request.headers.get("accept", "")
    return "application/json" in accept and "text/html" not in accept


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
    """Render a message; `retry_after` in seconds."""
    page = _renderer.page(
        request, "pages/message.html", status=message.status, visitor=visitor, message=message
    )
    if retry_after is not None:
        page.headers["Retry-After"] = str(retry_after)
    return page


def unavailable(request: Request) -> Response:
    """503 page for an unavailable database or cache."""
    return message_page(request, UNAVAILABLE, retry_after=RETRY_SECONDS)
