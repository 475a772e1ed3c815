"""Markdown page of the catalogue of questions, printed by `python -m verification.questions_page`."""

import sys
from collections.abc import Iterator
from typing import Final

from verification.catalogue import CATALOGUE_VERSION, QUESTIONS
from verification.question import Question

_HEAD: Final = """\
# The questions 核验项

Version {version}. Made by `make docs` from [the catalogue of questions](../../verification/catalogue.py):
change that, not this page.

Each is answered `yes`, `no` or `not_determined`; what is missing or not legible, a source that did not
answer, a question without the consent that it needs and a spent [budget](privacy.md) are all
`not_determined`. No question is a verdict on an enterprise. Records count only while they may be
disclosed ([clocks](clocks.md)). Published questions stay, and what they mean does not change.
"""


def markdown() -> str:
    """The whole page."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield _HEAD.format(version=CATALOGUE_VERSION).rstrip("\n")
    for each in QUESTIONS:
        yield from ("", f"## `{each.tag}`", "")
        yield from (f"**{each.title_zh}** {each.title_en}", "")
        yield from (each.meaning_zh, "", each.meaning_en, "")
        yield f"{_value(each)} {_consent(each)} Rests on {_codes(each.datasets)}."


def _value(each: Question) -> str:
    match each.value:
        case "none":
            return "Takes no value."
        case "one_of":
            values = ", ".join(f"`{value}`" for value in each.values)
            return f"Value{' (may be left out)' if each.optional else ''}: one of {values}."
        case "elements":
            return f"Value: an object of {_codes(tuple(one.name for one in each.elements))}."
        case _:
            return f"Value: a text{f', compared by `{each.normalisation}`' if each.normalisation else ''}."


def _consent(each: Question) -> str:
    if each.separate_consent is not None:
        giver = {"person": "of that person", "enterprise": "of the enterprise"}[
            each.separate_consent
        ]
        return f"Needs consent, and the separate consent {giver}."
    if each.needs_consent:
        return "Needs consent."
    return "Needs consent with a value." if each.value_needs_consent else "Needs no consent."


def _codes(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names)


if __name__ == "__main__":
    sys.stdout.write(markdown())
