"""Canonical form of natural keys (`keys.v2`): spelling variants of a number identify one record.

Otherwise a repaired record would reappear under a different dash or bracket. Folding is idempotent.
Any change here is a new version, after which stored keys must be converted (`rekey_records`).
"""

import re
import unicodedata
from collections.abc import Sequence
from typing import Final

from verification.gbk_private_use import ASSIGNED
from verification.names_v2 import MIDDLE_DOTS
from verification.normalise import IGNORABLE
from verification.radicals import EQUIVALENT

KEYS_VERSION: Final = "keys.v2"
_SEPARATOR: Final = "|"
_MOST_PASSES: Final = 8
"""Upper bound that no known text comes near."""

# Unicode's property Dash (15.0), look-alikes, and the wave forms: by GB/T 15834-2011 短横线, 一字线 and
# 浪纹线 are forms of one mark (连接号). The numeral 一 is not included.
_DASHES: Final = (
    "-\u058a\u05be\u1400\u1806\u2010\u2011\u2012\u2013\u2014\u2015\u2053\u2212\u2e17\u2e1a\u2e3a\u2e3b"
    "\u2e40\u2e5d\u301c\u3030\u30a0\U00010d6e\U00010ead"
    "\u02d7\u2043\u23af\u2500\u2501\u2574\u2576\u2796\u30fc"
    "~\u223c"
)
# Unicode's categories Ps and Pe (15.0) without quotation marks, and substitutes for 〈〉《》.
_OPENING: Final = (
    "([{\u0f3a\u0f3c\u169b\u2045\u2308\u230a\u2768\u276a\u276c\u276e\u2770\u2772\u2774\u27c5\u27e6\u27e8"
    "\u27ea\u27ec\u27ee\u2983\u2985\u2987\u2989\u298b\u298d\u298f\u2991\u2993\u2995\u2997\u29d8\u29da\u29fc"
    "\u2e22\u2e24\u2e26\u2e28\u2e55\u2e57\u2e59\u2e5b\u3008\u300a\u300c\u300e\u3010\u3014\u3016\u3018\u301a"
    "\ufd3f<\u00ab\u2039\u226a"
)
_CLOSING: Final = (
    ")]}\u0f3b\u0f3d\u169c\u2046\u2309\u230b\u2769\u276b\u276d\u276f\u2771\u2773\u2775\u27c6\u27e7\u27e9"
    "\u27eb\u27ed\u27ef\u2984\u2986\u2988\u298a\u298c\u298e\u2990\u2992\u2994\u2996\u2998\u29d9\u29db\u29fd"
    "\u2e23\u2e25\u2e27\u2e29\u2e56\u2e58\u2e5a\u2e5c\u3009\u300b\u300d\u300f\u3011\u3015\u3017\u3019\u301b"
    "\ufd3e>\u00bb\u203a\u226b"
)
_CHARACTERS: Final = {
    **EQUIVALENT,
    **{private: each.translate(EQUIVALENT) for private, each in ASSIGNED.items()},
}
_SIGNS: Final = str.maketrans(
    {
        **dict.fromkeys(_DASHES + "－", "-"),
        **dict.fromkeys(_OPENING + "（［", "〔"),
        **dict.fromkeys(_CLOSING + "）］", "〕"),
        **dict.fromkeys("○〇零\u25ef\u26aa\u2b55\u2b58", "〇"),
        **dict.fromkeys(MIDDLE_DOTS, "\u00b7"),
        **dict.fromkeys("\u2044\u2215\u2571\u29f8", "/"),
        **dict.fromkeys("\u2236\ua789", ":"),
        **dict.fromkeys("\u201c\u201d\u201e\u201f\u301d\u301e\u301f\u2033", '"'),
        **dict.fromkeys("\u2018\u2019\u201a\u201b\u2032", "'"),
    }
)
# Greek and Cyrillic letters that look like Latin ones.
_LETTERS: Final = str.maketrans(
    "АВЕКМНОРСТУХІЈЅаеорсухіјѕΑΒΕΖΗΙΚΜΝΟΡΤΥΧο", "ABEKMHOPCTYXIJSaeopcyxijsABEZHIKMNOPTYXo"
)
_UNSEEN: Final = re.compile(r"[\s\x00-\x1f\x7f-\x9f\u2800\ufff9-\ufffc]+")
# Superscripts, subscripts, circled digits and fractions, which NFKC would turn into digits: 3² is not 32.
_DIGIT_LIKE: Final = (
    "\u00b2\u00b3\u00b9\u00bc-\u00be\u2070\u2074-\u2079\u2080-\u2089\u2150-\u215f\u2189"
    "\u2460-\u2473\u24ea\u3251-\u325f\u32b1-\u32bf"
)
_NOT_DIGIT_LIKE: Final = re.compile(f"[^{_DIGIT_LIKE}]+")
_DASH_RUN: Final = re.compile("--+")
_NUMERALS: Final = "一二三四五六七八九十百千"
# Beside a Chinese numeral, any kind of zero is 〇: 二O二六, 二00六.
_ZEROS: Final = re.compile(
    f"(?<=[{_NUMERALS}])[0o〇]+(?![0-9a-z])|(?<![0-9a-z])[0o〇]+(?=[{_NUMERALS}])"
)
# Fast path: ASCII without blanks, brackets and ~, and common characters without numerals and 零.
_PLAIN: Final = re.compile(
    r"[\0!-'*-;=?-Z\\^-z|〔〕〇"
    "\u4e01-\u4e02\u4e04-\u4e08\u4e0a-\u4e5c\u4e5e-\u4e8b\u4e8d-\u4e93\u4e95-\u516a\u516c"
    "\u516e-\u5340\u5342\u5344-\u56da\u56dc-\u767d\u767f-\u96f5\u96f7-\u9fff]*"
)
# Second fast path: characters unaffected by steps 1 to 4.
_COMMON: Final = re.compile("[ -~○〇〔〕（）［］【】〈〉《》—－\u4e00-\u9fff]*")
_ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)
_PART: Final = re.compile(r"((?:[^\\|]|\\.|\\\Z)*)(\|?)", re.DOTALL)


def fold(text: str) -> str:
    """Canonical form of a key or a part of one.

    Steps: (1) private-use code points of GB 18030 to their assigned characters, radicals to their
    ideographs; (2) default ignorable characters removed; (3) NFKC; (4) Greek and Cyrillic letters
    that look like Latin ones to these; case folding; (5) dashes to -,
    brackets to 〔〕, ○〇零 to 〇, middle dots, slashes, colons and quotation marks to one each;
    (6) blanks and control characters removed; (7) a run of dashes to one, zeros beside a numeral
    to 〇. The steps are repeated until nothing changes.
    """
    if _PLAIN.fullmatch(text) and "--" not in text:
        return text.lower()
    if _COMMON.fullmatch(text):
        return _fold_signs(text.lower())
    for _ in range(_MOST_PASSES):
        again = _fold_once(text)
        if again == text:
            break
        text = again
    return text


def fold_all(texts: Sequence[str]) -> list[str]:
    """Canonical forms of these texts (without NUL), with one check for all."""
    joined = "\0".join(texts)
    if _PLAIN.fullmatch(joined) and "--" not in joined:
        return joined.lower().split("\0")
    return list(map(fold, texts))


def key_of(parts: Sequence[object]) -> str:
    r"""Natural key made of its parts, in the order of the dataset's key.

    Several parts are joined by |, with \ before a | or \ inside a part.
    """
    if len(parts) == 1:
        return fold(str(parts[0]))
    return _SEPARATOR.join(_escaped(fold(str(each))) for each in parts)


def keys_of(columns: Sequence[Sequence[object]]) -> list[str]:
    """Natural keys of many rows, from columns of parts."""
    parts = [fold_all(list(map(str, each))) for each in columns]
    if len(parts) == 1:
        return parts[0]
    rows = zip(*(map(_escaped, each) for each in parts), strict=True)
    return list(map(_SEPARATOR.join, rows))


def parts_of(key: str, count: int) -> list[str]:
    """Parts of a natural key as written; not `count` of them if it is malformed."""
    if count == 1:
        return [key]
    parts = []
    for each in _PART.finditer(key):
        parts.append(_ESCAPED.sub(r"\1", each[1]))
        if not each[2]:
            break
    return parts


def _fold_once(text: str) -> str:
    text = IGNORABLE.sub("", text.translate(_CHARACTERS))
    text = _NOT_DIGIT_LIKE.sub(lambda run: unicodedata.normalize("NFKC", run[0]), text)
    return _fold_signs(text.translate(_LETTERS).casefold())


def _fold_signs(text: str) -> str:
    text = _DASH_RUN.sub("-", _UNSEEN.sub("", text.translate(_SIGNS)))
    return _ZEROS.sub(lambda run: "〇" * len(run[0]), text)


def _escaped(part: str) -> str:
    return part.replace("\\", "\\\\").replace("|", "\\|")
