"""Names of a source's operators (经办人): their form, and whether two are the same person's. Pure.

A name is what the source says of its own staff beside its credentials. It is compared as clients' names
are (UTS #39): width, case, blanks, punctuation and look-alikes make no second person. Nor does leaving out
the name or the staff number: two are different persons where one of the two parts differs.
"""

import re
import unicodedata
from datetime import date
from typing import Final

from gateway.clients.confusable_names import has_other_letters, skeletons
from gateway.privacy.redaction import holds_personal_number

MAX_LENGTH: Final = 64
_DIGITS: Final = re.compile("[0-9]")
FORM: Final = (
    f"operator is the name or staff number of a person, of 1 to {MAX_LENGTH} characters: Latin "
    "letters, digits and Chinese characters; never an ID or phone number."
)


def parse_operator(typed: str, *, today: date) -> str | None:
    """The name as stored; `None` if it is none."""
    name = " ".join(unicodedata.normalize("NFKC", typed).split())
    plain = (
        0 < len(name) <= MAX_LENGTH
        and name.isprintable()
        and not has_other_letters(name)
        and not holds_personal_number((name,), today=today)
    )
    return name if plain and all(word for _, word in skeletons(name)) else None


def may_be_same(name: str, other: str) -> bool:
    """True if both names may be one person's; it may say so of two, and then a third must approve."""
    if _are_alike(name, other):
        return True
    parts = zip(_parts(name), _parts(other), strict=True)
    return all(_are_alike(part, theirs) for part, theirs in parts if part and theirs)


def _parts(name: str) -> tuple[str, str]:
    """The letters of a name, and its digits; empty without any."""
    word = _DIGITS.sub("", name)
    return word if any(map(str.isalpha, word)) else "", "".join(_DIGITS.findall(name))


def _are_alike(name: str, other: str) -> bool:
    return not skeletons(name).isdisjoint(skeletons(other))
