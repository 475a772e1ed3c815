"""Python blocks of the SDK's pages, each page as one program for a type checker."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
#: What a bank has of its own in docs/integrate/bank.md.
_OF_THE_BANK: Final = """
from typing import Any
flows: dict[tuple[str, str], str] = {}
session_id = callback_url = ""
last_cursor: str | None = None
def redirect_to(url: str) -> None: ...
def delete(*_: Any) -> None: ...
def stop_using(*_: Any) -> None: ...
def close_credit_line(_: str) -> None: ...
"""
#: Pages, each with what its reader has already.
PAGES: Final = {
    "docs/integrate/bank.md": _OF_THE_BANK,
    "sdk/README.md": "",
    "README.md": 'import xinqiao\nUSCC = "91330106MAHD08319M"\n',
}


def program_of(page: str) -> str:
    """All Python blocks of a page, in order."""
    blocks = re.findall(
        r"```python\n(.*?)```", (ROOT / page).read_text(encoding="utf-8"), re.DOTALL
    )
    assert blocks
    return "\n".join([PAGES[page], *blocks])
