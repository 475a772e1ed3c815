"""Page language (Chinese by default, or English) and texts in both."""

from collections.abc import Mapping
from typing import Final, Literal, NamedTuple

Language = Literal["zh", "en"]

LANGUAGE_COOKIE: Final = "xinqiao-lang"
COOKIE_SECONDS: Final = 365 * 24 * 3600


class Translated(NamedTuple):
    """A text in both languages."""

    zh: str
    en: str

    def text(self, language: Language) -> str:
        """The text in `language`."""
        return self.en if language == "en" else self.zh

    @property
    def tone(self) -> str:
        """CSS class for a notice with this text; none means success."""
        return ""


class WarningText(Translated):
    """Notice text for an action that was not carried out."""

    __slots__ = ()

    @property
    def tone(self) -> str:
        """The CSS class of warnings."""
        return "wait"


def requested_language(query: Mapping[str, str]) -> Language | None:
    """The language given by the `lang` query parameter."""
    match query.get("lang"):
        case "zh":
            return "zh"
        case "en":
            return "en"
        case _:
            return None


def language_of(query: Mapping[str, str], cookies: Mapping[str, str]) -> Language:
    """The language of a page: query parameter, then cookie, then Chinese."""
    return requested_language(query) or ("en" if cookies.get(LANGUAGE_COOKIE) == "en" else "zh")
