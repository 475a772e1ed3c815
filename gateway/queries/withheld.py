"""Member `withheld` of an answer: datasets and fields asked for and not given, and why. Pure.

Never single records: that one was repaired or has expired is not disclosed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Any, Literal

from consent import Granted, Purpose
from gateway.clients.agreements import Agreement
from gateway.creditfile.catalogue import Catalogue
from gateway.creditfile.catalogue.field_definition import FieldDefinition
from gateway.creditfile.catalogue.lookup_tables import derived_table
from gateway.creditfile.disclosure_class import Audience, DisclosureClass
from gateway.creditfile.disclosure_policy import never_disclosed_fields
from gateway.creditfile.records import INDIVIDUAL_BUSINESS, Record
from gateway.creditfile.separate_consent import is_covered, separated_fields

WithheldReason = Literal[
    "not_in_agreement",
    "not_in_consent",
    "not_for_purpose",
    "not_licensed",
    "class_never",
    "source_unavailable",
]


@dataclass(frozen=True, kw_only=True)
class DisclosedScope:
    """The requested datasets that are disclosed, and why the others are withheld."""

    disclosed: tuple[str, ...]
    reasons: Mapping[str, WithheldReason]
    unseen: Mapping[str, frozenset[str]]
    """Fields by dataset that the catalogue added after the consent."""
    unlicensed: Mapping[str, frozenset[str]]
    """Fields by dataset that speak of an operator, for an agency without the licence (R13)."""
    unseparated: Mapping[str, Mapping[str, FieldDefinition]]
    """Fields by dataset and name without the separate consent that they need (R8a)."""

    def disclosed_fields(self, record: Record, fields: Mapping[str, Any]) -> Mapping[str, Any]:
        """Those of a record's disclosable `fields` that agreement and consent allow.

        A value that is no person's, or published, needs no separate consent.
        """
        withheld = self.withheld_fields.get(record.dataset, frozenset())
        unseparated = self.unseparated.get(record.dataset, {})
        if not withheld and not unseparated:
            return fields
        return {
            name: value
            for name, value in fields.items()
            if name not in withheld
            and not (
                name in unseparated and unseparated[name].needs_separate_consent(record.fields)
            )
        }

    @cached_property
    def withheld_fields(self) -> Mapping[str, frozenset[str]]:
        """Fields by dataset that are withheld although their class would allow them."""
        none: frozenset[str] = frozenset()
        return {
            name: self.unseen.get(name, none) | self.unlicensed.get(name, none)
            for name in (*self.unseen, *self.unlicensed)
        }


def scope_of(
    datasets: tuple[str, ...],
    *,
    agreement: Agreement,
    granted: Granted,
    purpose: Purpose,
    catalogue: Catalogue,
    unavailable: tuple[str, ...],
    kind: str,
) -> DisclosedScope:
    """Intersect agreement, consent, purpose and catalogue; the first that lacks a dataset is the reason.

    `kind` is the enterprise's.
    """
    reasons: dict[str, WithheldReason] = {}
    for name in datasets:
        if name not in agreement.datasets:
            reasons[name] = "not_in_agreement"
        elif name not in granted.datasets:
            reasons[name] = "not_in_consent"
        elif not catalogue.dataset(name).serves(purpose):
            reasons[name] = "not_for_purpose"
        elif not catalogue.fields_for(name, Audience.AUTHORISED):
            reasons[name] = "class_never"
        elif name in unavailable:
            reasons[name] = "source_unavailable"
    disclosed = tuple(name for name in datasets if name not in reasons)
    closed = kind == INDIVIDUAL_BUSINESS and not agreement.licensed_for_persons
    unlicensed = {
        name: fields for name in disclosed if closed and (fields := _personal(catalogue, name))
    }
    unseparated = _unseparated(disclosed, granted, catalogue, kind, unlicensed)
    return DisclosedScope(
        disclosed=disclosed,
        reasons=reasons,
        unseen=_unseen(disclosed, granted, catalogue, unseparated),
        unlicensed=unlicensed,
        unseparated=unseparated,
    )


def _unseparated(
    disclosed: tuple[str, ...],
    granted: Granted,
    catalogue: Catalogue,
    kind: str,
    unlicensed: Mapping[str, frozenset[str]],
) -> Mapping[str, Mapping[str, FieldDefinition]]:
    """Fields whose separate consent was not given, but for those withheld for want of a licence."""
    found = {
        code: {
            field.name: field
            for needed, field in separated_fields(catalogue, (code, kind))
            if field.name not in unlicensed.get(code, ())
            and not is_covered(needed, granted.separate_consents)
        }
        for code in disclosed
    }
    return MappingProxyType({code: fields for code, fields in found.items() if fields})


@derived_table
def _personal(catalogue: Catalogue, dataset: str) -> frozenset[str]:
    """Personal fields of a dataset, of those that a client may be told."""
    fields = catalogue.fields_for(dataset, Audience.AUTHORISED)
    return frozenset(each.name for each in fields if each.personal)


def _unseen(
    disclosed: tuple[str, ...],
    granted: Granted,
    catalogue: Catalogue,
    unseparated: Mapping[str, Mapping[str, FieldDefinition]],
) -> Mapping[str, frozenset[str]]:
    """Fields that the catalogue added after the consent (R8), except public and `unseparated` ones."""
    if granted.fields is None:
        return MappingProxyType({})
    seen = frozenset(granted.fields)
    unseen = {
        code: frozenset(
            name
            for name, item in _consented(catalogue, code)
            if item not in seen and name not in unseparated.get(code, ())
        )
        for code in disclosed
    }
    return MappingProxyType({code: fields for code, fields in unseen.items() if fields})


@derived_table
def _consented(catalogue: Catalogue, dataset: str) -> tuple[tuple[str, str], ...]:
    """Fields of a dataset that are told under a consent that names them; each with its name there."""
    return tuple(
        (each.name, f"{dataset}.{each.name}")
        for each in catalogue.fields_for(dataset, Audience.AUTHORISED)
        if each.disclosure is not DisclosureClass.PUBLIC
    )


def is_offered(dataset: str, purpose: Purpose, catalogue: Catalogue) -> bool:
    """True where the catalogue offers any field of `dataset` for `purpose`."""
    return catalogue.dataset(dataset).serves(purpose) and bool(
        catalogue.fields_for(dataset, Audience.AUTHORISED)
    )


def withheld(scope: DisclosedScope, catalogue: Catalogue) -> list[dict[str, object]]:
    """The member `withheld` of an answer."""
    in_part = [
        _part(name, list(fields), "class_never")
        for name in scope.disclosed
        if (fields := never_disclosed_fields(catalogue, name))
    ]
    in_part += [
        _part(name, sorted(lacking), "not_in_consent")
        for name in scope.disclosed
        if (lacking := {*scope.unseen.get(name, ()), *scope.unseparated.get(name, ())})
    ]
    in_part += [
        _part(name, sorted(fields), "not_licensed") for name, fields in scope.unlicensed.items()
    ]
    whole: list[dict[str, object]] = [
        {"dataset": name, "reason": reason} for name, reason in scope.reasons.items()
    ]
    return [*in_part, *whole]


def _part(dataset: str, fields: list[str], reason: WithheldReason) -> dict[str, object]:
    return {"dataset": dataset, "fields": fields, "reason": reason}
