"""Prefilter: whether a text may hold a personal number; most do not and are never folded.

No false negatives. Each pattern begins with a set of characters, which is searched quickly.
"""

import re
from typing import Final

from gateway.privacy.number_finders.folding import DASHES, SPELT_RUN
from gateway.privacy.number_finders.keywords import CLUES

_A_DIGIT: Final = re.compile(r"\d")
# Characters other than ASCII, Han and usual marks, which folding may drop or make a digit.
_UNUSUAL: Final = re.compile(
    r"[^\t\n\r -*,-~\u3000-\u3029\u3030-\u303f\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff\0"
    r"·×÷°—–‘’“”…‰′″℃№①-⑳⑴-⒛²³¹！-＊，-／：-､]"
)
_HAN: Final = sorted({each[:2] for each in CLUES if not each.isascii()})
_LATIN: Final = [each for each in CLUES if each.isascii()]


def _written(letter: str) -> str:
    """The letter in either case, in half and in full width."""
    wide = chr(ord(letter) - ord("A") + ord("Ａ"))
    return f"{letter}{letter.lower()}{wide}{wide.lower()}"


def _spelt(word: str) -> str:
    return "".join(f"[{_written(each)}]" if each.isalpha() else r"\s" for each in word)


def _set_of(characters: str) -> str:
    return f"[{''.join(sorted(set(characters)))}]"


def _behind(initial: str) -> str:
    """Pattern of the rest of each word that begins with this letter."""
    rests = "|".join(_spelt(each[1:]) for each in _LATIN if each[0] == initial)
    return f"(?<=[{_written(initial)}])(?:{rests})(?![A-Za-z])"


_INITIALS: Final = sorted({each[0] for each in _LATIN})
_GAP: Final = rf"[\s{re.escape(DASHES)}]"
_OPENED, _CLOSED = r"[(（\[［【〔{《〈]", r"[)）\]］】〕}》〉]"
_A_WORD: Final = (
    re.compile(
        _set_of("".join(each[0] for each in _HAN))
        + _set_of("".join(each[1] for each in _HAN))
        + f"(?<={'|'.join(_HAN)})"
    ),
    re.compile(
        f"{_set_of(''.join(map(_written, _INITIALS)))}(?:{'|'.join(map(_behind, _INITIALS))})"
    ),
)
_SIGNS: Final = (
    *_A_WORD,
    re.compile(rf"0(?<![0-9]0)[0-9\s]{{2,6}}{_CLOSED}"),  # an area code in brackets
    re.compile(rf"86(?:{_CLOSED}?\s?{_OPENED}|{_GAP}{{0,2}}0?[0-9]{{2,3}}{_CLOSED})"),
    SPELT_RUN,
    _UNUSUAL,
)
_FIRST: Final = r"[0-9](?<![0-9][0-9])"
_MANY_DIGITS: Final = re.compile(
    rf"{_FIRST}(?:[0-9\s{re.escape(DASHES)}]{{9}}|[^A-Za-z\0\u4e01-\u9fff]{{16}})"
)
_IN_ONE_PIECE: Final = r"(?:(?<=0)[0-9]{9,15}+|(?<=1)[3-9][0-9]{9}|(?<=8)6[0-9]{9,12}+)(?![0-9])"
_IN_GROUPS: Final = rf"(?=[0-9]{{0,16}}+{_GAP})(?:{_GAP}{{0,8}}+[0-9]){{9}}"
_LONG: Final = r"(?:[^0-9A-Za-z\0\u4e01-\u9fff]{0,8}+[0-9]){16}"
_DIGITS: Final = re.compile(f"{_FIRST}(?:{_IN_ONE_PIECE}|{_IN_GROUPS}|{_LONG})")


def may_hold_word(text: str) -> bool:
    """True if a text may hold one of `keywords.CLUES`."""
    return any(each.search(text) is not None for each in _A_WORD)


def may_hold_number(text: str) -> bool:
    """True if a text may hold a personal number."""
    if _A_DIGIT.search(text) is None:
        return SPELT_RUN.search(text) is not None
    if _MANY_DIGITS.search(text) is not None and _DIGITS.search(text) is not None:
        return True
    for each in _SIGNS:  # noqa: SIM110  # a generator costs a third more
        if each.search(text) is not None:
            return True
    return False
