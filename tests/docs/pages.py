"""Outline of a documentation page (GitHub's Markdown): sections with code, tables, links and figures."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT: Final = Path(__file__).parents[2]
DOCS: Final = ROOT / "docs"
CHINESE: Final = DOCS / "zh"
GENERATED: Final = "Made by `make docs`"
COMMENTS: Final[Mapping[str, str]] = {"sql": "--", "js": "//", "java": "//", "go": "//"}
LITERAL: Final = frozenset({"json", "csv"})
PARSER: Final = MarkdownIt("commonmark").enable("table")
_FIGURE: Final = re.compile(r"(?<![A-Za-z0-9_])[0-9]+(?:[.,:-][0-9]+)*")


@dataclass(slots=True, kw_only=True)
class Section:
    """A heading and what stands below it, up to the next heading."""

    level: int
    title: str
    anchor: str
    code: list[tuple[str, str]] = field(default_factory=list)
    tables: list[list[int]] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    names: set[str] = field(default_factory=set)
    figures: Counter[str] = field(default_factory=Counter)


def without_comments(language: str, code: str) -> str:
    """The code of a block; its comments and the blanks before them are removed."""
    if language in LITERAL:
        return code
    mark = re.escape(COMMENTS.get(language, "#"))
    lines = (re.sub(rf"(^|\s+){mark}(\s.*)?$", "", line).rstrip() for line in code.splitlines())
    return "\n".join(line for line in lines if line)


@cache
def sections(page: Path) -> Sequence[Section]:
    """The sections of a page; the first has level 0 where text stands before any heading."""
    seen: Counter[str] = Counter()
    found = [Section(level=0, title="", anchor="")]
    tokens = PARSER.parse(page.read_text(encoding="utf-8"))
    for place, token in enumerate(tokens):
        if token.type == "heading_open":
            title = _text(tokens[place + 1])
            found.append(
                Section(level=int(token.tag[1:]), title=title, anchor=_anchor(title, seen))
            )
        _enter(token, found[-1])
    return found


@cache
def anchors(page: Path) -> frozenset[str]:
    """The fragments that a link to a page can name: its headings and its `<a id="…">`."""
    written = re.findall(r'<a id="([^"]+)">', page.read_text(encoding="utf-8"))
    return frozenset({*(each.anchor for each in sections(page)), *written})


def pairs() -> Iterator[tuple[Path, Path]]:
    """Each page for departments, operators, banks and citizens, and its Chinese twin's place."""
    for page in sorted(
        [
            DOCS / "index.md",
            *(DOCS / "operate").glob("*.md"),
            *(DOCS / "integrate").glob("*.md"),
            *(DOCS / "understand").glob("*.md"),
        ]
    ):
        if GENERATED not in page.read_text(encoding="utf-8"):
            yield page, CHINESE / page.relative_to(DOCS)


def _anchor(title: str, seen: Counter[str]) -> str:
    base = re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
    seen[base] += 1
    return base if seen[base] == 1 else f"{base}-{seen[base] - 1}"


def _text(inline: Token) -> str:
    return "".join(each.content for each in inline.children or ())


def _enter(token: Token, section: Section) -> None:
    if token.type == "fence":
        section.code.append((token.info, without_comments(token.info, token.content)))
    elif token.type == "table_open":
        section.tables.append([])
    elif token.type == "tr_open":
        section.tables[-1].append(0)
    elif token.type in {"th_open", "td_open"}:
        section.tables[-1][-1] += 1
    for part in token.children or ():
        if part.type == "link_open":
            section.links.append(str(part.attrs["href"]))
        elif part.type == "image":
            section.links.append(str(part.attrs["src"]))
        elif part.type == "code_inline":
            section.names.add(part.content)
        elif part.type == "text":
            section.figures.update(each.replace(",", "") for each in _FIGURE.findall(part.content))
