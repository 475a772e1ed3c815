"""Tables that are derived from a catalogue alone, each made once and kept with the catalogue."""

from collections.abc import Callable, Hashable
from functools import wraps
from typing import TypeVar, cast

from gateway.creditfile.catalogue.catalogue import Catalogue

T = TypeVar("T")
K = TypeVar("K", bound=Hashable)


def derived_table(build: Callable[[Catalogue, K], T]) -> Callable[[Catalogue, K], T]:
    """Decorator of a function of a catalogue and a key; a catalogue never changes."""

    @wraps(build)
    def table(catalogue: Catalogue, key: K) -> T:
        tables, place = catalogue.tables, (build, key)
        found = tables.get(place)
        if found is None:
            found = tables[place] = build(catalogue, key)
        return cast("T", found)

    return table
