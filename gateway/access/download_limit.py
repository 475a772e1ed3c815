"""Rate limits on portal downloads and forms with files, per person. Withdrawing and pausing never are."""

from collections.abc import Callable
from typing import Final

from gateway.identity.session_dependency import Visitor
from gateway.limits.model import Admission, Counter, Limited
from gateway.limits.quotas import MINUTE
from gateway.limits.store_protocol import LimiterUnavailableError
from gateway.pages.i18n import Translated
from gateway.pages.page_route import RETRY_SECONDS, EarlyResponse, PageMessage
from gateway.runtime import Runtime

DOWNLOADS_PER_MINUTE: Final = 20
UPLOADS_PER_MINUTE: Final = 10
UNAVAILABLE: Final = PageMessage(
    503,
    Translated("暂时不能下载", "No downloads right now"),
    Translated(
        "请稍后再试。查看、暂停和撤回授权不受影响。",
        "Try again shortly. Consents can be seen, paused and withdrawn all the while.",
    ),
)


UPLOADS_UNAVAILABLE: Final = PageMessage(
    503,
    Translated("暂时不能提交", "Nothing can be sent right now"),
    Translated("请稍后再试，没有执行任何操作。", "Try again shortly; nothing was done."),
)


async def count_download(runtime: Runtime, visitor: Visitor) -> None:
    """Count one download; over the limit or without a limiter, raise a page that says so."""
    await _count(runtime, visitor, "portal_files", DOWNLOADS_PER_MINUTE, UNAVAILABLE, _too_many)


async def count_upload(runtime: Runtime, visitor: Visitor) -> None:
    """Count one form with files, before its body is read; otherwise as `count_download`."""
    await _count(
        runtime,
        visitor,
        "portal_uploads",
        UPLOADS_PER_MINUTE,
        UPLOADS_UNAVAILABLE,
        _too_many_uploads,
    )


async def _count(
    runtime: Runtime,
    visitor: Visitor,
    name: str,
    quota: int,
    unavailable: PageMessage,
    too_many: Callable[[int], PageMessage],
) -> None:
    person = runtime.digests.of("portal_files", visitor.session.subject).hex()
    counter = Counter(name=name, key=person, quota=quota, window=MINUTE)
    try:
        verdict = await runtime.limiter.admit(
            Admission(tag=person, generation=None, counters=(counter,))
        )
    except LimiterUnavailableError:
        page = visitor.message_page(unavailable, retry_after=RETRY_SECONDS)
        raise EarlyResponse(page) from None
    if isinstance(verdict, Limited):
        seconds = verdict.retry_after
        raise EarlyResponse(visitor.message_page(too_many(seconds), retry_after=seconds))


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


def _too_many_uploads(seconds: int) -> PageMessage:
    return PageMessage(
        429,
        Translated("提交太频繁", "Sent too often"),
        Translated(
            f"请等 {seconds} 秒后再试，没有执行任何操作。",
            f"Try again in {seconds} seconds; nothing was done.",
        ),
    )
