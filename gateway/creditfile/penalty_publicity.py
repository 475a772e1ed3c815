"""Publicity term of a penalty (R2): by severity, and by the rule for decisions before it. Pure.

Sources: 国家发展改革委令第36号《信用修复管理办法》, in force since 2026-04-01; before it
市场监管总局令第45号. The figures are the catalogue's.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, Final, Self

from gateway.creditfile.catalogue.clock_rules import ClockRules, Publicity, PublicityBySeverity
from gateway.creditfile.local_dates import months_after
from gateway.creditfile.records import Record

_INDIVIDUAL_BUSINESS_CODE: Final = "92"
"""First characters of the USCC of an individual business (GB 32100)."""
NEVER: Final = date.min
"""Last day of publicity of a penalty that is never published."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Penalty:
    """The facts of a penalty on which its publicity depends."""

    uscc: str
    decided_on: date | None
    determined_on: date | None = None
    published_on: date | None = None
    ban_until: date | None = None
    severity: str | None = None
    fields: Mapping[str, Any]

    @classmethod
    def from_record(cls, record: Record) -> Self:
        """The penalty in a stored record."""
        return cls(
            uscc=record.uscc,
            decided_on=record.decided_on,
            determined_on=record.determined_on,
            published_on=record.published_on,
            ban_until=record.valid_to,
            severity=record.severity,
            fields=record.fields,
        )

    @property
    def kinds(self) -> frozenset[str]:
        """Kinds of penalty in the decision."""
        return frozenset(self.fields.get("kinds") or ())

    @property
    def fine(self) -> Decimal | None:
        """Fine in 万元."""
        try:
            return Decimal(str(self.fields["fine"]))
        except (KeyError, InvalidOperation):
            return None

    @property
    def determined(self) -> date | None:
        """Day of determination: the start of publicity by severity."""
        return self.determined_on or self.decided_on


def last_day_of_publicity(penalty: Penalty, rules: ClockRules) -> date | None:
    """Last day of publicity; `NEVER` if it is not published or undated, `None` if no rule ends it."""
    by_severity = rules.publicity_by_severity
    ends = []
    if by_severity is not None:
        ends.append(_end_by_severity(penalty, by_severity))
    if rules.publicity is not None and (by_severity is None or _is_before(penalty, by_severity)):
        ends.append(_end_by_kind(penalty, rules.publicity))
    return min((end for end in ends if end is not None), default=None)


def severity_of(penalty: Penalty, rules: PublicityBySeverity) -> str:
    """Severity of the violation: the authority's, else derived from procedure, kinds and fine."""
    if penalty.severity in rules.months:
        return penalty.severity
    if _is_minor(penalty, rules):
        return rules.minor.severity
    huge, fine = rules.serious.fine_from, penalty.fine
    if penalty.kinds & set(rules.serious.kinds) or (huge and fine is not None and fine >= huge):
        return rules.serious.severity
    return rules.ordinary


def _is_before(penalty: Penalty, rules: PublicityBySeverity) -> bool:
    return penalty.decided_on is None or penalty.decided_on < rules.in_force


def _end_by_severity(penalty: Penalty, rules: PublicityBySeverity) -> date | None:
    severity = severity_of(penalty, rules)
    if severity == rules.minor.severity and not _is_to_be_published(penalty, rules):
        return NEVER
    if penalty.determined is None:
        return NEVER
    if _continues(penalty, rules):
        return None
    return months_after(penalty.determined, rules.months[severity])


def _is_minor(penalty: Penalty, rules: PublicityBySeverity) -> bool:
    minor, kinds = rules.minor, penalty.kinds
    if penalty.fields.get("procedure") in minor.procedures:
        return True
    if not kinds or not kinds <= {*minor.kinds, minor.fine}:
        return False
    if minor.fine not in kinds:
        return True
    is_person = penalty.uscc.startswith(_INDIVIDUAL_BUSINESS_CODE)
    limit = minor.person_fine_at_most if is_person else minor.fine_at_most
    return penalty.fine is not None and penalty.fine <= limit


def _is_to_be_published(penalty: Penalty, rules: PublicityBySeverity) -> bool:
    """True where the authority has decided to publish a minor penalty, and may."""
    minor = rules.minor
    return (
        penalty.fields.get(minor.published_if) is True
        and penalty.fields.get("procedure") in minor.published_under
    )


def _continues(penalty: Penalty, rules: PublicityBySeverity) -> bool:
    unfulfilled = penalty.fields.get("fulfilled") is False
    return unfulfilled and penalty.fields.get("authority_uscc") in rules.unfulfilled_continue


def _end_by_kind(penalty: Penalty, rules: Publicity) -> date:
    kinds = penalty.kinds
    if kinds and kinds <= set(rules.never_shown):
        return NEVER
    start = penalty.published_on or penalty.decided_on
    if start is None:
        return NEVER
    if _is_light(penalty, rules):
        ends = [months_after(start, rules.short.months)]
    else:
        ends = [months_after(start, rules.months)]
        if penalty.ban_until is not None and kinds & set(rules.bans):
            ends = [max(ends[0], penalty.ban_until)]
    if penalty.severity in rules.months_by_severity:
        ends.append(months_after(start, rules.months_by_severity[penalty.severity]))
    return min(ends)


def _is_light(penalty: Penalty, rules: Publicity) -> bool:
    """Public criticism, or a low fine, with nothing graver beside it."""
    if not penalty.kinds <= set(rules.harmless_beside_a_fine):
        return False
    only_criticism = penalty.kinds <= {*rules.short.kinds, *rules.never_shown}
    return only_criticism or (penalty.fine is not None and penalty.fine <= rules.short.fine_at_most)
