"""Error sentences of the look-up form: a mistyped number, a USCC, an address of another site."""

import re
from typing import Final

from gateway.pages.i18n import Translated

NO_NUMBER: Final = Translated(
    "编号不对：应为 26 位，只有字母和数字 2–7，没有 0 和 1。请对照贴纸再输一次。",
    "That is no number of a code: it has 26 characters, letters and the digits 2–7, never 0 or 1. "
    "Please compare it with the sticker.",
)
USCC: Final = Translated(
    "这像是统一社会信用代码。这里查的是贴纸上的编号：26 位，在贴纸下方。",
    "That looks like a credit code (USCC). Here you look up the number at the foot of the sticker: it has "
    "26 characters.",
)
_LIKE_A_USCC: Final = re.compile(r"[0-9A-Z]{18}", re.ASCII | re.IGNORECASE)
_LIKE_A_NUMBER: Final = re.compile(r"[A-Za-z0-9 -]{1,60}", re.ASCII)


def kept_text(typed: str) -> str:
    """The typed text if it resembles a number, else empty: a link must not put words on the page."""
    return typed if _LIKE_A_NUMBER.fullmatch(typed) else ""


def lookup_mistake(typed: str, host: str) -> Translated:
    """The error sentence for a typed text that is no number of a code; `host` is the gateway's own."""
    if _LIKE_A_USCC.fullmatch(typed.strip()):
        return USCC
    if "/" not in typed and "." not in typed.strip("。."):
        return NO_NUMBER
    return Translated(
        f"这不是我们的网址，企业码的网址只有 {host}。不要在那个网页上付款或输入密码。",
        f"That is not our address: ours is {host} alone. Do not pay or enter a password on that page.",
    )
