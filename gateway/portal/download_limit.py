"""Rate limit on portal downloads, per person. Withdrawing and pausing are never limited."""

from typing import Final

from gateway.identity.session_dependency import Visitor
from gateway.limits.model import Admission, Counter, Limited
from gateway.limits.quotas import MINUTE
from gateway.limits.store_protocol import LimiterUnavailableError
from gateway.pages.i18n import Translated
from gateway.pages.page_route import RETRY_SECONDS, EarlyResponse, PageMessage
from gateway.runtime import Runtime

DOWNLOADS_PER_MINUTE: Final = 20
UNAVAILABLE: Final = PageMessage(
    503,
    Translated("暂时不能下载", "No downloads right now"),
    Translated(
        "请稍后再试。查看、暂停和撤回授权不受影响。",
        "Try again shortly. Consents can be seen, paused and withdrawn all the while.",
    ),
)


async def count_download(runtime: Runtime, visitor: Visitor) -> None:
    """Count one download; over the limit or without a limiter, raise a page that says so."""
    person = runtime.digests.of("portal_files", visitor.session.subject).hex()
    counter = Counter(name="portal_files", key=person, quota=DOWNLOADS_PER_MINUTE, window=MINUTE)
    try:
        verdict = await runtime.limiter.admit(
            Admission(tag=person, generation=None, counters=(counter,))
        )
    except LimiterUnavailableError:
        page = visitor.message_page(UNAVAILABLE, retry_after=RETRY_SECONDS)
        raise EarlyResponse(page) from None
    if isinstance(verdict, Limited):
        seconds = verdict.retry_after
        raise EarlyResponse(visitor.message_page(_too_many(seconds), retry_after=seconds))


def _too_many(seconds: int) -> PageMessage:
    return PageMessage(
        429,
        Translated("下载太频繁", "Too many downloads"),
        Translated(
            f"每分钟最多下载 {DOWNLOADS_PER_MINUTE} 个文件。请等 {seconds} 秒后再试，页面上的内容不受影响。",
            f"At most {DOWNLOADS_PER_MINUTE} files can be downloaded in a minute. Try again in {seconds} "
            "seconds; the pages themselves can be read all the while.",
        ),
    )
