"""Sign names and labels of codes: normalised, bounded, visible, free of personal numbers and claims. Pure."""

import re
import unicodedata
from datetime import date
from enum import StrEnum
from typing import Final

from gateway.privacy.redaction import holds_personal_number

MAX_SIGN_NAME: Final = 40
MAX_LABEL: Final = 20
_REFUSED: Final = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Sk", "Sm", "So", "Zl", "Zp"})
"""Unicode categories without a printed form, and symbols: a ✓ reads as a verdict of ours."""
_ON_SIGNS: Final = frozenset("+＋×~～°")
"""Symbols that real signs have."""
_UNSEEN: Final = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
"""Letters and marks that draw nothing: Hangul fillers, variation selectors."""
_MOST_MARKS: Final = 2
"""Combining marks on one letter: Vietnamese has two."""
_ADDRESS: Final = re.compile(
    r"://|www[.]|[^\W_][.](?:com|cn|net|org|gov|top|xyz|vip|cc|io|app|shop|site|link|club|info|online"
    r"|中国|公司|网络|网址)(?![a-z0-9])"
)
_CLAIM: Final = re.compile(
    r"(?:政府|官方|国家|信用|诚信|局|已)认证|认证(?:商家|商户|店|诚信)|政府(?:推荐|指定|授权|认可|担保)"
    r"|官方(?!旗舰|授权|专卖|直营|体验|维修|售后)|(?<!\d)12315(?!\d)|企业码|公示|违法|失信|不良记录|无记录|截至|未查"
    r"|信用(?:查询|良好|优秀|正常|记录|中国)|已核[实验查]|核[实验]通过|verified"
    r"|加[微薇v]信|[微薇v]信(?:号|同号|群|扫|支付|联系|客服|公众|[a-z0-9]{5}|$)|wechat|加qq|qq(?:号|群|\d{5})"
    r"|扫我|扫一扫|扫码(?:付|支付|领|加|关注)|付款|转账|[领抢送]取?红包"
)
"""Words of an official verdict, of the hotline, and of those who lure: real signs do without them."""
_SIMPLIFIED: Final = str.maketrans(
    "認證違記錄領紅詢號國誠無實驗轉賬碼業", "认证违记录领红询号国诚无实验转账码业"
)


class TextProblem(StrEnum):
    """Reason why a sign name or label is refused."""

    EMPTY = "empty"
    TOO_LONG = "too_long"
    CHARACTERS = "characters"
    PERSONAL_NUMBER = "personal_number"
    CLAIM = "claim"


def parse_sign_name(typed: str, *, today: date) -> str | TextProblem:
    """The name on a shop sign, of 1 to 40 characters."""
    parsed = parse_printed_text(typed, longest=MAX_SIGN_NAME, today=today)
    is_named = isinstance(parsed, TextProblem) or any(each.isalnum() for each in parsed)
    return parsed if is_named else TextProblem.EMPTY


def parse_label(typed: str, *, today: date) -> str | TextProblem:
    """The place of a sticker, of up to 20 characters; may be empty."""
    return parse_printed_text(typed, longest=MAX_LABEL, today=today)


def refused_texts(sign_name: str, label: str, *, today: date) -> dict[str, TextProblem]:
    """The problems of an issued code's texts under today's rules, by `sign_name` and `label`."""
    parsed = {
        "sign_name": parse_sign_name(sign_name, today=today),
        "label": parse_label(label, today=today),
    }
    return {name: text for name, text in parsed.items() if isinstance(text, TextProblem)}


def parse_printed_text(typed: str, *, longest: int, today: date) -> str | TextProblem:
    """A text of up to `longest` characters that stands beside words of ours; may be empty."""
    if len(typed) > longest * 4:
        return TextProblem.TOO_LONG
    text = unicodedata.normalize("NFC", typed).strip()
    if not _is_printable(text):
        return TextProblem.CHARACTERS
    text = " ".join(text.split())
    if len(text) > longest:
        return TextProblem.TOO_LONG
    if holds_personal_number([text], today=today):
        return TextProblem.PERSONAL_NUMBER
    return TextProblem.CLAIM if _claims(text) else text


def _is_printable(text: str) -> bool:
    categories = [unicodedata.category(each) for each in text]
    if any(
        category in _REFUSED and each not in _ON_SIGNS
        for each, category in zip(text, categories, strict=True)
    ):
        return False
    marks = "".join("m" if each.startswith("M") else "-" for each in categories)
    return "m" * (_MOST_MARKS + 1) not in marks and not _UNSEEN.search(text)


def _claims(text: str) -> bool:
    """True if the text has an address, claims an official verdict or lures, however it is spaced."""
    folded = unicodedata.normalize("NFKC", text).casefold().translate(_SIMPLIFIED)
    close = "".join(folded.split()).replace("。", ".")
    words = "".join(each for each in folded if each.isalnum())
    return bool(_ADDRESS.search(close) or _CLAIM.search(words))
