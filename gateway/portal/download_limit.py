"""Rate limit on portal downloads, per person. Withdrawing and pausing are never limited."""

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from gateway.identity.session_dependency import Visitor
from gateway.limits.model import Admission, Counter, Limited
from gateway.limits.quotas import MINUTE
from gateway.limits.store_protocol import LimiterUnavailableError
from gateway.pages.i18n import Translated
from gateway.pages.page_route import HOME, InsteadError
from gateway.pages.rendering import PageRenderer
from gateway.runtime import Runtime

DOWNLOADS_PER_MINUTE: Final = 20

renderer: Final = PageRenderer("gateway.portal")


async def count_download(request: Request, runtime: Runtime, visitor: Visitor) -> None:
    """Count one download; over the limit or without a limiter, raise an error page."""
    person = runtime.digests.of("portal_files", visitor.session.subject).hex()
    counter = Counter(name="portal_files", key=person, quota=DOWNLOADS_PER_MINUTE, window=MINUTE)
    try:
        verdict = await runtime.limiter.admit(
            Admission(tag=person, generation=None, counters=(counter,))
        )
    except LimiterUnavailableError:
        raise InsteadError(_unavailable_page(request, visitor)) from None
    if isinstance(verdict, Limited):
        raise InsteadError(_too_many_page(request, visitor, verdict.retry_after))


def _too_many_page(request: Request, visitor: Visitor, seconds: int) -> Response:
    page = renderer.error_page(
        request,
        status=429,
        title=Translated("下载太频繁", "Too many downloads"),
        sentence=Translated(
            f"每分钟最多下载 {DOWNLOADS_PER_MINUTE} 个文件。请等 {seconds} 秒后再试，页面上的内容不受影响。",
            f"At most {DOWNLOADS_PER_MINUTE} files can be downloaded in a minute. Try again in {seconds} "
            "seconds; the pages themselves can be read all the while.",
        ),
        onward=HOME,
        visitor=visitor,
    )
    page.headers["Retry-After"] = str(seconds)
    return page


def _unavailable_page(request: Request, visitor: Visitor) -> Response:
    page = renderer.error_page(
        request,
        status=503,
        title=Translated("暂时不能下载", "No downloads right now"),
        sentence=Translated(
            "请稍后再试。查看、暂停和撤回授权不受影响。",
            "Try again shortly. Consents can be seen, paused and withdrawn all the while.",
        ),
        onward=HOME,
        visitor=visitor,
    )
    page.headers["Retry-After"] = "5"
    return page
