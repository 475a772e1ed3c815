"""Code blocks of a documentation page, in order: place, language, text, and why one is not run.

`<!-- not run: reason -->` directly before a block says that the tests do not run it.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.docs.pages import PARSER, without_comments

_MARK: Final = re.compile(r"<!-- not run:(.*?)-->\s*", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A fenced or indented block; `line` is that of its first line of code, from 1."""

    page: Path
    line: int
    section: int
    language: str
    code: str
    reason: str | None

    @property
    def content(self) -> tuple[str, str]:
        """Language and code without comments, which a translation may change."""
        return self.language, without_comments(self.language, self.code)


def blocks(page: Path) -> Sequence[Block]:
    """The blocks of a page."""
    found, section, before = list[Block](), 0, ""
    for token in PARSER.parse(page.read_text(encoding="utf-8")):
        section += token.type == "heading_open"
        if token.type in {"fence", "code_block"} and token.map is not None:
            mark = _MARK.fullmatch(before)
            found.append(
                Block(
                    page=page,
                    line=token.map[0] + (2 if token.type == "fence" else 1),
                    section=section,
                    language=token.info.strip(),
                    code=token.content,
                    reason=mark and mark[1].strip(),
                )
            )
        before = token.content if token.type == "html_block" else ""
    return found


def untranslated(original: Sequence[Block], twin: Sequence[Block]) -> list[Block]:
    """Blocks of a translation that its original does not have."""
    known = {each.content for each in original}
    return [each for each in twin if each.content not in known]
