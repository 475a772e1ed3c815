"""Member `withheld` of an answer: datasets and fields asked for and not given, and why. Pure.

Never single records: that one was repaired or has expired is not disclosed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from consent import Granted, Purpose
from gateway.clients.agreements import Agreement
from gateway.creditfile.catalogue import Catalogue
from gateway.creditfile.disclosure_class import Audience, DisclosureClass
from gateway.creditfile.disclosure_policy import never_disclosed_fields
from gateway.creditfile.records import INDIVIDUAL_BUSINESS

WithheldReason = Literal[
    "not_in_agreement",
    "not_in_consent",
    "not_for_purpose",
    "not_licensed",
    "class_never",
    "source_unavailable",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class DisclosedScope:
    """The requested datasets that are disclosed, and why the others are withheld."""

    disclosed: tuple[str, ...]
    reasons: Mapping[str, WithheldReason]
    unseen: Mapping[str, frozenset[str]]
    """Fields by dataset that the catalogue added after the consent."""
    unlicensed: Mapping[str, frozenset[str]]
    """Fields by dataset that speak of an operator, for an agency without the licence (R13)."""

    @property
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
    return DisclosedScope(
        disclosed=disclosed,
        reasons=reasons,
        unseen=_unseen(disclosed, granted, catalogue),
        unlicensed=_personal(disclosed, catalogue) if closed else MappingProxyType({}),
    )


def _personal(disclosed: tuple[str, ...], catalogue: Catalogue) -> Mapping[str, frozenset[str]]:
    """Personal fields by dataset, of those that a client may be told."""
    personal = {
        name: frozenset(
            each.name for each in catalogue.fields_for(name, Audience.AUTHORISED) if each.personal
        )
        for name in disclosed
    }
    return MappingProxyType({name: fields for name, fields in personal.items() if fields})


def _unseen(
    disclosed: tuple[str, ...], granted: Granted, catalogue: Catalogue
) -> Mapping[str, frozenset[str]]:
    """Fields that the catalogue added after the consent (R8), except public ones."""
    if granted.fields is None:
        return MappingProxyType({})
    seen = frozenset(granted.fields)
    unseen = {
        name: frozenset(
            each.name
            for each in catalogue.fields_for(name, Audience.AUTHORISED)
            if each.disclosure is not DisclosureClass.PUBLIC and f"{name}.{each.name}" not in seen
        )
        for name in disclosed
    }
    return MappingProxyType({name: fields for name, fields in unseen.items() if fields})


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
        if (fields := never_disclosed_fields(name, catalogue))
    ]
    in_part += [
        _part(name, sorted(fields), "not_in_consent") for name, fields in scope.unseen.items()
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
