"""Printed content of an enterprise code: values of its public page, and fixed sentences."""

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from gateway.codes.ids import code_url
from gateway.codes.printing.text_fit import MISSING, printable
from gateway.codes.printing.typeface import Typeface
from gateway.pages.i18n import Translated

TITLE: Final = Translated("企业码 · 信用查询", "Enterprise code: credit record")
HOW: Final = Translated(
    "扫码查看公开信用信息，无需登录，不收费",
    "Scan for the public credit record. No sign-in, no payment.",
)
PHRASE: Final = Translated("核对口令", "Check phrase")
SAME_PHRASE: Final = Translated("应与扫码页面一致", "must be the same on the page")
DOMAIN: Final = Translated("唯一官方网址", "Only official address")
LICENCE: Final = Translated(
    "扫码页面上的企业名称，应与店内营业执照一致",
    "The name on the page must be that on the business licence in the shop.",
)
LICENCE_SHORT: Final = Translated(
    "企业名称应与店内执照一致", "The name must be that on the licence"
)
FOLD: Final = Translated(
    "沿虚线折成三面，本面为底，用胶带固定。",
    "Fold along the dashes; this side is the foot. Hold it with tape.",
)
COMPLAINT_SHORT: Final = Translated("投诉", "Complaints")
NOTE: Final = "缺字，见页面 see the page:"
"""Before the code points of characters that the font has not."""
COMPLAINT: Final = Translated("与实际不符？拨打 12315", "Something wrong? Call 12315")


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """The public values on a piece. `name` is the registered name as the public page shows it."""

    address: str
    """The address in the symbol."""
    code_id: str
    sign_name: str
    name: str
    check_phrase: str

    @property
    def host(self) -> str:
        """The official domain, with its port if it has one."""
        return urlsplit(self.address.lower()).netloc

    @property
    def number(self) -> str:
        """The code's id in groups, to be typed."""
        return " ".join(self.code_id[place : place + 6] for place in range(0, 26, 6))


def content_of(
    issuer: str, *, code_id: str, sign_name: str, name: str, check_phrase: str
) -> Content:
    """The content of a code of this gateway."""
    return Content(
        address=code_url(issuer, code_id),
        code_id=code_id,
        sign_name=sign_name,
        name=name,
        check_phrase=check_phrase,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """A content's names as a font can draw them."""

    sign: str
    name: str
    """Empty where it is the sign."""
    phrase: str
    note: str
    """Code points of the characters that the font lacks; empty if there are none."""
    missing: tuple[str, ...]


def wording_of(content: Content, typeface: Typeface) -> Wording:
    """The names, with the characters that the font has not replaced and named."""
    sign, in_sign = printable(content.sign_name, typeface)
    name, in_name = printable(content.name, typeface)
    phrase, in_phrase = printable(content.check_phrase, typeface)
    missing = tuple(dict.fromkeys(in_sign + in_name + in_phrase))
    codes = " ".join(f"U+{ord(each):04X}" for each in missing[:4])
    return Wording(
        sign=sign,
        name="" if name == sign else name,
        phrase=phrase,
        note=f"{MISSING} {NOTE} {codes}" if missing else "",
        missing=missing,
    )
