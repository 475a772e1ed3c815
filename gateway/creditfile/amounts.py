"""Amounts of money in words: records hold them in 万元 (10,000 units of a currency).

Chinese readers count in 万, and in 元 below one; English readers are told the whole number.
"""

import re
from decimal import Decimal
from functools import lru_cache
from typing import Final

from gateway.creditfile.code_names import code_name
from gateway.pages.i18n import Translated

YUAN: Final = "CNY"
UNKNOWN: Final = ""
"""Currency of an amount in units of the registered capital, where the record does not name it."""
_WAN: Final = 10_000
_CENT: Final = Decimal("0.01")
_IN_WAN: Final = ("（万元）", re.compile(r" \(10,000 (yuan|units)\)$"))
"""Endings, in Chinese and in English, of the catalogue's names of amounts in units of 10,000."""


def is_amount(name: Translated) -> bool:
    """True for the catalogue's name of a field that is an amount in 万元."""
    return name.zh.endswith(_IN_WAN[0])


def without_unit(name: Translated) -> Translated:
    """The name of a field, without the unit that its value has beside it."""
    return Translated(name.zh.removesuffix(_IN_WAN[0]), _IN_WAN[1].sub("", name.en))


def currency_of(name: Translated) -> str:
    """The currency of an amount by the name of its field."""
    return UNKNOWN if name.en.endswith("units)") else YUAN


@lru_cache(maxsize=1_024)
def amount_text(held: str, currency: str = YUAN) -> Translated:
    """An amount as held, in words: `3.15` is “3.15 万元” and “31,500 yuan”."""
    wan = Decimal(held)
    whole = (wan * _WAN).quantize(_CENT)
    unit = "元" if currency in {YUAN, UNKNOWN} else code_name("currency", currency).zh
    in_words = _plain(f"{whole:,}")
    zh = f"{_plain(f'{wan:f}')} 万{unit}" if abs(wan) >= 1 else f"{in_words} {unit}"
    en = {YUAN: f"{in_words} yuan", UNKNOWN: in_words}.get(currency, f"{currency} {in_words}")
    return Translated(zh, en)


def _plain(number: str) -> str:
    """Without trailing zeros behind the point."""
    return number.rstrip("0").rstrip(".") if "." in number else number
