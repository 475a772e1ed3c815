"""Filing (备案) of a credit-service agency with its authority (R13). Pure.

Its agreement ends with the last day of the filing at the latest, at 24:00 in Shanghai.
"""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Final, Self
from zoneinfo import ZoneInfo

SHANGHAI: Final = ZoneInfo("Asia/Shanghai")
NUMBER: Final = re.compile(r"[^\s\x00-\x1f]{1,64}")
LONGEST_AUTHORITY: Final = 100
PREFIX: Final = "filing_"
"""How the names of its columns begin."""
KINDS: Final[Mapping[str, str]] = {
    "enterprise_credit_reporting": "企业征信机构备案",
    "credit_rating": "信用评级机构备案",
    "other_credit_service": "其他信用服务机构备案",
}
"""Kinds of filing, with their Chinese names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filing:
    """A filing as an operator has checked it at the authority."""

    kind: str
    authority: str
    number: str
    checked_on: date
    valid_until: date
    """Last day of validity; 2099-12-31 is an open one."""

    @property
    def problem(self) -> str | None:
        """The fault that makes the filing unusable, or none."""
        authority = self.authority
        if self.kind not in KINDS:
            return f"The kind of a filing is one of: {', '.join(KINDS)}."
        if (
            not (authority.strip() and authority.isprintable())
            or len(authority) > LONGEST_AUTHORITY
        ):
            return f"A filing names its authority in 1 to {LONGEST_AUTHORITY} printable signs."
        if not NUMBER.fullmatch(self.number):
            return "A filing number has 1 to 64 signs, no spaces."
        return None

    def is_checked_by(self, now: datetime) -> bool:
        """False if the day of the check lies ahead."""
        return self.checked_on <= now.astimezone(SHANGHAI).date()

    @property
    def ends_at(self) -> datetime:
        """End of the last day, exclusive."""
        return datetime.combine(self.valid_until + timedelta(days=1), time.min, tzinfo=SHANGHAI)

    def columns(self) -> dict[str, Any]:
        """The columns of `client` that a filing fills."""
        return {f"{PREFIX}{name}": value for name, value in asdict(self).items()}

    @classmethod
    def of(cls, columns: Mapping[str, Any]) -> Self | None:
        """The filing in these columns; none if a part is missing, as before migration 0036."""
        parts = {name: columns[f"{PREFIX}{name}"] for name in cls.__dataclass_fields__}
        return None if None in parts.values() else cls(**parts)


COLUMNS: Final = tuple(f"{PREFIX}{name}" for name in Filing.__dataclass_fields__)
