"""A partnership's managing partner with its appointed representative (委派代表), as registers write them.

Where a firm manages a partnership, the register names both in one text: 甲公司(委派代表:张三).
"""

import re
from typing import Final

_APPOINTED: Final = re.compile(r"(?P<partner>.+)\(委派代表:(?P<person>[^()]+)\)")


def names_within(form: str) -> tuple[str, str, str]:
    """A strict form, its managing partner and its representative; thrice the form where it has none."""
    found = _APPOINTED.fullmatch(form)
    return (form, form, form) if found is None else (form, found["partner"], found["person"])
