"""Data catalogue: loaded from YAML, validated as a whole, immutable."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property, lru_cache
from importlib.resources import files
from itertools import chain
from typing import Any, Final, Self

import yaml
from pydantic import ValidationError, model_validator

from gateway import strict_yaml
from gateway.creditfile.catalogue_parts import CataloguePart, NonEmptyText
from gateway.creditfile.catalogue_schema import (
    PAGE_PARTS,
    DatasetDefinition,
    FieldDefinition,
    LicensingItems,
    Subject,
)
from gateway.creditfile.clock_rules import ClockRules, EndsWith
from gateway.creditfile.column_names import column_targets
from gateway.creditfile.delivery_forms import DeliveryForms
from gateway.creditfile.disclosure_class import CLASSES_FOR, Audience, DisclosureClass
from gateway.creditfile.procedure_rules import ObjectionKinds, RepairRules
from gateway.creditfile.rating_schemes import RatingScheme, conditions_of
from gateway.creditfile.records import INDIVIDUAL_BUSINESS, REGISTRATION

PUBLISHED_CATALOGUE: Final = files("gateway.creditfile") / "catalogue.yaml"
_OPENED_BY_CONDITION: Final = frozenset({DisclosureClass.AUTHORISED, DisclosureClass.GOVERNMENT})


class CatalogueError(ValueError):
    """The catalogue is invalid; the message says why."""


class UnknownDatasetError(LookupError):
    """There is no such dataset in the catalogue."""


class Catalogue(CataloguePart):
    """Every dataset with its fields, and the parameters of the clocks."""

    version: NonEmptyText
    forbidden: tuple[Subject, ...]
    only_with_consent: tuple[Subject, ...]
    rating_levels: tuple[str, ...]
    clocks: dict[str, ClockRules]
    objections: ObjectionKinds
    repair: RepairRules | None = None
    licensing_items: LicensingItems | None = None
    rating_schemes: tuple[RatingScheme, ...] = ()
    """Schemes of ratings (评价体系); of one code, the newest version first."""
    deliveries: DeliveryForms = DeliveryForms()
    datasets: tuple[DatasetDefinition, ...]

    @cached_property
    def _by_code(self) -> Mapping[str, DatasetDefinition]:
        return {dataset.code: dataset for dataset in self.datasets}

    @cached_property
    def _rules(self) -> Mapping[str, ClockRules]:
        return {dataset.code: self.clocks[dataset.clock] for dataset in self.datasets}

    @cached_property
    def tables(self) -> dict[Any, Any]:
        """Tables computed once for this catalogue (`catalogue_tables`)."""
        return {}

    @cached_property
    def _served(self) -> Mapping[tuple[str, Audience, bool], tuple[FieldDefinition, ...]]:
        return {
            (dataset.code, audience, individual): tuple(
                _with_separate_consent(each, individual=individual)
                for field in dataset.fields
                if _may_reach(
                    each := field.of_individual_business if individual else field, audience
                )
            )
            for dataset in self.datasets
            for audience in Audience
            for individual in (False, True)
        }

    @cached_property
    def codes(self) -> tuple[str, ...]:
        """The codes of all datasets, in the catalogue's order."""
        return tuple(self._by_code)

    @cached_property
    def public_page(self) -> tuple[str, ...]:
        """The codes of the datasets on the public page, by its parts; the registration is not among them."""
        return tuple(
            each.code
            for part in PAGE_PARTS
            for each in self.datasets
            if each.page_part == part
            and each.code != REGISTRATION
            and self.fields_for(each.code, Audience.PUBLIC)
        )

    def has_dataset(self, code: str) -> bool:
        """True if there is a dataset of this code."""
        return code in self._by_code

    def dataset(self, code: str) -> DatasetDefinition:
        """The dataset of this code, or `UnknownDatasetError`."""
        try:
            return self._by_code[code]
        except KeyError:
            raise UnknownDatasetError(code) from None

    def rules_of(self, code: str) -> ClockRules:
        """Clock rules of a dataset."""
        try:
            return self._rules[code]
        except KeyError:
            raise UnknownDatasetError(code) from None

    @cached_property
    def ends_with(self) -> Mapping[str, EndsWith]:
        """Datasets whose bad records end with those of another, and how."""
        rules = ((code, self.rules_of(code).ends_with) for code in self.codes)
        return {code: rule for code, rule in rules if rule is not None}

    @cached_property
    def latest_of(self) -> Mapping[str, Sequence[str]]:
        """Datasets of whose series the latest record alone is disclosed, with a series' fields."""
        rules = ((code, self.rules_of(code).latest_of) for code in self.codes)
        return {code: series for code, series in rules if series is not None}

    def scheme_of(self, dataset: str, fields: Mapping[str, Any]) -> RatingScheme | None:
        """The scheme that a rating with these fields goes by, where one is published."""
        own = (each for each in self.rating_schemes if each.dataset == dataset)
        return next((each for each in own if each.fits(fields)), None)

    def ending_with(self, datasets: Iterable[str]) -> list[tuple[str, str]]:
        """Pairs of one of `datasets` and the dataset with whose records its bad ones end."""
        return [(code, self.ends_with[code].dataset) for code in datasets if code in self.ends_with]

    def fields_for(
        self, code: str, audience: Audience, kind: str = ""
    ) -> tuple[FieldDefinition, ...]:
        """The fields that can ever reach `audience`; `disclosure_policy` decides for each record.

        `kind` is the enterprise's; an individual business's fields are told less.
        """
        self.dataset(code)
        return self._served[code, audience, kind == INDIVIDUAL_BUSINESS]

    @cached_property
    def unstated_separate_consents(self) -> tuple[str, ...]:
        """Personal fields that are not public and do not say whose separate consent they need (R8a).

        Catalogues of before that term have some: they need that of the person.
        """
        return tuple(
            f"{dataset.code}.{field.name}"
            for dataset in self.datasets
            for field in dataset.fields
            if _lacks_giver(field, individual=False)
            or _lacks_giver(field.of_individual_business, individual=True)
        )

    @model_validator(mode="after")
    def _validate(self) -> Self:
        if len(self.codes) != len(self.datasets):
            raise ValueError("a dataset's code stands twice")
        for dataset in self.datasets:
            if dataset.clock not in self.clocks:
                raise ValueError(f"dataset {dataset.code}: there is no clock {dataset.clock}")
            self._check_values(dataset)
            self._check_day(dataset)
            self._check_term(dataset)
            self._check_related(dataset)
            column_targets(dataset, self.deliveries)
            for field in dataset.fields:
                self._check_subject(dataset, field)
        strangers = {*self.objections.objection.datasets, *self.objections.rating_appeal.datasets}
        if not strangers <= set(self.codes):
            raise ValueError(f"objections: there is no dataset {min(strangers - set(self.codes))}")
        self._check_repair()
        self._check_schemes()
        return self

    def _check_schemes(self) -> None:
        """Schemes are of ratings, by fields and datasets that exist, with values that they can have."""
        for scheme in self.rating_schemes:
            where = f"rating scheme {scheme.code}"
            named = {scheme.dataset, *(code for code, _ in conditions_of(scheme))}
            if not named <= set(self.codes):
                raise ValueError(f"{where}: there is no dataset {min(named - set(self.codes))}")
            rated = self._by_code[scheme.dataset]
            if not set(scheme.where) <= set(rated.field_by_name):
                raise ValueError(f"{where}: it goes by no field of {rated.code}")
            levels = rated.field_by_name.get(rated.field_of.get("level", ""))
            known = set(levels.values) if levels else set()
            if known and not {each.name for each in scheme.levels} <= known:
                raise ValueError(f"{where}: a level is no value of {rated.code}")
            for code, condition in conditions_of(scheme):
                if condition is not None and not self._by_code[code].can_hold(condition):
                    raise ValueError(
                        f"{where}: a condition is no value of {code}.{condition.field}"
                    )
        versions = [(each.code, each.version) for each in self.rating_schemes]
        if len(set(versions)) != len(versions):
            raise ValueError("a rating scheme's version stands twice")

    def _check_repair(self) -> None:
        """Repair rules are of bad information, run from a day that it has, and know its severities."""
        for code, rule in (self.repair.rules if self.repair else {}).items():
            if code not in self._by_code or not self._by_code[code].is_ever_bad:
                raise ValueError(f"repair: {code} is no dataset of bad information")
            dataset, severe = self._by_code[code], self.rules_of(code).publicity_by_severity
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

    def _check_values(self, dataset: DatasetDefinition) -> None:
        """Values that a clock depends on must be values of the field.

        Otherwise a value renamed in one place alone would disclose what the clock withholds.
        """
        values = {field.name: set(field.values) for field in dataset.fields}
        for name, needed in _clock_values(dataset, self.clocks[dataset.clock]):
            if name in values and (unknown := set(needed) - values[name]):
                raise ValueError(
                    f"field {dataset.code}.{name}: its clock goes by {min(unknown)}, no value of it"
                )

    def _check_day(self, dataset: DatasetDefinition) -> None:
        """Bad information needs a required date, or its retention would never end."""
        needed = {each.column for each in dataset.fields if each.required}
        if (
            dataset.is_ever_bad
            and self.clocks[dataset.clock].retention_months is not None
            and not needed & {"decided_on", "determined_on"}
        ):
            raise ValueError(f"dataset {dataset.code}: its retention needs a day that is required")

    def _check_term(self, dataset: DatasetDefinition) -> None:
        """Fields that a clock depends on must exist, and a listing's term needs a required day."""
        rules, names = self.clocks[dataset.clock], {field.name for field in dataset.fields}
        needed = {*(rules.latest_of or ())}
        if rules.term is not None and rules.term.extension is not None:
            needed.add(rules.term.extension)
        if rules.publicity_by_severity is not None:
            needed.add(rules.publicity_by_severity.minor.published_if)
        if rules.ends_with is not None:
            needed.add(rules.ends_with.field)
        if rules.filing is not None:
            needed |= {rules.filing.number, rules.filing.until}
        if needed - names:
            message = (
                f"dataset {dataset.code}: its clock goes by {min(needed - names)}, no field of it"
            )
            raise ValueError(message)
        filled = {each.column for each in dataset.fields}
        if rules.term is not None and not set(rules.term.starts) & filled:
            message = f"dataset {dataset.code}: no field fills a column from which its term runs"
            raise ValueError(message)

    def _check_related(self, dataset: DatasetDefinition) -> None:
        """The dataset that another ends with must exist, have a key of one field, and end by itself."""
        rule = self.clocks[dataset.clock].ends_with
        if rule is None:
            return
        other = next((each for each in self.datasets if each.code == rule.dataset), None)
        if other is None or len(other.key) > 1 or self.clocks[other.clock].ends_with is not None:
            raise ValueError(f"dataset {dataset.code}: nothing can end with {rule.dataset}")

    def _check_subject(self, dataset: DatasetDefinition, field: FieldDefinition) -> None:
        """R3: subjects that are never collected, or never public for a person."""
        where = f"field {dataset.code}.{field.name}"
        for subject in self.forbidden:
            if subject.is_mentioned_in(field):
                raise ValueError(f"{where}: {subject.subject} is not collected (R3)")
        public = field.disclosure is DisclosureClass.PUBLIC or field.public_when is not None
        for subject in self.only_with_consent:
            if field.personal and public and subject.is_mentioned_in(field):
                raise ValueError(
                    f"{where}: {subject.subject} of a person is told under consent only (R3)"
                )


def require_separate_consents(catalogue: Catalogue) -> Catalogue:
    """The catalogue, if each personal field that is not public says whose separate consent it needs."""
    if unstated := catalogue.unstated_separate_consents:
        message = (
            f"The catalogue does not say whose separate consent is needed: {', '.join(unstated)}"
        )
        raise CatalogueError(message)
    return catalogue


def opens_by_condition(field: FieldDefinition) -> bool:
    """True if the field is public where its condition holds; `never` stays so."""
    return field.public_when is not None and field.disclosure in _OPENED_BY_CONDITION


def load_catalogue(text: str | None = None) -> Catalogue:
    """Parse the catalogue in `text` (YAML), or the published one. Raises `CatalogueError`."""
    if text is None:
        published = PUBLISHED_CATALOGUE.read_text(encoding="utf-8")
        return require_separate_consents(_catalogue_of(published))
    return _catalogue_of(text)


@lru_cache(maxsize=4)
def _catalogue_of(source: str) -> Catalogue:
    try:
        return Catalogue.model_validate(strict_yaml.load(source))
    except yaml.YAMLError as error:
        raise CatalogueError(f"The catalogue is not readable YAML: {error}") from None
    except ValidationError as error:
        raise CatalogueError(_sentences(error)) from None


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


def _may_reach(field: FieldDefinition, audience: Audience) -> bool:
    if field.disclosure is None:
        return False
    return field.disclosure in CLASSES_FOR[audience] or opens_by_condition(field)


def _lacks_giver(field: FieldDefinition, *, individual: bool) -> bool:
    """True for a personal field that the public is not told as a client is, without a stated giver."""
    public = field.disclosure is DisclosureClass.PUBLIC and not field.masked and not individual
    told = _may_reach(field, Audience.AUTHORISED)
    return field.personal and told and not public and field.separate_consent is None


def _with_separate_consent(field: FieldDefinition, *, individual: bool) -> FieldDefinition:
    """The field; one that lacks a giver needs the separate consent of the person."""
    if not _lacks_giver(field, individual=individual):
        return field
    return field.model_copy(update={"separate_consent": "person"})


def _sentences(error: ValidationError) -> str:
    lines = (
        f"{'.'.join(str(step) for step in problem['loc']) or 'catalogue'}: {problem['msg']}"
        for problem in error.errors()
    )
    return "The catalogue is refused: " + "; ".join(lines)
