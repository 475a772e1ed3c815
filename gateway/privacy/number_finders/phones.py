"""Finds phone numbers: mobiles, landlines with area code, foreign ones, and those after a keyword (电话).

Business numbers (400, 800) and short ones (12345) are not personal. Phones have no check character, so
only spaces, dashes and brackets may separate digits, and the context decides.
"""

import re
from collections.abc import Callable, Iterator
from datetime import date
from typing import Final

from gateway.privacy.number_finders.keywords import DATED, MONEY, PHONE, SERIAL, UNIT

_GAP: Final = r"[ \n\-]{0,4}"
_86: Final = r"\+?(?:00)?86"
_COUNTRY: Final = rf"(?:(?:\({_86}{_GAP}\)|{_86}){_GAP})"
_EXTENSION: Final = (
    r"(?P<extension>(?:[ \-]?(?:转|轉|分机|EXT\.?|[#*])[ ]?(?:分机)?|-)[0-9]{1,6}(?![0-9]))?"
)
_MOBILE: Final = re.compile(
    rf"(?<![0-9])(?=[(+0-9]){_COUNTRY}?(?:\(0\)|0)?{_GAP}"
    rf"(?P<own>1{_GAP}[3-9](?:{_GAP}[0-9]){{9}})(?![0-9])"
)
_AREA: Final = rf"(?:1{_GAP}0|2{_GAP}[0-9]|[3-9]{_GAP}[0-9]{_GAP}[0-9])"
# The area code, with its 0 or behind the country's, in brackets or not.
_LANDLINE: Final = re.compile(
    rf"(?<![0-9])(?=[(+0-9])(?:{_COUNTRY}?(?:\((?P<a>0{_GAP}{_AREA}){_GAP}\)|(?P<b>0{_GAP}{_AREA}))"
    rf"|\({_COUNTRY}(?P<c>0?{_AREA})\)"
    rf"|{_COUNTRY}(?:\(0\){_GAP})?(?:\((?P<d>{_AREA})\)|(?P<e>{_AREA})))"
    rf"(?P<mark>{_GAP})(?P<own>[2-9](?:{_GAP}[0-9]){{6,7}})(?![0-9]){_EXTENSION}"
)
_ABROAD: Final = re.compile(
    rf"(?<![0-9A-Z])\+(?:(?:852|853|886){_GAP}[0-9](?:{_GAP}[0-9]){{7,8}}"
    rf"|[1-9][0-9]{{0,2}}(?:{_GAP}\([0-9]{{1,4}}\){_GAP}|[ \-])[0-9](?:{_GAP}[0-9]){{6,11}})(?![0-9])"
)
_BESIDE: Final = (
    r"(?:[ \n\-.,、/:;~*()]|\ufffc++|号码|號碼|[号號]|方式|[为為是系人]|分别|本机|办公|单位|公司|家庭|个人"
    r"|本人"
    rf"|如下|NO|NUMBER|{PHONE})"
)
_AFTER_WORD: Final = re.compile(rf"(?:{PHONE}){_BESIDE}{{0,16}}(?=[0-9])")
_AFTER_NAME: Final = re.compile(
    r"(?:联系|聯繫)(?:人|方式)?[ :为是]{0,2}[\u4e00-\u9fff]{1,5}[ ,:(]{0,2}(?=[0-9])"
)
_ANOTHER: Final = re.compile(r"[ \n]?(?:[、,;/~]|及|和|与|或|转)[ \n]?(?=[0-9])")
_BEHIND_ANOTHER: Final = re.compile(r"\ufffc[ ]?(?:[/、]|或)[ ]?(?=[2-9][0-9])")
_LOCAL: Final = re.compile(r"[2-9][0-9]{6,7}")
_WITH_MARKS: Final = re.compile(
    r"(?:1[3-9][0-9][./·_~][0-9]{4}[./·_~][0-9]{4}|0[0-9]{2,3}[./、,_~][ ]?[2-9][0-9]{6,7}"
    r"|[2-9][0-9]{2,3}[.·_~][0-9]{4})(?![0-9])"
)
_PIECE: Final = re.compile(r"[ \n\-()]{0,3}([0-9]++)(?![年月日:])")
_GROUPS: Final = re.compile(r"[0-9]+")
_WINDOW: Final = 30
_A_LETTER: Final = re.compile(r"[^\W\d_]")
_WORD_BESIDE: Final = re.compile(rf"(?:{PHONE}){_BESIDE}{{0,16}}$")
_SERIAL_BESIDE: Final = re.compile(
    rf"(?:{SERIAL})(?:[ :.#()~为是号码]|编号|代码|NO|[A-Z]{{1,4}}){{0,6}}$"
)
_MONEY_BESIDE: Final = re.compile(rf"(?:{MONEY})[ :()为是约共计达$]{{0,4}}$")
_AMOUNT_GOES_ON: Final = re.compile(rf"(?:\.[0-9]{{1,6}})?[ ]?(?:{UNIT})|\.[0-9]{{2,6}}(?![0-9])")
_FRACTION: Final = re.compile(r"(?:(?<![0-9])0|[0-9]{3})\.$")
_KIND_OF_NUMBER: Final = re.compile(rf"(?P<phone>{PHONE})|(?:{DATED})")
_CLAUSE_ENDS: Final = re.compile(r"[。;!?\n\0\ufffc]")
_GOES_ON_BEFORE: Final = re.compile(r"[0-9][ \n\-]{1,4}$")
_GOES_ON_BEHIND: Final = re.compile(r"[ \n\-]{1,4}[0-9]")
_IN_PAIRS: Final = [3, 2, 2, 2, 2]
_USUAL: Final = [3, 4, 4]
_LESS_USUAL: Final = ([4, 3, 4], [4, 4, 3], [7, 4])
_ISO_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_FEWEST, _MOST = 7, 15

Spans = Iterator[tuple[int, int]]
Match = re.Match[str]


def mobiles(text: str) -> Spans:
    """Spans (start, end exclusive) of mobile numbers."""
    return _accepted(_MOBILE, text, _is_mobile)


def landlines(text: str) -> Spans:
    """Spans of numbers with an area code, extension included."""
    return _accepted(_LANDLINE, text, _is_landline)


def abroad(text: str) -> Spans:
    """Spans of numbers with + and another country's code."""
    return _accepted(_ABROAD, text, lambda found: not _is_amount(found))


def behind_a_word(text: str) -> Spans:
    """Spans of other numbers of seven digits or more after a phone keyword."""
    for word in _AFTER_WORD.finditer(text):
        yield from _list_from(text, word.end())


def behind_a_name(text: str) -> Spans:
    """Spans of local numbers after 联系人 and a name."""
    for word in _AFTER_NAME.finditer(text):
        yield from _local_number(text, word.end())


def behind_another(text: str) -> Spans:
    """Spans of local numbers after a found number and a slash or 或."""
    for separator in _BEHIND_ANOTHER.finditer(text):
        yield from _local_number(text, separator.end())


def _local_number(text: str, start: int) -> Spans:
    """The local number at `start`, if there is one: seven or eight digits, and no date."""
    end = _any_number(text, start)
    digits = _digits_of(text[start:end])
    if end is not None and _LOCAL.fullmatch(digits) and not _is_a_day(digits):
        yield start, end


def _accepted(pattern: re.Pattern[str], text: str, is_one: Callable[[Match], bool]) -> Spans:
    place = 0
    while (found := pattern.search(text, place)) is not None:
        if is_one(found):
            yield found.span()
            place = found.end()
        else:
            place = found.start() + 1


def _is_mobile(found: Match) -> bool:
    groups = _groups_of(found["own"])
    if _word_is_beside(found):
        return True
    if len(groups) > 1 and not _is_grouped_as_a_mobile(found, groups):
        return False
    is_whole = len(_groups_of(found[0])) == 1
    return not (_is_amount(found) or (is_whole and _is_before(_SERIAL_BESIDE, found)))


def _is_grouped_as_a_mobile(found: Match, groups: list[str]) -> bool:
    """True if a mobile's grouping is plausible; most count only if no other group of digits adjoins."""
    lengths = list(map(len, groups))
    if lengths == _USUAL:
        return True
    has_a_year = any(_is_a_year(each) for each in groups)
    goes_on = _is_before(_GOES_ON_BEFORE, found) or _GOES_ON_BEHIND.match(found.string, found.end())
    if lengths in _LESS_USUAL:
        return not (has_a_year and (goes_on or found.string.startswith("年", found.end())))
    is_spelt = max(lengths) == 1 or lengths == _IN_PAIRS
    if has_a_year or not (max(lengths) > len("138") or is_spelt):
        return False  # days; sizes, and thousands
    return not goes_on or (lengths[0] == len("138") and min(lengths) > 1)


def _is_landline(found: Match) -> bool:
    bracketed = found["a"] or found["c"] or found["d"]
    area = bracketed or found["b"] or found["e"]
    groups = _groups_of(f"{area}{')' if bracketed else found['mark']}{found['own']}")
    first, length = len(groups[0]), len(_digits_of(area))
    if not (first == length or first > length + 2 or max(map(len, groups)) == 1):
        return False  # "05-21 12345678" is a day, and something else
    if _word_is_beside(found):
        return True
    own = _groups_of(found["own"])
    if len(own) > 1 and _is_a_year(own[0]) and [len(each) for each in own] != [4, 4]:
        return False
    if _is_a_day(_digits_of(found["own"])) and not _may_be_a_phone_with_a_day(found):
        return False
    is_whole = len(_groups_of(found[0])) == 1
    return not (_is_amount(found) or (is_whole and _is_before(_SERIAL_BESIDE, found)))


def _may_be_a_phone_with_a_day(found: Match) -> bool:
    """True if the last keyword before it in its clause means a phone; also if there is none."""
    before = found.string[max(0, found.start() - _WINDOW) : found.start()]
    words = list(_KIND_OF_NUMBER.finditer(_CLAUSE_ENDS.split(before)[-1]))
    return words[-1]["phone"] is not None if words else not found["extension"]


def _list_from(text: str, start: int) -> Spans:
    """Spans of a list of numbers, separated by commas or 或."""
    while (end := _any_number(text, start)) is not None:
        yield start, end
        following = _ANOTHER.match(text, end)
        if following is None:
            return
        start = following.end()


def _any_number(text: str, start: int) -> int | None:
    """The end of the number at `start`, if it has a phone's length and is no amount."""
    marked = _WITH_MARKS.match(text, start)
    end = marked.end() if marked else _end_of_pieces(text, start)
    digits = _digits_of(text[start:end])
    if not _FEWEST <= len(digits) <= _MOST or _AMOUNT_GOES_ON.match(text, end):
        return None
    is_a_business = len(digits) == len("4008008888") and digits.startswith(("400", "800"))
    return None if is_a_business or _ISO_DAY.fullmatch(text, start, end) else end


def _end_of_pieces(text: str, start: int) -> int:
    """The end of the digit groups up to seven digits, and of a short one after them that is no year."""
    length, end = 0, start
    while piece := _PIECE.match(text, end):
        goes_on = len(piece[1]) <= len("8888") and length + len(piece[1]) <= len("85288886666")
        if length >= _FEWEST and (not goes_on or _is_a_year(piece[1]) or "\n" in piece[0]):
            break
        length, end = length + len(piece[1]), piece.end()
    return end


def _is_amount(found: Match) -> bool:
    return (
        _AMOUNT_GOES_ON.match(found.string, found.end()) is not None
        or _is_before(_MONEY_BESIDE, found)
        or _is_before(_FRACTION, found)
    )


def _word_is_beside(found: Match) -> bool:
    return _is_before(_A_LETTER, found) and _is_before(_WORD_BESIDE, found)


def _is_before(pattern: re.Pattern[str], found: Match) -> bool:
    """True if `pattern` matches right before `found`."""
    start = found.start()
    return pattern.search(found.string[max(0, start - _WINDOW) : start]) is not None


def _groups_of(number: str) -> list[str]:
    return _GROUPS.findall(number)


def _digits_of(number: str) -> str:
    return "".join(_groups_of(number))


def _is_a_year(group: str) -> bool:
    return len(group) == len("2026") and group[:2] in {"19", "20"}


def _is_a_day(digits: str) -> bool:
    if len(digits) != len("20260105") or not _is_a_year(digits[:4]):
        return False
    try:
        date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return False
    return True
