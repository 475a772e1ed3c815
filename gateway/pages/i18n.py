"""Chinese first, English second: a page is in Chinese until its reader asks for English."""

from collections.abc import Mapping
from typing import Final, Literal, NamedTuple

Language = Literal["zh", "en"]

COOKIE: Final = "xinqiao-lang"
A_YEAR: Final = 365 * 24 * 3600


class Translated(NamedTuple):
    """The same words in both languages."""

    zh: str
    en: str

    def to(self, language: Language) -> str:
        """These words in `language`."""
        return self.en if language == "en" else self.zh

    @property
    def tone(self) -> str:
        """How a notice in these words is coloured; as good news, unless it says otherwise."""
        return ""


class Undone(Translated):
    """Words that say that nothing was done: no notice in the colour of good news."""

    __slots__ = ()

    @property
    def tone(self) -> str:
        """As something to look into."""
        return "wait"


def asked_language(query: Mapping[str, str]) -> Language | None:
    """The language that the address asks for."""
    match query.get("lang"):
        case "zh":
            return "zh"
        case "en":
            return "en"
        case _:
            return None


def language_of(query: Mapping[str, str], cookies: Mapping[str, str]) -> Language:
    """The language of a page: what its address asks for, or what was asked for before."""
    return asked_language(query) or ("en" if cookies.get(COOKIE) == "en" else "zh")
