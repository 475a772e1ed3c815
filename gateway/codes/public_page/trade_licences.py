"""Licences that an enterprise's trade needs, for the public summary. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from gateway.creditfile.catalogue.licensing_items import LicensingItem, LicensingItems
from gateway.creditfile.disclosure_policy import DisclosableRecord
from gateway.creditfile.labels import OPEN_END
from gateway.pages.i18n import Translated


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeLicence:
    """A licence that the enterprise's trade needs, with the last day of the one in force, if there is one."""

    name: Translated
    valid_to: str | None = None
    is_held: bool = False


def trade_licences(
    industry: str | None,
    licences: Sequence[DisclosableRecord] | None,
    items: LicensingItems | None,
    today: date,
) -> list[TradeLicence]:
    """The licences that this industry needs; none where `licences` is `None`, for nothing is known."""
    if items is None or licences is None:
        return []
    begun = [each for each in licences if _has_begun(each, today)]
    return [
        _held(item, [each for each in begun if each.fields.get("item_code") == item.code])
        for item in items.needed_for(industry or "")
    ]


def _has_begun(disclosed: DisclosableRecord, today: date) -> bool:
    """True if a licence's first day, or else the day of its decision, is not in the future."""
    begins = disclosed.fields.get("valid_from") or disclosed.fields.get("decided_on")
    return begins is None or date.fromisoformat(begins) <= today


def _held(item: LicensingItem, licences: Sequence[DisclosableRecord]) -> TradeLicence:
    last = max((str(e.fields.get("valid_to") or OPEN_END) for e in licences), default=None)
    return TradeLicence(
        name=Translated(item.zh, item.en),
        is_held=last is not None,
        valid_to=None if last == OPEN_END else last,
    )
