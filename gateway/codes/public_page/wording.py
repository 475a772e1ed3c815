"""Words about the records of one dataset, in one language: a record's sentence, its fields and values.

What depends on the catalogue alone is prepared once.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, Self

from markupsafe import Markup

from gateway.codes.public_page.markup import PROPERTIES, term
from gateway.creditfile.catalogue import Catalogue
from gateway.creditfile.catalogue.lookup_tables import derived_table
from gateway.creditfile.labels import (
    EMPTY,
    OPEN_END,
    HeadlineFields,
    dataset_label,
    field_labels,
    field_value,
    headline_fields,
    texts_of,
)
from gateway.creditfile.value_labels import VALUES
from gateway.pages.i18n import Language, Translated
from gateway.pages.translated_templates import escaped, marked
from gateway.privacy.redaction import readable_masks

MAX_VALUE: Final = 60
"""Maximum characters of a value in a sentence; the record below has it whole."""
_LANGUAGES: Final[tuple[Language, ...]] = ("zh", "en")
_WORDS: Final[Mapping[Language, Mapping[str, str]]] = {
    language: {value: label.text(language) for value, label in VALUES.items()}
    for language in _LANGUAGES
}
_PLACEHOLDER: Final = re.compile(r"\{([a-z_]+)\}")


class _Part(NamedTuple):
    """A part of a sentence: printf-style, with the fields that it names."""

    format: str
    fields: frozenset[str]

    @classmethod
    def of(cls, text: str) -> Self:
        """The part that a catalogue writes with `{field}`."""
        named = _PLACEHOLDER.sub(r"%(\1)s", text.replace("%", "%%"))
        return cls(named, frozenset(_PLACEHOLDER.findall(text)))


class _Sentence(NamedTuple):
    """A catalogue's sentence; a record without the `needed` fields has none."""

    parts: tuple[_Part, ...]
    fields: frozenset[str]
    needed: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """The words about one dataset in one language, by the enterprise's kind."""

    catalogue: Catalogue
    dataset: str
    language: Language
    name: str
    """The dataset's."""
    labels: Mapping[str, str]
    """Labels of its fields."""
    terms: Mapping[str, str]
    """The same as markup that a value follows."""
    subject_terms: Mapping[str, str]
    """With the properties of a schema.org `Organization`."""
    texts: frozenset[str]
    """Fields whose values are labelled by themselves."""
    words: Mapping[str, str]
    """Labels of such values; others are their own."""
    template: _Sentence | None
    headline: HeadlineFields
    """Headline of a record for which no sentence is defined."""

    def value(self, name: str, fields: Mapping[str, Any]) -> str:
        """A field's value."""
        held = fields[name]
        if type(held) is str and name in self.texts:
            return self.words.get(held) or readable_masks(held)
        return field_value(self.dataset, name, fields, self.catalogue).text(self.language)

    def rows(self, fields: Mapping[str, Any]) -> Markup:
        """Labels and values of all fields that are not empty."""
        return self._rows(self.terms, fields, fields)

    def subject_rows(self, fields: Mapping[str, Any], names: Iterable[str]) -> Markup:
        """Those of the fields `names`, on a page whose subject they describe."""
        return self._rows(self.subject_terms, fields, names)

    def _rows(
        self, terms: Mapping[str, str], fields: Mapping[str, Any], names: Iterable[str]
    ) -> Markup:
        value = self.value
        return marked(
            "".join(
                [
                    f"{terms[name]}{escaped(value(name, fields))}</dd></div>"
                    for name in names
                    if fields[name] or fields[name] not in EMPTY  # nearly all are true, sooner seen
                ]
            )
        )

    def sentence(self, fields: Mapping[str, Any]) -> str:
        """The catalogue's sentence about a record, or its headline where the first part has no value."""
        template = self.template
        if template is None:
            return self._headline(fields)
        values = {
            name: _short(self.value(name, fields))
            for name in template.fields
            if (held := fields.get(name)) or held not in EMPTY
        }
        if not template.needed <= values.keys():
            return self._headline(fields)
        told = values.keys()
        return "".join(
            [each.format % values for each in template.parts if each.fields <= told]
        ).strip()

    def _headline(self, fields: Mapping[str, Any]) -> str:
        shown = [self._named(name, fields) for name in self.headline.shown(fields)]
        return " · ".join(shown) or self.name

    def _named(self, name: str, fields: Mapping[str, Any]) -> str:
        """A field's value, with its label where it says nothing by itself."""
        value = self.value(name, fields)
        is_plain = name not in self.headline.labels or fields[name] == OPEN_END
        return value if is_plain else f"{self.labels[name]} {value}"


def wording_of(catalogue: Catalogue, dataset: str, kind: str, language: Language) -> Wording:
    """The words about a dataset, by the enterprise's kind."""
    return _wording(catalogue, (dataset, kind, language))


def record_sentence(
    dataset: str, fields: Mapping[str, Any], catalogue: Catalogue, kind: str = ""
) -> Translated:
    """The sentence about a record, in both languages."""
    return Translated(
        wording_of(catalogue, dataset, kind, "zh").sentence(fields),
        wording_of(catalogue, dataset, kind, "en").sentence(fields),
    )


@derived_table
def _wording(catalogue: Catalogue, key: tuple[str, str, Language]) -> Wording:
    dataset, kind, language = key
    labels = {
        name: label.text(language)
        for name, label in field_labels(catalogue, (dataset, kind)).items()
    }
    return Wording(
        catalogue=catalogue,
        dataset=dataset,
        language=language,
        name=dataset_label(dataset, catalogue, kind).text(language),
        labels=labels,
        terms={name: term(label) for name, label in labels.items()},
        subject_terms={
            name: term(label, PROPERTIES.get(name, "")) for name, label in labels.items()
        },
        texts=texts_of(catalogue, dataset),
        words=_WORDS[language],
        template=_sentence(catalogue, dataset, kind, language),
        headline=headline_fields(catalogue, (dataset, kind)),
    )


def _sentence(
    catalogue: Catalogue, dataset: str, kind: str, language: Language
) -> _Sentence | None:
    sentence = catalogue.dataset(dataset).sentence_for(kind)
    if sentence is None:
        return None
    parts = sentence.en if language == "en" else sentence.zh
    needed = _Part.of(sentence.zh[0]).fields  # in both languages, a sentence or a headline
    return _Sentence(tuple(map(_Part.of, parts)), sentence.fields, needed)


def _short(text: str) -> str:
    return text if len(text) <= MAX_VALUE else f"{text[: MAX_VALUE - 1]}…"
