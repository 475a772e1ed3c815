"""Contestable parts of a rating: its indicators and reason codes. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gateway.creditfile.catalogue import Catalogue
from gateway.creditfile.catalogue.rating_schemes import RatingIndicator, RatingScheme, ReasonCode
from gateway.creditfile.objections.model import Contested
from gateway.creditfile.rating_indicators import delivered_indicators


@dataclass(frozen=True, slots=True, kw_only=True)
class ContestedWords:
    """The indicator and the reason code that an appeal names, as their scheme words them."""

    scheme: RatingScheme
    indicator: RatingIndicator
    reason: ReasonCode | None


def contestable(
    catalogue: Catalogue, dataset: str, fields: Mapping[str, Any]
) -> tuple[Contested, ...]:
    """Each indicator of a rating followed by its reason codes; of one without, its scheme's indicators."""
    scheme = catalogue.scheme_of(dataset, fields)
    if scheme is None:
        return ()
    given = {each.indicator: each.reason_codes for each in delivered_indicators(fields)}
    codes = given or dict.fromkeys(scheme.by_code, ())
    return tuple(
        Contested(scheme=scheme.code, indicator=indicator, reason_code=code)
        for indicator in scheme.by_code
        if indicator in codes
        for code in (None, *codes[indicator])
    )


def words_of(contested: Contested, catalogue: Catalogue) -> ContestedWords | None:
    """The words of what is contested; `None` if the catalogue has no such scheme any more."""
    schemes = (each for each in catalogue.rating_schemes if each.code == contested.scheme)
    scheme = next((each for each in schemes if contested.indicator in each.by_code), None)
    if scheme is None:
        return None
    indicator = scheme.by_code[contested.indicator]
    reason = indicator.reason_by_code.get(contested.reason_code or "")
    return ContestedWords(scheme=scheme, indicator=indicator, reason=reason)
