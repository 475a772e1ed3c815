"""Sentences about the wrong members of a request: place, and what to give instead.

Made from the errors of pydantic, without its own words: never a value, and no personal number in a name.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from gateway.privacy.redaction import scan

# By pydantic's type of error; the members are those of its context.
_SENTENCES: Final[Mapping[str, str]] = {
    "missing": "is required",
    "extra_forbidden": "is not known here",
    "string_type": "give a text",
    "string_too_short": "give at least {min_length} characters",
    "string_too_long": "give at most {max_length} characters",
    "string_pattern_mismatch": "give a text of the form {pattern}",
    "list_type": "give a list",
    "tuple_type": "give a list",
    "too_short": "give at least {min_length} items",
    "too_long": "give at most {max_length} items",
    "model_type": "give an object",
    "model_attributes_type": "give an object",
    "dict_type": "give an object",
    "bool_type": "give true or false",
    "bool_parsing": "give true or false",
    "int_type": "give a whole number",
    "int_parsing": "give a whole number",
    "int_from_float": "give a whole number",
    "float_type": "give a number",
    "float_parsing": "give a number",
    "finite_number": "give a number",
    "greater_than": "give more than {gt}",
    "greater_than_equal": "give {ge} or more",
    "less_than": "give less than {lt}",
    "less_than_equal": "give {le} or less",
    "literal_error": "give {expected}",
    "enum": "give {expected}",
    "value_error": "{error}",
}
LONGEST_NAME: Final = 64
LONGEST_SCANNED: Final = 200
LOOKED_AT: Final = 20
"""Errors read for each place that is told: a body may have as many as it has bytes."""
_TYPES: Final = {
    "string_type",
    "list_type",
    "tuple_type",
    "model_type",
    "model_attributes_type",
    "dict_type",
}
_BRANCH: Final = re.compile(
    r"[A-Z]\w*|(?:constrained|function|lax-or-strict|is-instance)\b.*|.*\[.*"
)
"""Part of an error's place that names a branch of a union, no member: members begin with a small letter."""


def invalid_members(
    errors: Sequence[Mapping[str, Any]], *, most: int, root: str | None = None
) -> str:
    """`place: what to give` of the first `most` places, joined by semicolons; `root` is not named."""
    found: dict[str, dict[str, bool]] = {}
    for each in errors[: LOOKED_AT * most]:
        place = _place([part for part in each["loc"] if part != root], each["type"])
        found.setdefault(place, {})[_sentence(each)] = each["type"] in _TYPES
    # An object that is wrong within a union: the text that it could have been is of no help.
    inner = {
        place
        for place, said in found.items()
        if all(said.values()) and any(other.startswith(f"{place}.") for other in found)
    }
    told = [
        f"{place or 'body'}: {' or '.join(said)}"
        for place, said in found.items()
        if place not in inner
    ]
    return "; ".join(told[:most])


def shown_name(text: str) -> str:
    """The caller's own name of something: its beginning, without personal numbers."""
    return scan(text[:LONGEST_SCANNED]).text[:LONGEST_NAME]


def _place(parts: Sequence[str | int], error_type: str) -> str:
    """`questions[0].value`; the last part of an unknown member is the caller's own text, and masked."""
    text = ""
    for number, part in enumerate(parts, start=1):
        is_own_text = error_type == "extra_forbidden" and number == len(parts)
        if isinstance(part, int):
            text += f"[{part}]"
        elif is_own_text or not _BRANCH.fullmatch(part):
            name = shown_name(part)
            text += f".{name}" if text else name
    return text


def _sentence(error: Mapping[str, Any]) -> str:
    template = _SENTENCES.get(error["type"])
    if template is None:
        return str(error["msg"])
    context = error.get("ctx") or {}
    return template.format(**{name: str(value) for name, value in context.items()})
