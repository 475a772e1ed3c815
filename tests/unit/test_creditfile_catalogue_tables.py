"""Tables that are derived from a catalogue: made once, and never sent to another process."""

import pickle
from functools import cached_property

from gateway.creditfile.catalogue import Catalogue, load_catalogue
from gateway.creditfile.catalogue.lookup_tables import derived_table
from gateway.creditfile.disclosure_class import Audience
from gateway.creditfile.labels import field_label

MADE: list[str] = []


@derived_table
def names(catalogue: Catalogue, code: str) -> tuple[str, ...]:
    """Names of a dataset's fields."""
    MADE.append(code)
    return tuple(each.name for each in catalogue.dataset(code).fields)


def sent(catalogue: Catalogue) -> Catalogue:
    """A catalogue as another process gets it."""
    received: Catalogue = pickle.loads(pickle.dumps(catalogue))  # noqa: S301  # of our own making
    return received


def test_a_table_is_made_once_for_each_catalogue_and_key() -> None:
    """Another catalogue has its own."""
    catalogue, other = sent(load_catalogue()), sent(load_catalogue())
    assert names(catalogue, "penalty") is names(catalogue, "penalty")
    assert names(catalogue, "licence") != names(catalogue, "penalty") == names(other, "penalty")
    assert MADE == ["penalty", "licence", "penalty"]


def test_a_changed_copy_has_tables_of_its_own() -> None:
    """So has a part of it, and whatever else was derived from either."""
    catalogue = sent(load_catalogue())
    assert names(catalogue, "penalty")
    others = tuple(each for each in catalogue.datasets if each.code != "penalty")
    renamed = catalogue.dataset("penalty").model_copy(update={"fields": ()})
    changed = catalogue.model_copy(update={"datasets": (*others, renamed)})
    assert names(changed, "penalty") == ()
    assert changed.fields_for("penalty", Audience.PUBLIC) == ()
    assert catalogue.fields_for("penalty", Audience.PUBLIC)


def test_a_changed_copy_of_a_field_derives_its_own_values() -> None:
    """A field of an individual business is such a copy."""
    dataset = sent(load_catalogue()).dataset("penalty")
    derived = {
        name for name, one in vars(type(dataset)).items() if isinstance(one, cached_property)
    }
    assert derived
    assert all(getattr(dataset, name) is not None for name in derived)
    assert derived <= vars(dataset).keys()
    assert derived.isdisjoint(vars(dataset.model_copy()))
    assert derived.isdisjoint(vars(dataset.model_copy(deep=True)))


def test_a_catalogue_is_sent_to_another_process_without_its_tables() -> None:
    """They may hold what cannot be pickled."""
    catalogue = load_catalogue()
    label = field_label("penalty", "authority", catalogue)
    received = sent(catalogue)
    assert catalogue.tables
    assert not received.tables
    assert received == catalogue
    assert field_label("penalty", "authority", received) == label
