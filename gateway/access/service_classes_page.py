"""Markdown page of the service classes, printed by `python -m gateway.access.service_classes_page`."""

import sys
from collections.abc import Iterator
from typing import Final

from gateway.access.service_classes import SERVICE_CLASSES, ServiceClass

_HEAD: Final = """\
# Service classes 服务等级

Made by `make docs` from [the classes](../../gateway/access/service_classes.py): change those, not this page.

What an installation aims at, for each operation of `/openapi.json`, where it is `x-service-class`.
Latency is from the last byte of the request to the first of the answer, at the gateway, at up to 70 %
of the installation's peak rate ([measured](../performance.md)). Availability is of a calendar month, in
calls answered otherwise than with 5xx, without maintenance that was announced a week before. Refusals
(4xx), limits among them, are answers; beyond a limit of the whole gateway it is 503 with `Retry-After`,
which counts as unavailable. An agreement may promise more; this page promises nothing by itself.

各运行单位对 `/openapi.json` 中每项操作的目标，文档中为 `x-service-class`。
时延自请求的最后一个字节至答复的第一个字节，在网关测量，负载不超过本系统峰值的
70%（[实测](../performance.md)，英文）。可用性按自然月计，为未答 5xx 的调用所占比例，
提前一周公告的维护不计。拒绝（4xx，包括限额）也是答复；超出整个网关限额的答 503
并带 `Retry-After`，计为不可用。合约可以约定更高的水平；本页本身不构成承诺。

| class 等级 | | p50, ms | p99, ms | availability 可用性, % |
|---|---|---:|---:|---:|
"""


def markdown() -> str:
    """The whole page."""
    return _HEAD + "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    for each in SERVICE_CLASSES:
        yield (
            f"| [`{each.name}`](#{each.name}) | {each.title_zh} {each.title_en} | {each.p50_ms} "
            f"| {each.p99_ms:,} | {each.availability} |"
        )
    for each in SERVICE_CLASSES:
        yield from ("", f"## `{each.name}`", "", f"{each.title_zh}。{each.note_zh}", "")
        yield from (f"{each.title_en}. {each.note_en}".rstrip(), "")
        yield _operations(each)


def _operations(each: ServiceClass) -> str:
    return ", ".join(f"`{operation}`" for operation in sorted(each.operations))


if __name__ == "__main__":
    sys.stdout.write(markdown())
