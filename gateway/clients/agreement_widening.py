"""Diff of two agreements: what the new one grants beyond the old. Pure.

Where no agreement is in force, or will be, everything that the new one grants is more.
"""

from collections.abc import Iterator
from dataclasses import fields
from datetime import datetime

from gateway.clients.terms import ENCRYPTED, Terms
from gateway.limits.quotas import Quotas

_DECLARED = {None: "none", True: "it decides so", False: "it does not decide so"}


def widens(present: Terms | None, wanted: Terms) -> tuple[str, ...]:
    """Grants of `wanted` beyond `present`, a short phrase each; empty if it only narrows."""
    if present is None:
        return ("a first agreement, or one after the last has ended",)
    return (
        *_added("purpose", present.purposes, wanted.purposes),
        *_added("dataset", present.datasets, wanted.datasets),
        *_added("question", present.questions, wanted.questions),
        *_larger(present.quotas, wanted.quotas),
        *_kept_longer(present.retention_days, wanted.retention_days),
        *_in_the_open(present.id_numbers, wanted.id_numbers),
        *_unsigned(present, wanted),
        *_declared(present.automated_decisions, wanted.automated_decisions),
        *_longer(present, wanted),
    )


def still_counts(terms: Terms, ended_at: datetime | None, now: datetime) -> bool:
    """True if a version is in force, or will be; an ended one is not compared with."""
    return now < terms.valid_until and (ended_at is None or now < ended_at)


def _added(what: str, present: frozenset[str], wanted: frozenset[str]) -> Iterator[str]:
    return (f"{what} {name}" for name in sorted(wanted - present))


def _larger(present: Quotas, wanted: Quotas) -> Iterator[str]:
    for quota in fields(Quotas):
        before, after = getattr(present, quota.name), getattr(wanted, quota.name)
        if after > before:
            yield f"quota {quota.name} from {before} to {after}"


def _kept_longer(before: int, after: int) -> Iterator[str]:
    if after > before:
        yield f"a longer retention, from {before} to {after} days"


def _in_the_open(before: str | None, after: str | None) -> Iterator[str]:
    if before == ENCRYPTED != after:
        yield "ID numbers that need not be encrypted"


def _unsigned(present: Terms, wanted: Terms) -> Iterator[str]:
    if present.requires_signed_requests and not wanted.requires_signed_requests:
        yield "requests that need not be signed"


def _declared(before: bool | None, after: bool | None) -> Iterator[str]:  # noqa: FBT001  # three states
    """A declaration that enterprises read before they consent is approved as what they are told."""
    if after != before:
        yield f"another declaration of automated decisions: {_DECLARED[after]}"


def _longer(present: Terms, wanted: Terms) -> Iterator[str]:
    if wanted.valid_from < present.valid_from:
        yield f"an earlier start, {wanted.valid_from.isoformat()}"
    if wanted.valid_until > present.valid_until:
        yield f"a longer term, until {wanted.valid_until.isoformat()}"
