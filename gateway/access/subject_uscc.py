"""Of whom a call speaks: an enterprise, by its code. A person's number is never taken for one."""

from typing import Any

from gateway.access.errors import InvalidUsccError
from verification import EnterpriseCode, NotACode, Uscc, enterprise_code

CHECK_CHARACTER = "check_character"
"""A wire name: the code is well formed, and its last character does not fit the others."""


def subject_of(text: str) -> Uscc | InvalidUsccError:
    """The code in `text`, in its normal form, or the error that it is none."""
    code = enterprise_code(text)
    return InvalidUsccError() if isinstance(code, NotACode) else code.uscc


def warnings_of(text: object) -> list[str]:
    """What is to be said of a code that was asked about, whoever has it: it tells nothing of anybody."""
    code = enterprise_code(text) if isinstance(text, str) else None
    return [CHECK_CHARACTER] if isinstance(code, EnterpriseCode) and not code.check_agrees else []


def with_warnings(document: dict[str, Any], uscc: str) -> dict[str, Any]:
    """An answer about this code, with its `warnings`, if there are any."""
    warnings = warnings_of(uscc)
    return {**document, "warnings": warnings} if warnings else document
