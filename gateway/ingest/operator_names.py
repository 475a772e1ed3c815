"""Names of a source's operators (经办人): their form, and whether two are the same person's. Pure.

A name is what the source says of its own staff beside its credentials. It is compared as clients' names
are (UTS #39): width, case, blanks, punctuation and look-alikes make no second person.
"""

import unicodedata
from datetime import date
from typing import Final

from gateway.clients.confusable_names import has_other_letters, skeletons
from gateway.privacy.redaction import holds_personal_number

MAX_LENGTH: Final = 64
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
    return not skeletons(name).isdisjoint(skeletons(other))
