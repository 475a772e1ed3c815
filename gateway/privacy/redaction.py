"""Masking of personal numbers in free text (R5): ID numbers, passports, permits, phone numbers.

ID numbers are residents', and of Hong Kong, Macao, Taiwan and foreigners; passports and permits are
found by a keyword beside them. The check character counts only where a number may be something else's.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from math import isqrt
from typing import Final

from gateway.privacy.number_finders import phones
from gateway.privacy.number_finders.documents import documents, documents_named_behind
from gateway.privacy.number_finders.folding import HIDDEN, fold
from gateway.privacy.number_finders.id_numbers import id_numbers, id_numbers_behind_digits
from gateway.privacy.number_finders.prefilter import may_hold_number, may_hold_word


class NumberKind(StrEnum):
    """Kind of a masked number (wire names)."""

    ID = "id"
    PHONE = "phone"


ID_NUMBER_MASK: Final = "（身份证号码已隐去）"
PHONE_MASK: Final = "（电话号码已隐去）"
_ENDING: Final = "已隐去）"
"""The end of every mask."""
_MASKS: Final = {NumberKind.ID: ID_NUMBER_MASK, NumberKind.PHONE: PHONE_MASK}
_A_MASK: Final = re.compile("|".join(map(re.escape, _MASKS.values())))
_SHOWN_ID: Final = re.compile(
    rf"(?:((?:公民身份|(?:居民)?身份证件?|证件|护照|通行证|居住证)(?:号码?)?)[：:为是\s]*)?{ID_NUMBER_MASK}"
)
_SHOWN_PHONE: Final = re.compile(
    rf"(?:((?:联系|移动|固定)?电话|手机)(?:号码?)?[：:为是\s]*)?{PHONE_MASK}"
)
_LIKE_A_CODE: Final = re.compile(r"(?<![0-9A-Za-z])[0-9A-Za-z]{18}(?![0-9A-Za-z])")
_MOST_ROUNDS: Final = 8
"""Masking a number may reveal the one beside it."""

_Finder = Callable[[str], Iterator[tuple[int, int]]]


_OF_DOCUMENTS: Final = ((NumberKind.ID, documents), (NumberKind.ID, documents_named_behind))
_BEHIND_WORDS: Final = (
    (NumberKind.PHONE, phones.behind_a_word),
    (NumberKind.PHONE, phones.behind_a_name),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Masking:
    """Position of a masked number in the original text, in code points."""

    kind: NumberKind
    start: int
    length: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ScannedText:
    """A masked text and its maskings."""

    text: str
    maskings: tuple[Masking, ...] = ()

    @property
    def id_numbers(self) -> int:
        """The number of masked ID, passport and permit numbers."""
        return sum(each.kind is NumberKind.ID for each in self.maskings)

    @property
    def phones(self) -> int:
        """The number of masked phone numbers."""
        return sum(each.kind is NumberKind.PHONE for each in self.maskings)


def scan(text: str, *, today: date | None = None) -> ScannedText:
    """Mask every personal number in `text`; idempotent.

    `today` decides which birthdays are recent (`number_finders.id_numbers`); without it none is.
    """
    if not may_hold_number(text):
        return ScannedText(text=text)
    maskings = _maskings(text, today)
    pieces, done = [], 0
    for each in maskings:
        pieces += [text[done : each.start], _MASKS[each.kind]]
        done = each.start + each.length
    return ScannedText(text="".join((*pieces, text[done:])), maskings=maskings)


def readable_masks(text: str) -> str:
    """A masked text for readers, each number named once: 身份证号［已隐去］, 联系电话［已隐去］.

    Stored, signed and delivered texts keep the masks of `scan`, which never change.
    """
    if _ENDING not in text:
        return text
    text = _SHOWN_ID.sub(lambda found: f"{_id_name(found[1])}［已隐去］", text)
    return _SHOWN_PHONE.sub(lambda found: f"{found[1] or '电话'}［已隐去］", text)


def may_hold_personal_number(texts: Iterable[str]) -> bool:
    """Fast check: whether one of `texts` may hold a personal number."""
    return may_hold_number("\0".join(texts))


def masked_texts(texts: Iterable[str], *, today: date) -> Mapping[str, str]:
    """Those of `texts` that hold a personal number, each with its masked form; fast where none does."""
    scanned = {text: scan(text, today=today) for text in _suspects(texts)}
    return {text: each.text for text, each in scanned.items() if each.maskings}


def holds_personal_number(texts: Iterable[str], *, today: date) -> bool:
    """True if `scan` masks anything in one of `texts`; fast for many texts without numbers."""
    return any(_maskings(each, today) for each in _suspects(texts))


def _suspects(texts: Iterable[str]) -> Iterator[str]:
    """Those of `texts` that may hold a personal number: looked for in all at once, then in ever fewer."""
    left = [list(texts)]
    while left:
        some = left.pop()
        if not may_hold_personal_number(some):
            continue
        if len(some) == 1:
            yield some[0]
        else:
            size = isqrt(len(some))
            left += (some[n : n + size] for n in range(0, len(some), size))


def for_logs(text: str) -> str:
    """`text` without personal numbers and without anything shaped like an enterprise's code."""
    return _LIKE_A_CODE.sub("(code)", scan(text).text)


def _id_name(word: str | None) -> str:
    return "身份证号" if word is None or "身份" in word else word


def _maskings(text: str, today: date | None) -> tuple[Masking, ...]:
    """Find the personal numbers in `text`, in order."""
    given = fold(_A_MASK.sub(lambda mask: HIDDEN * len(mask[0]), text))
    folded, found = given.text, dict[tuple[int, int], NumberKind]()
    by_themselves: tuple[tuple[NumberKind, _Finder], ...] = (
        (NumberKind.ID, lambda text: id_numbers(text, today=today)),
        (NumberKind.ID, lambda text: id_numbers_behind_digits(text, today=today)),
        (NumberKind.PHONE, phones.mobiles),
        (NumberKind.PHONE, phones.landlines),
        (NumberKind.PHONE, phones.abroad),
        (NumberKind.PHONE, phones.behind_another),
    )
    has_words = may_hold_word(folded)
    finders = (*_OF_DOCUMENTS, *by_themselves, *_BEHIND_WORDS) if has_words else by_themselves
    for _ in range(_MOST_ROUNDS):
        before = len(found)
        for kind, finder in finders:
            spans = list(finder(folded))
            found |= dict.fromkeys(spans, kind)
            folded = _hidden(folded, spans)
        if len(found) == before:
            break
    places = sorted((*given.span(*span), kind) for span, kind in found.items())
    return tuple(Masking(kind=kind, start=s, length=e - s) for s, e, kind in places)


def _hidden(folded: str, spans: list[tuple[int, int]]) -> str:
    pieces, done = [], 0
    for start, end in spans:
        pieces += [folded[done:start], HIDDEN * (end - start)]
        done = end
    return "".join((*pieces, folded[done:]))
