"""Forms of delivered files in the data catalogue: names of columns, words for values, suspect amounts."""

import re
import unicodedata
from decimal import Decimal
from typing import Final

from gateway.creditfile.catalogue.parts import CataloguePart, Name, NonEmptyText
from verification.normalise import IGNORABLE

ANY_TEXT: Final = "…"
"""At the end of a value's alias: followed by any text."""
_INSIGNIFICANT: Final = re.compile(r"[\s*]+")
_BRACKETS: Final = str.maketrans("〔〕[]【】｛｝{}〈〉<>", "()()()()()()()")


def fold_name(name: str) -> str:
    """Name of a column or value without its width, blanks, kind of brackets, asterisks and case."""
    plain = unicodedata.normalize("NFKC", IGNORABLE.sub("", name))
    return _INSIGNIFICANT.sub("", plain).translate(_BRACKETS).casefold()


class YuanCheck(CataloguePart):
    """Check of an amount in 万元 that may have been delivered in yuan; a suspicion is a warning."""

    least: Decimal
    """A whole amount from which on it is suspicious, unless a text names it in 万."""
    texts: tuple[Name, ...] = ()
    """Free texts that name the amount: the same figure followed by 元 is suspicious at any size."""


class PassedOver(CataloguePart):
    """Rows that are passed over: a column, by its names, has one of `values`."""

    columns: tuple[NonEmptyText, ...]
    values: tuple[NonEmptyText, ...]


class DeliveryForms(CataloguePart):
    """Column names and words in the files that departments deliver, of every dataset."""

    uscc: tuple[NonEmptyText, ...] = ()
    """Names of the column with the enterprise's USCC."""
    ignored: tuple[NonEmptyText, ...] = ()
    """Columns that are known and not kept, where no field has that name."""
    empty_words: tuple[NonEmptyText, ...] = ()
    """Words for an empty cell."""
    passed_over: PassedOver | None = None
    """Rows of natural persons, who are no enterprises."""
