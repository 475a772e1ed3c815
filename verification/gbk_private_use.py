"""Private-use code points of GBK and GB 18030, and the characters that Unicode has since assigned.

Data from older systems has these code points; each means one character. Sources, checked in the tests
against an independent table of the same encoding:

- the 18 swaps of GB 18030-2022 against GB 18030-2005 (8 ideographs, 10 vertical forms; Unicode
  L2/23-003R), and the 6 ideographs of row 0xFE whose private doubles that edition retired;
- GB 18030-2005 against -2000: U+1E3F;
- GB 18030-2000 against GBK 1.0: the rest of row 0xFE (components and extension A), U+01F9, the
  euro sign, and the ideographic description characters.
"""

from typing import Final

_ROW_FE: Final = (  # U+E815 to U+E864: GBK 0xFE50 to 0xFEA0, without 0xFE7F
    "⺁\U00020087\U00020089\U000200cc⺄㑳㑇⺈⺋\u9fb4㖞㘚㘎⺌⺗㥮㤘\u9fb5㧏㧟㩳㧐\u9fb6\u9fb7㭎㱮"
    "㳠⺧\U000215d7\u9fb8⺪䁖䅟⺮䌷⺳⺶⺷\U0002298f䎱䎬⺻䏝䓖䙡䙌\u9fb9䜣䜩䝼䞍⻊䥇䥺䥽䦂䦃䦅䦆䦟"
    "䦛䦷䦶\u9fba\U000241fe䲣䲟䲠䲡䱷䲢䴓䴔䴕䴖䴗䴘䴙䶮\u9fbb"
)
_VERTICAL_FORMS: Final = (  # U+E78D to U+E796; the second and third were swapped
    "\ufe10\ufe12\ufe11\ufe13\ufe14\ufe15\ufe16\ufe17\ufe18\ufe19"
)
_DESCRIPTION: Final = "\u303e⿰⿱⿲⿳⿴⿵⿶⿷⿸⿹⿺⿻"  # U+E7E7 to U+E7F3


def _run(first: int, characters: str) -> dict[int, str]:
    return {first + i: character for i, character in enumerate(characters)}


ASSIGNED: Final[dict[int, str]] = {
    0xE76C: "€",
    **_run(0xE78D, _VERTICAL_FORMS),
    0xE7C7: "\u1e3f",
    0xE7C8: "\u01f9",
    **_run(0xE7E7, _DESCRIPTION),
    **_run(0xE815, _ROW_FE),
}
"""Private code point → assigned character; the shape that `str.translate` takes."""
