"""No rule of the catalogue depends on a personal field: conditions and clocks never see one decrypted."""

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from gateway.creditfile.catalogue import Catalogue, load_catalogue


def texts(value: Any) -> Iterator[str]:
    """Every text in a model, whatever it is nested in."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, BaseModel):
        yield from texts(value.model_dump())
    elif isinstance(value, dict):
        yield from texts([*value.keys(), *value.values()])
    elif isinstance(value, list | tuple):
        for each in value:
            yield from texts(each)


def rules_on_persons(catalogue: Catalogue) -> list[str]:
    """The personal fields that a condition or clock of their own dataset names, as `dataset.field`."""
    found = []
    for dataset in catalogue.datasets:
        conditions = [each for field in dataset.fields for each in field.conditions]
        rules = [conditions, dataset.bad_when, catalogue.rules_of(dataset.code)]
        named = set(texts(rules))
        found += [
            f"{dataset.code}.{f.name}" for f in dataset.fields if f.personal and f.name in named
        ]
    return found


def test_no_condition_or_clock_names_a_personal_field() -> None:
    """Else an answer would depend on who holds the key."""
    assert rules_on_persons(load_catalogue()) == []


def test_a_condition_on_a_personal_field_is_found() -> None:
    """The search sees what a field's own conditions name."""
    catalogue = load_catalogue()
    judged = {
        f"{dataset.code}.{condition.field}"
        for dataset in catalogue.datasets
        for field in dataset.fields
        for condition in field.conditions
    }
    assert judged
    code, _, name = min(judged).partition(".")
    datasets = tuple(
        each.model_copy(
            update={
                "fields": tuple(
                    f.model_copy(update={"personal": True}) if f.name == name else f
                    for f in each.fields
                )
            }
        )
        if each.code == code
        else each
        for each in catalogue.datasets
    )
    assert f"{code}.{name}" in rules_on_persons(catalogue.model_copy(update={"datasets": datasets}))
