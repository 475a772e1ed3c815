"""What was asked for and is not given, and why: of datasets and fields, never of single records.

That a record was repaired or has expired is not told. Pure.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from consent import Granted, Purpose
from gateway.clients.agreements import Agreement
from gateway.creditfile.catalogue import Catalogue
from gateway.creditfile.disclosure_class import Audience, DisclosureClass
from gateway.creditfile.disclosure_policy import never_disclosed_fields


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Which of the datasets asked for are told, and what is withheld of the others."""

    told: tuple[str, ...]
    reasons: Mapping[str, str]
    unseen: Mapping[str, frozenset[str]]
    """Of a dataset that is told, the fields that did not stand behind it when the enterprise agreed."""


def scope_of(
    datasets: tuple[str, ...],
    *,
    agreement: Agreement,
    granted: Granted,
    purpose: Purpose,
    catalogue: Catalogue,
    unavailable: tuple[str, ...],
) -> Scope:
    """Agreement ∩ consent ∩ purpose ∩ catalogue, in this order; the first that fails is the reason."""
    reasons: dict[str, str] = {}
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
    told = tuple(name for name in datasets if name not in reasons)
    return Scope(told=told, reasons=reasons, unseen=_unseen(told, granted, catalogue))


def _unseen(
    told: tuple[str, ...], granted: Granted, catalogue: Catalogue
) -> Mapping[str, frozenset[str]]:
    """What a newer catalogue would add to a consent (R8); what is public needs none."""
    if granted.fields is None:
        return MappingProxyType({})
    seen = frozenset(granted.fields)
    unseen = {
        name: frozenset(
            each.name
            for each in catalogue.fields_for(name, Audience.AUTHORISED)
            if each.disclosure is not DisclosureClass.PUBLIC and f"{name}.{each.name}" not in seen
        )
        for name in told
    }
    return MappingProxyType({name: fields for name, fields in unseen.items() if fields})


def is_offered(dataset: str, purpose: Purpose, catalogue: Catalogue) -> bool:
    """Whether the catalogue lets clients have anything of `dataset` for `purpose`."""
    return catalogue.dataset(dataset).serves(purpose) and bool(
        catalogue.fields_for(dataset, Audience.AUTHORISED)
    )


def withheld(scope: Scope, catalogue: Catalogue) -> list[dict[str, object]]:
    """The member `withheld` of an answer."""
    told_in_part: list[dict[str, object]] = [
        {"dataset": name, "fields": list(fields), "reason": "class_never"}
        for name in scope.told
        if (fields := never_disclosed_fields(name, catalogue))
    ]
    told_in_part += [
        {"dataset": name, "fields": sorted(fields), "reason": "not_in_consent"}
        for name, fields in scope.unseen.items()
    ]
    whole: list[dict[str, object]] = [
        {"dataset": name, "reason": reason} for name, reason in scope.reasons.items()
    ]
    return [*told_in_part, *whole]
