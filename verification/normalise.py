"""Normalisation of names (`names.v1`), addresses and ID numbers; idempotent.

Vectors: `vectors/names.json`. A changed rule is a new version. No step uses Unicode categories:
extensions H and I are unassigned in the tables of many systems, and their characters occur in names.
"""

import re
import unicodedata
from collections.abc import Callable
from functools import cache
from typing import Final

import opencc

from verification.gbk_private_use import ASSIGNED

NAMES_VERSION: Final = "names.v1"
DOCUMENT_NUMBERS: Final = "document_numbers.v1"
INDUSTRY_GROUPS: Final = "industry_groups.v1"

IGNORABLE: Final = re.compile(  # Unicode's Default_Ignorable_Code_Point: zero width, selectors
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3"
    "\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
_MOST_PASSES: Final = 8
"""Bound on the passes; known texts need two at most."""

COMMON: Final = re.compile("[\u4e00-\u9fff]*")
"""Fast path: a text of common Chinese characters only is its own strict form."""
_LONE_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_LOOKALIKES: Final = str.maketrans("〔〕【】（）•・‧⋅○", "()()()\u00b7\u00b7\u00b7\u00b7〇")
_NUMBER_SIGNS: Final = str.maketrans(
    {
        **dict.fromkeys("[{<〈《", "("),
        **dict.fromkeys("]}>〉》", ")"),
        **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212~", "-"),
    }
)
_SPACES: Final = re.compile(r"(?P<latin>(?<=[0-9a-z])\s+(?=[0-9a-z]))|\s+")
_INDUSTRY_GROUP: Final = re.compile(r"[A-T]?([0-9]{3})")
_ILLEGIBLE: Final = re.compile("[?*〓□\ufffd\u303e\u2ff0-\u2fff\ue000-\uf8ff\U000f0000-\U0010ffff]")


def strict_name(text: str) -> str:
    """A name in its strict form, as `match: strict` compares it.

    Steps: (1) private-use code points of GB 18030 to their assigned characters; (2) default
    ignorable characters removed; (3) NFKC; (4) case folding and NFKC; (5) brackets, dots and the
    circle; (6) white space removed, but one space kept between ASCII letters or digits. The steps
    are repeated until nothing changes, which almost always means once.
    """
    if COMMON.fullmatch(text):
        return text
    return until_stable(_one_pass, _LONE_SURROGATE.sub("\ufffd", text))


def loose_name(text: str) -> str:
    """A name in its loose form: the strict form in simplified characters.

    OpenCC `t2s`, repeated until nothing changes (薴 becomes 苧, and 苧 becomes 苎).
    """
    convert = _to_simplified().convert
    return until_stable(lambda form: strict_name(convert(form)), strict_name(text))


def normalise_address(text: str) -> str:
    """An address in its strict form: as a name, without spaces."""
    return until_stable(lambda form: strict_name("".join(form.split())), strict_name(text))


def normalise_document_number(text: str) -> str:
    """A document's number: as an address, with one kind of bracket and dash (`document_numbers.v1`)."""
    return until_stable(
        lambda form: normalise_address(form.translate(_NUMBER_SIGNS)), normalise_address(text)
    )


def normalise_industry_group(text: str) -> str:
    """The three digits of a group (中类) of GB/T 4754, without its section's letter; else blank."""
    group = _INDUSTRY_GROUP.fullmatch(normalise_id_number(text))
    return group[1] if group else ""


def normalise_id_number(text: str) -> str:
    """An ID number in its normal form: NFKC, upper case, no white space."""
    return "".join(text.upper().split()) if text.isascii() else until_stable(_one_id_pass, text)


def is_illegible(form: str) -> bool:
    """True where a form has a placeholder for a character that could not be written.

    Private-use characters of unknown meaning, 〓, □, `?`, `*` and described characters: forms that
    differ there may be the same name.
    """
    return _ILLEGIBLE.search(form) is not None


def until_stable(step: Callable[[str], str], form: str) -> str:
    """`form` after as many steps as change it, at most `_MOST_PASSES`."""
    for _ in range(_MOST_PASSES):
        again = step(form)
        if again == form:
            break
        form = again
    return form


def _one_pass(text: str) -> str:
    text = IGNORABLE.sub("", text.translate(ASSIGNED))
    text = unicodedata.normalize("NFKC", text).casefold()
    text = unicodedata.normalize("NFKC", text).translate(_LOOKALIKES)
    return _SPACES.sub(lambda run: " " if run["latin"] else "", text)


def _one_id_pass(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).upper().split())


@cache
def _to_simplified() -> opencc.OpenCC:
    """The OpenCC converter, built on first use; a conversion keeps no state."""
    return opencc.OpenCC("t2s")
