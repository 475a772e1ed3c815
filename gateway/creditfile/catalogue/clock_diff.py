"""Comparison of two versions of a clock rule: how the new one discloses longer or more. Pure.

Changes that cannot be compared count as widening, and so does earlier deletion, which is irreversible.
"""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any

from gateway.creditfile.catalogue.clock_rules import (
    ClockRules,
    Exempt,
    Publicity,
    PublicityBySeverity,
    Term,
)


def clock_widenings(old: ClockRules, new: ClockRules) -> Iterator[str]:
    """Disclosures that the new rule widens."""
    if new.until_removed and not old.until_removed:
        yield "told for as long as it is listed"
    yield from _retention_changes(old, new)
    if old.term is not None:
        yield from _term_changes(old.term, new.term)
    if old.ends_with is not None and new.ends_with != old.ends_with:
        yield "does not end with the record that it led to"
    if old.filing is not None and new.filing != old.filing:
        yield "told without the filing that it needed"
    if old.until_valid_to and not new.until_valid_to:
        yield "told beyond its validity"
    if old.latest_of is not None and (
        new.latest_of is None or not set(new.latest_of) <= set(old.latest_of)
    ):
        yield "told beside a later one"
    yield from _publicity_rules_changes(old, new)
    if old.exempt is not None:
        yield from _exemption_changes(old.exempt, new.exempt)


def _retention_changes(old: ClockRules, new: ClockRules) -> Iterator[str]:
    if _longer(old.retention_months, new.retention_months):
        yield "kept longer"
    if _longer(new.retention_months, old.retention_months):
        yield "kept for a shorter time, and deleted then"
    if old.until_removed and not new.until_removed and new.retention_months is not None:
        yield "deleted although it may still be listed"


def _term_changes(old: Term, new: Term | None) -> Iterator[str]:
    if new is None:
        yield "no term ends it"
    elif (
        new.months > old.months
        or new.starts != old.starts
        or new.extension_at_most > old.extension_at_most
        or new.extension not in (None, old.extension)
        or (new.only_bad and not old.only_bad)
    ):
        yield "its term ends it later"


def _publicity_rules_changes(old: ClockRules, new: ClockRules) -> Iterator[str]:
    """Changes of the two publicity rules; between different rules there is no comparison."""
    before, after = old.publicity_by_severity, new.publicity_by_severity
    if (before is None) != (after is None) and (old.publicity or before):
        yield "its publicity goes by another rule"
        return
    if before is not None and after is not None:
        yield from _severity_changes(before, after)
    if old.publicity is not None:
        if new.publicity is None:
            yield "no rule ends its publicity"
        else:
            yield from _publicity_changes(old.publicity, new.publicity)


def _severity_changes(old: PublicityBySeverity, new: PublicityBySeverity) -> Iterator[str]:
    minor, now = old.minor, new.minor
    shown = (
        (new.in_force != old.in_force, "its publicity goes by severity from another day"),
        (
            any(_longer(months, new.months.get(name)) for name, months in old.months.items()),
            "a severity is shown longer",
        ),
        (
            (now.severity, new.ordinary, new.serious.severity)
            != (minor.severity, old.ordinary, old.serious.severity),
            "severities have other names",
        ),
        (
            has_lost(minor.procedures, now.procedures)
            or has_lost(minor.kinds, now.kinds)
            or now.fine != minor.fine
            or now.fine_at_most < minor.fine_at_most
            or now.person_fine_at_most < minor.person_fine_at_most,
            "fewer penalties are minor",
        ),
        (
            now.published_if != minor.published_if
            or has_lost(now.published_under, minor.published_under),
            "more minor penalties are shown",
        ),
        (
            has_lost(new.serious.kinds, old.serious.kinds)
            or _longer(new.serious.fine_from, old.serious.fine_from),
            "more penalties are serious",
        ),
        (
            has_lost(new.unfulfilled_continue, old.unfulfilled_continue),
            "more authorities show theirs until they are fulfilled",
        ),
    )
    yield from (sentence for wider, sentence in shown if wider)


def _publicity_changes(old: Publicity, new: Publicity) -> Iterator[str]:
    shown = (
        (has_lost(old.never_shown, new.never_shown), "kinds are shown that never were"),
        (has_lost(old.short.kinds, new.short.kinds), "fewer kinds are shown for a short time only"),
        (has_lost(new.bans, old.bans), "more bans prolong it"),
        (
            has_lost(old.harmless_beside_a_fine, new.harmless_beside_a_fine),
            "fewer kinds stand beside a low fine",
        ),
        (new.short.fine_at_most < old.short.fine_at_most, "fewer fines count as low"),
        (new.short.months > old.short.months, "a light penalty is shown longer"),
        (new.months > old.months, "shown longer"),
    )
    yield from (sentence for wider, sentence in shown if wider)
    for severity, months in old.months_by_severity.items():
        if _longer(months, new.months_by_severity.get(severity)):
            yield f"shown longer where {severity}"


def _exemption_changes(old: Exempt, new: Exempt | None) -> Iterator[str]:
    if new is None:
        yield "nothing is exempt from counting as bad information"
        return
    if (
        has_lost(old.procedures, new.procedures)
        or has_lost(old.under_appeal, new.under_appeal)
        or has_lost(new.no_appeal_any_more, old.no_appeal_any_more)
        or (old.appeal_days or 0) > (new.appeal_days or 0)
    ):
        yield "less is exempt from counting as bad information"


def _longer(old: float | Decimal | None, new: float | Decimal | None) -> bool:
    """True if a term became longer; `None` never ends."""
    return old is not None and (new is None or new > old)


def has_lost(old: Iterable[Any], new: Iterable[Any]) -> bool:
    """True if `new` lacks an element of `old`."""
    return bool(set(old) - set(new))
