"""Data catalogue: loaded from YAML, validated as a whole, immutable."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property, lru_cache
from importlib.resources import files
from typing import Any, Final, Self

import yaml
from pydantic import ValidationError, model_validator

from gateway import strict_yaml
from gateway.creditfile.catalogue.checks import check_catalogue
from gateway.creditfile.catalogue.clock_rules import ClockRules, EndsWith
from gateway.creditfile.catalogue.dataset_definition import PAGE_PARTS, DatasetDefinition
from gateway.creditfile.catalogue.delivery_forms import DeliveryForms
from gateway.creditfile.catalogue.field_definition import FieldDefinition
from gateway.creditfile.catalogue.licensing_items import LicensingItems
from gateway.creditfile.catalogue.parts import CataloguePart, NonEmptyText
from gateway.creditfile.catalogue.procedure_rules import ObjectionKinds, RepairRules
from gateway.creditfile.catalogue.rating_schemes import RatingScheme
from gateway.creditfile.catalogue.sensitive_subjects import Subject
from gateway.creditfile.disclosure_class import CLASSES_FOR, Audience, DisclosureClass
from gateway.creditfile.records import INDIVIDUAL_BUSINESS, REGISTRATION

PUBLISHED_CATALOGUE: Final = files("gateway.creditfile.catalogue") / "catalogue.yaml"
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
        """Tables computed once for this catalogue (`lookup_tables`)."""
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
        check_catalogue(self)
        return self


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
