"""Checks of a data catalogue as a whole: what one part names in another exists there and fits. Pure.

Each check raises `ValueError` with a sentence about the first thing that is wrong.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import TYPE_CHECKING, Final

from gateway.creditfile.catalogue.column_names import column_targets
from gateway.creditfile.catalogue.rating_schemes import conditions_of
from gateway.creditfile.disclosure_class import DisclosureClass

if TYPE_CHECKING:
    from gateway.creditfile.catalogue.catalogue import Catalogue
    from gateway.creditfile.catalogue.clock_rules import ClockRules
    from gateway.creditfile.catalogue.dataset_definition import DatasetDefinition
    from gateway.creditfile.catalogue.rating_schemes import RatingScheme


def check_catalogue(catalogue: Catalogue) -> None:
    """Every check, in the order of the lists below."""
    if len(catalogue.codes) != len(catalogue.datasets):
        raise ValueError("a dataset's code stands twice")
    for dataset in catalogue.datasets:
        for check_dataset in DATASET_CHECKS:
            check_dataset(catalogue, dataset)
    for check in CATALOGUE_CHECKS:
        check(catalogue)


def clock_exists(catalogue: Catalogue, dataset: DatasetDefinition) -> None:
    """The clock that a dataset names is one of the catalogue's."""
    if dataset.clock not in catalogue.clocks:
        raise ValueError(f"dataset {dataset.code}: there is no clock {dataset.clock}")


def clock_values_exist(catalogue: Catalogue, dataset: DatasetDefinition) -> None:
    """Values that a clock depends on must be values of the field.

    Otherwise a value renamed in one place alone would disclose what the clock withholds.
    """
    values = {field.name: set(field.values) for field in dataset.fields}
    for name, needed in _clock_values(dataset, catalogue.clocks[dataset.clock]):
        if name in values and (unknown := set(needed) - values[name]):
            raise ValueError(
                f"field {dataset.code}.{name}: its clock goes by {min(unknown)}, no value of it"
            )


def retention_has_its_day(catalogue: Catalogue, dataset: DatasetDefinition) -> None:
    """Bad information needs a required date, or its retention would never end."""
    needed = {each.column for each in dataset.fields if each.required}
    if (
        dataset.is_ever_bad
        and catalogue.clocks[dataset.clock].retention_months is not None
        and not needed & {"decided_on", "determined_on"}
    ):
        raise ValueError(f"dataset {dataset.code}: its retention needs a day that is required")


def clock_fields_exist(catalogue: Catalogue, dataset: DatasetDefinition) -> None:
    """Fields that a clock depends on must exist, and a listing's term needs a required day."""
    rules, names = catalogue.clocks[dataset.clock], {field.name for field in dataset.fields}
    if missing := _clock_fields(rules) - names:
        message = f"dataset {dataset.code}: its clock goes by {min(missing)}, no field of it"
        raise ValueError(message)
    filled = {each.column for each in dataset.fields}
    if rules.term is not None and not set(rules.term.starts) & filled:
        message = f"dataset {dataset.code}: no field fills a column from which its term runs"
        raise ValueError(message)


def related_dataset_fits(catalogue: Catalogue, dataset: DatasetDefinition) -> None:
    """The dataset that another ends with must exist, have a key of one field, and end by itself."""
    rule = catalogue.clocks[dataset.clock].ends_with
    if rule is None:
        return
    other = next((each for each in catalogue.datasets if each.code == rule.dataset), None)
    if other is None or len(other.key) > 1 or catalogue.clocks[other.clock].ends_with is not None:
        raise ValueError(f"dataset {dataset.code}: nothing can end with {rule.dataset}")


def columns_have_one_field(catalogue: Catalogue, dataset: DatasetDefinition) -> None:
    """A name of a column of delivered files stands for one field."""
    column_targets(dataset, catalogue.deliveries)


def subjects_may_be_held(catalogue: Catalogue, dataset: DatasetDefinition) -> None:
    """R3: subjects that are never collected, or never public for a person."""
    for field in dataset.fields:
        where = f"field {dataset.code}.{field.name}"
        for subject in catalogue.forbidden:
            if subject.is_mentioned_in(field):
                raise ValueError(f"{where}: {subject.subject} is not collected (R3)")
        public = field.disclosure is DisclosureClass.PUBLIC or field.public_when is not None
        for subject in catalogue.only_with_consent:
            if field.personal and public and subject.is_mentioned_in(field):
                raise ValueError(
                    f"{where}: {subject.subject} of a person is told under consent only (R3)"
                )


def objections_name_datasets(catalogue: Catalogue) -> None:
    """Objections and rating appeals are about datasets that exist."""
    kinds = catalogue.objections
    strangers = {*kinds.objection.datasets, *kinds.rating_appeal.datasets} - set(catalogue.codes)
    if strangers:
        raise ValueError(f"objections: there is no dataset {min(strangers)}")


def repair_rules_fit(catalogue: Catalogue) -> None:
    """Repair rules are of bad information, run from a day that it has, and know its severities."""
    for code, rule in (catalogue.repair.rules if catalogue.repair else {}).items():
        if not catalogue.has_dataset(code) or not catalogue.dataset(code).is_ever_bad:
            raise ValueError(f"repair: {code} is no dataset of bad information")
        dataset, severe = catalogue.dataset(code), catalogue.rules_of(code).publicity_by_severity
        filled = {each.column for each in dataset.fields if each.required}
        field = rule.office.field
        problems = (
            (not set(rule.starts) & filled, "starts on no day that is required"),
            (
                set(rule.months_by_severity) != set(severe.months if severe else ()),
                "and its clock have different severities",
            ),
            (
                field is not None and field not in dataset.field_by_name,
                f"names its office by {field}, no field of it",
            ),
        )
        for wrong, sentence in problems:
            if wrong:
                raise ValueError(f"repair: {code} {sentence}")


def rating_schemes_fit(catalogue: Catalogue) -> None:
    """Schemes are of ratings, by fields and datasets that exist, with values that they can have."""
    for scheme in catalogue.rating_schemes:
        _check_scheme(catalogue, scheme)
    versions = [(each.code, each.version) for each in catalogue.rating_schemes]
    if len(set(versions)) != len(versions):
        raise ValueError("a rating scheme's version stands twice")


DATASET_CHECKS: Final = (
    clock_exists,  # first: the others read it
    clock_values_exist,
    retention_has_its_day,
    clock_fields_exist,
    related_dataset_fits,
    columns_have_one_field,
    subjects_may_be_held,
)
CATALOGUE_CHECKS: Final = (objections_name_datasets, repair_rules_fit, rating_schemes_fit)


def _check_scheme(catalogue: Catalogue, scheme: RatingScheme) -> None:
    where = f"rating scheme {scheme.code}"
    named = {scheme.dataset, *(code for code, _ in conditions_of(scheme))}
    if not named <= set(catalogue.codes):
        raise ValueError(f"{where}: there is no dataset {min(named - set(catalogue.codes))}")
    rated = catalogue.dataset(scheme.dataset)
    if not set(scheme.where) <= set(rated.field_by_name):
        raise ValueError(f"{where}: it goes by no field of {rated.code}")
    levels = rated.field_by_name.get(rated.field_of.get("level", ""))
    known = set(levels.values) if levels else set()
    if known and not {each.name for each in scheme.levels} <= known:
        raise ValueError(f"{where}: a level is no value of {rated.code}")
    for code, condition in conditions_of(scheme):
        if condition is not None and not catalogue.dataset(code).can_hold(condition):
            raise ValueError(f"{where}: a condition is no value of {code}.{condition.field}")


def _clock_fields(rules: ClockRules) -> set[str]:
    """Fields that a clock reads by their names."""
    fields = {*(rules.latest_of or ())}
    if rules.term is not None and rules.term.extension is not None:
        fields.add(rules.term.extension)
    if rules.publicity_by_severity is not None:
        fields.add(rules.publicity_by_severity.minor.published_if)
    if rules.ends_with is not None:
        fields.add(rules.ends_with.field)
    if rules.filing is not None:
        fields |= {rules.filing.number, rules.filing.until}
    return fields


def _clock_values(
    dataset: DatasetDefinition, rules: ClockRules
) -> Iterator[tuple[str, Iterable[str]]]:
    """Fields whose values decide whether records are bad, shown or exempt, with those values."""
    if dataset.bad_when is not None:
        yield dataset.bad_when.field, map(str, dataset.bad_when.values)
    if (shown := rules.publicity) is not None:
        kinds = shown.never_shown, shown.short.kinds, shown.harmless_beside_a_fine, shown.bans
        yield "kinds", chain(*kinds)
        yield dataset.field_of.get("severity", ""), shown.months_by_severity
    if (severe := rules.publicity_by_severity) is not None:
        minor, serious = severe.minor, severe.serious
        yield "kinds", (minor.fine, *minor.kinds, *serious.kinds)
        yield "procedure", (*minor.procedures, *minor.published_under)
        named = (minor.severity, severe.ordinary, serious.severity)
        yield dataset.field_of.get("severity", ""), (*named, *severe.months)
    if rules.exempt is not None:
        yield "procedure", rules.exempt.procedures
        yield "appeal_state", (*rules.exempt.under_appeal, *rules.exempt.no_appeal_any_more)
