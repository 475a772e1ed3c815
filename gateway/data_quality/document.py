"""A document of headings, paragraphs, tables and lists in one language, for page and PDF."""

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.pages.i18n import Language


@dataclass(frozen=True, slots=True, kw_only=True)
class TableOf:
    """A table; its last `figures` columns are numbers."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    figures: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ListOf:
    """A heading and its numbered items, each with what is asked."""

    title: str
    entries: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A section: paragraphs, then a table, then lists."""

    title: str
    paragraphs: Sequence[str] = ()
    table: TableOf | None = None
    lists: Sequence[ListOf] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A bulletin in one language."""

    language: Language
    title: str
    subtitle: str
    sections: Sequence[Section]
