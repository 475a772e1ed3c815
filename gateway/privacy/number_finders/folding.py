"""Folding of a text, character by character, to a small alphabet in which numbers are searched.

Digits of any script become ASCII digits, letters capitals, dashes `-`, spaces ` `, line ends newlines,
brackets `(` and `)`; other punctuation stays or becomes `~`. Invisible characters are dropped. Han
characters stay.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from verification.normalise import IGNORABLE

HIDDEN: Final = "\ufffc"
"""Replaces each character of a found number or of a mask."""

_BOUNDS: Final = ("\0", HIDDEN)
_IGNORED: Final = frozenset({"Cf", "Mn", "Me", "Cc"})
_LINE_ENDS: Final = "\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"
DASHES: Final = (
    "-\u058a\u05be\u1400\u1806\u2010\u2011\u2012\u2013\u2014\u2015\u2e17\u2e1a\u2e3a\u2e3b\u2e40\u2e5d\u301c"
    "\u3030\u30a0\ufe31\ufe32\ufe58\ufe63\uff0d\U00010ead"  # Unicode's category Pd
    "\u2053\u207b\u208b\u2212"  # and the rest of its property Dash
    "\u02d7\u2043\u2500\u2501\u2796\u2f00\u30fc\u3161\uff70一"  # typed or read for a dash
)
_BLANK: Final = "\u2800"
_LIKE_X: Final = "XxＸｘⅩⅹХхΧχ×✕✖"
_MARK: Final = "~"
_KEPT: Final = frozenset(".,、/:;+#%$!?。_*〇")
_BY_CATEGORY: Final = {
    "Pd": "-",
    "Ps": "(",
    "Pi": "(",
    "Pe": ")",
    "Pf": ")",
    "Sc": "$",
    "No": _MARK,
}
_SIGNS: Final = {**dict.fromkeys(DASHES, "-"), **dict.fromkeys(_LIKE_X, "X"), "№": "#"}
_SPELT: Final = {
    **dict.fromkeys("〇零○", "0"),
    **{character: f"{digit}" for digit, character in enumerate("一二三四五六七八九", 1)},
    **{character: f"{digit}" for digit, character in enumerate("壹贰叁肆伍陆柒捌玖", 1)},
    "幺": "1",
    **{
        chr(code): f"{unicodedata.digit(chr(code))}"
        for code in (0xB2, 0xB3, 0xB9, *range(0x2070, 0x2793))
        if unicodedata.digit(chr(code), None) is not None
    },
}
"""Characters that are digits only in a run of many (①, ², 三)."""
_FEW: Final = 7
_BETWEEN: Final = (  # where a run of such digits goes on: blanks, dashes, brackets, nothing seen
    rf"(?:[\s()（）\[\]［］【】〔〕{_BLANK}{re.escape(''.join(set(DASHES) - set(_SPELT)))}]"
    rf"|{IGNORABLE.pattern})"
)
SPELT_RUN: Final = re.compile(
    f"[{''.join(_SPELT)}](?:{_BETWEEN}{{0,4}}+[{''.join(_SPELT)}]){{{_FEW - 1},}}"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Folded:
    """A folded text, with the position of each character in the original."""

    text: str
    places: Sequence[int]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The span in the original text of `start` to `end` (exclusive) in the folded one."""
        return self.places[start], self.places[end - 1] + 1


def fold(text: str) -> Folded:
    """Fold a text for searching. NUL stays: no number extends over one."""
    spelt = SPELT_RUN.sub(_as_digits, text)
    folded = spelt.translate(_TABLE)
    if len(folded) == len(text):
        return Folded(text=folded, places=range(len(text)))
    return Folded(
        text=folded, places=[place for place, each in enumerate(spelt) if _TABLE[ord(each)]]
    )


def _as_digits(found: re.Match[str]) -> str:
    return "".join(_SPELT.get(each, each) for each in found[0])


class _Table(dict[int, str]):
    """Translation table, filled when a character is first met."""

    def __missing__(self, code: int) -> str:
        self[code] = folded = _folded(chr(code))
        return folded


def _folded(character: str) -> str:
    category = unicodedata.category(character)
    if character in _BOUNDS:
        return character
    if character in _LINE_ENDS:
        return "\n"
    if character.isspace() or character == _BLANK:
        return " "
    if category in _IGNORED or IGNORABLE.match(character):
        return ""
    if category == "Nd":
        return str(unicodedata.decimal(character))
    return _SIGNS.get(character) or _BY_CATEGORY.get(category) or _folded_form(character, category)


def _folded_form(character: str, category: str) -> str:
    """A letter or a mark of punctuation, in its compatibility form."""
    form = unicodedata.normalize("NFKC", character)
    sign = form[0] if len(form) == 1 or form[0].isalpha() else _MARK
    if sign.isascii() and sign.isalpha():
        return sign.upper()
    is_a_mark = category[0] in "PSNZ" and sign not in _KEPT
    return _MARK if is_a_mark else sign


_TABLE: Final = _Table()
