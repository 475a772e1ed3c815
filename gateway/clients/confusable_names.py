"""Confusable client names (UTS #39): whether two look alike on a consent page. Pure.

A name is folded as enterprise names are in their loose form (NFKC, case, brackets, traditional
characters), and further: blanks, marks and punctuation are dropped, radicals become ideographs, and
look-alikes one character. It may fold too much: a match only refuses a registration.
"""

import re
import unicodedata
from functools import lru_cache
from typing import Final

from verification.normalise import loose_name
from verification.radicals import EQUIVALENT

# Latin letters (with marks) and Han are accepted: letters of other scripts look like them (UTS #39).
_LAST_LATIN: Final = "\u017f"
_HAN: Final = re.compile("[\u3005\u3007\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003ffff]")
_DASH: Final = re.compile(r"[-\u2010-\u2015\u2212\u2500\u2501\u4e00\u30fc]")
_AS_WRITTEN: Final = str.maketrans("Il|O", "1110")
_IN_ANY_CASE: Final = str.maketrans("lo", "10")
_LETTERS: Final = str.maketrans(
    {"ı": "i", "ł": "l", "ø": "o", "đ": "d", "ð": "d", "ħ": "h", "ŧ": "t", "æ": "ae", "œ": "oe"}
)
_IDEOGRAPHS: Final = str.maketrans("曰囗已巳未士戌戍〇", "日口己己末土戊戊0")


def has_other_letters(name: str) -> bool:
    """True if a name has a letter or digit other than Latin, Han and 0 to 9."""
    plain = unicodedata.normalize("NFD", unicodedata.normalize("NFKC", name))
    return any(each.isalnum() and each > _LAST_LATIN and not _HAN.match(each) for each in plain)


@lru_cache(maxsize=4_096)
def skeletons(name: str) -> frozenset[tuple[str, str]]:
    """The folded forms of a name; two names are confusable if they share one."""
    plain = unicodedata.normalize("NFKC", name.translate(EQUIVALENT))
    return frozenset(
        {
            ("as written", _word(plain.translate(_AS_WRITTEN))),
            ("in any case", _word(plain.casefold().translate(_IN_ANY_CASE))),
            ("dashes", _word(_DASH.sub("一", plain).casefold().translate(_IN_ANY_CASE))),
        }
    )


def _word(text: str) -> str:
    """The letters and digits of a text, folded."""
    bare = unicodedata.normalize("NFD", loose_name(text)).translate(_LETTERS)
    kept = "".join(each for each in bare if each.isalnum() or _HAN.match(each))
    return kept.translate(_IDEOGRAPHS).replace("rn", "m").replace("vv", "w")
