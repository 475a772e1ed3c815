"""Approximate matching of a delivered word to names of the catalogue; returns those names only."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from heapq import nlargest
from typing import Any, Final

from gateway.creditfile.catalogue.dataset_definition import DatasetDefinition
from gateway.creditfile.catalogue.delivery_forms import fold_name
from gateway.creditfile.catalogue.field_definition import FieldDefinition
from gateway.creditfile.disclosure_class import DisclosureClass
from gateway.creditfile.value_labels import VALUES

MOST_NAMES: Final = 3
_LONGEST_WORD: Final = 40
_CUTOFF: Final = 0.5
_MOST_COMPARED: Final = 5
"""Spellings that are compared letter by letter: those that share most letters."""
_MOST_KNOWN: Final = 1_000


class NearestNames:
    """Names, found by words that are spelt like one of their spellings."""

    def __init__(self, spellings: Iterable[tuple[str, str]]) -> None:
        """`spellings` are pairs of a spelling and the name that it stands for."""
        self._names: Mapping[str, str] = {fold_name(word): name for word, name in spellings}
        self._letters = [(word, frozenset(word)) for word in self._names]
        self._known: dict[str, tuple[str, ...]] = {}

    def of(self, word: str) -> tuple[str, ...]:
        """Nearest names, the best one first; none where nothing is near."""
        if len(word) > _LONGEST_WORD:
            return ()
        known = self._known.get(word)
        if known is None:
            known = self._find(fold_name(word))
            if len(self._known) < _MOST_KNOWN:
                self._known[word] = known
        return known

    def _find(self, folded: str) -> tuple[str, ...]:
        letters = frozenset(folded)
        shared = (
            (len(own & letters) / (len(own) + len(letters)), word)
            for word, own in self._letters
            if not own.isdisjoint(letters)
        )
        alike = [word for _, word in nlargest(_MOST_COMPARED, shared)]
        found = get_close_matches(folded, alike, n=_MOST_COMPARED, cutoff=_CUTOFF)
        return tuple(dict.fromkeys(self._names[each] for each in found))[:MOST_NAMES]


class NearestInDataset:
    """Nearest values and fields of one dataset, for rows that are rejected.

    Of a personal field nothing is looked up.
    """

    def __init__(self, dataset: DatasetDefinition) -> None:
        self._dataset = dataset
        self._values: dict[str, NearestNames] = {}
        self._fields: NearestNames | None = None

    def values(self, field: FieldDefinition, given: Any) -> tuple[str, ...]:
        """Nearest values of a field with a closed list; of a list, of its first unfit text."""
        if field.personal or not field.values:
            return ()
        names = self._values.get(field.name)
        if names is None:
            names = self._values[field.name] = NearestNames(_words_of_values(field))
        texts = given if isinstance(given, list) else [given]
        unfit = (each for each in texts if type(each) is str and field.value_of(each) is None)
        return names.of(next(unfit, ""))

    def fields(self, name: str) -> tuple[str, ...]:
        """Nearest fields by code, Chinese name and alias."""
        if self._fields is None:
            self._fields = NearestNames(
                (spelling, each.name)
                for each in self._dataset.fields
                for spelling in (each.name, each.zh, *each.also)
            )
        return self._fields.of(name)


def _words_of_values(field: FieldDefinition) -> Iterable[tuple[str, str]]:
    """Each value by itself, by its other words and by its labels."""
    for word, value in field.value_of_word.items():
        yield word, value
    for value in () if field.disclosure is DisclosureClass.NEVER else field.values:
        yield from ((label, value) for label in VALUES.get(value, ()))
