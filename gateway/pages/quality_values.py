"""Quality values of negotiation headers: members of a list with their weights (RFC 9110 §12.4.2). Pure."""

import re
from typing import Final

MAX_HEADER: Final = 1_000
_WEIGHT: Final = re.compile(r"q=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)", re.ASCII)


def quality_values(header: str) -> list[tuple[str, float]]:
    """Each member of the header, in lower case with its parameters; a malformed weight is 0."""
    found = []
    for item in header[:MAX_HEADER].lower().split(","):
        *parts, last = (part.strip() for part in item.split(";"))
        weight = _WEIGHT.fullmatch(last)
        is_weighted = bool(parts) and last.startswith("q")
        value = (float(weight[1]) if weight else 0.0) if is_weighted else 1.0
        name = ";".join(parts if is_weighted else [*parts, last])
        if name:
            found.append((name, value))
    return found
