"""The enterprise code (USCC) that a call is about, validated; personal ID numbers are refused."""

from typing import Any

from verification import EnterpriseCode, NotACode, Uscc, enterprise_code

CHECK_CHARACTER = "check_character"
"""Warning (wire name): the code is well formed, but its check character is wrong."""


def parse_subject(text: str) -> Uscc | None:
    """The code in `text`, normalised; `None` if it is not an enterprise's."""
    code = enterprise_code(text)
    return None if isinstance(code, NotACode) else code.uscc


def code_warnings(code: EnterpriseCode | NotACode | None) -> tuple[str, ...]:
    """Warnings on a code: from its characters alone, whether or not it exists."""
    return (CHECK_CHARACTER,) if isinstance(code, EnterpriseCode) and not code.check_agrees else ()


def with_warnings(document: dict[str, Any], warnings: tuple[str, ...]) -> dict[str, Any]:
    """`document` with these `warnings`, if there are any."""
    return {**document, "warnings": warnings} if warnings else document
