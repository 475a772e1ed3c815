"""Markup of public pages that is the same on many of them, made once."""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final

from markupsafe import Markup

from gateway.codes.public_page.sections import Section
from gateway.pages.i18n import Language
from gateway.pages.translated_templates import marked

_ICON: Final = Markup(
    '<svg viewBox="0 0 24 24" width="24" height="24" aria-hidden="true" focusable="false">'
    '<path d="{}" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" '
    'stroke-linejoin="round"/></svg>'
)
ICONS: Final[Mapping[str, Markup]] = {
    name: _ICON.format(path)
    for name, path in {
        "alert": "M12 3 2 21h20zM12 10v5M12 17.5v1",
        "notice": "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM12 7v6M12 16v1",
        "unknown": (
            "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM9.5 9.500a2.500 2.500 0 1 1 3.500 2.300"
            "c-.7.3-1 .8-1 1.500v.7M12 16.5v.5"
        ),
        "ended": "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM8.500 8.500l7 7M15.500 8.500l-7 7",
        "ok": "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM8 12.500l3 3 5-6",
    }.items()
}
"""Icons of the status line: each says in its shape what its colour says."""

PROPERTIES: Final[Mapping[str, Markup]] = {
    "uscc": Markup(' class="code" itemprop="taxID"'),
    "established_on": Markup(' itemprop="foundingDate"'),
    "address": Markup(' itemprop="address"'),
}
"""Attributes of values of the registration, as microdata of a schema.org `Organization`."""
_TERM: Final = Markup("<div><dt>{}</dt><dd{}>")
_EMPTY: Final = Markup('<li class="none">\n<h3><span>{}</span></h3>\n<p>{}</p>\n</li>\n')


def term(label: str, attributes: Markup | str = "") -> str:
    """The label of a field, up to its value with these attributes."""
    return str(_TERM.format(label, attributes))


def empty_items(sections: Iterable[Section], language: Language) -> Markup:
    """The items of datasets in which nothing is found."""
    return marked("".join([_empty_item(each, language) for each in sections]))


@lru_cache(maxsize=1_024)
def _empty_item(section: Section, language: Language) -> Markup:
    """One of them; a minute's pages have the same few."""
    return _EMPTY.format(section.name.text(language), section.statement.text(language))
