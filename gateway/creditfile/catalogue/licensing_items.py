"""List of licensing items (行政许可事项), and those that a trade needs."""

from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Self

from pydantic import StringConstraints, model_validator

from gateway.creditfile.catalogue.parts import CataloguePart, Names, NonEmptyText


class LicensingItem(Names):
    """One item of the list of licensing items (行政许可事项)."""

    code: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,40}$")]


class TradeLicences(CataloguePart):
    """Licensing items that a trade needs by law, by the beginnings of its GB/T 4754-2017 codes."""

    industries: tuple[Annotated[str, StringConstraints(pattern=r"^[A-T]\d{2,4}$")], ...]
    items: tuple[NonEmptyText, ...]
    law: NonEmptyText


class LicensingItems(CataloguePart):
    """The list of licensing items that `licence.item_code` is chosen from."""

    source: NonEmptyText
    version: NonEmptyText
    items: tuple[LicensingItem, ...]
    trades: tuple[TradeLicences, ...] = ()

    def needed_for(self, industry: str) -> tuple[LicensingItem, ...]:
        """The items that an enterprise of this GB/T 4754 code needs."""
        codes = [
            code
            for each in self.trades
            if industry.startswith(each.industries)
            for code in each.items
        ]
        return tuple(self.by_code[code] for code in dict.fromkeys(codes))

    @model_validator(mode="after")
    def _trades_name_items(self) -> Self:
        unknown = {code for each in self.trades for code in each.items} - set(self.by_code)
        if unknown:
            raise ValueError(f"licensing_items: a trade needs {min(unknown)}, no item of the list")
        return self

    @cached_property
    def by_code(self) -> Mapping[str, LicensingItem]:
        """Items by code."""
        return {each.code: each for each in self.items}
