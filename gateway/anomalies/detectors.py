"""Detectors of anomalies over one client's day. Pure, and of this client's own acts alone.

So an alarm tells a client nothing of what another asks. Ordinary work stays far below these bounds; the
figures behind them are in docs/decisions/0062.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from gateway.anomalies.activity import Activity

SEQUENTIAL_CODES: Final = 100
CODES_PER_CELL: Final = 2
ASSERTED_ANSWERS: Final = 200
NO_PERCENT: Final = 50
SPENT_ENTERPRISES: Final = 50
SPENT_PERCENT: Final = 2
SWEPT_CODES: Final = 300
SWEPT_REGISTERS: Final = 100
"""Registers of an area's 256 that so many codes fill at least: 176 in the mean."""
SWEPT_PERCENT: Final = 50


class AnomalyKind(StrEnum):
    """Kinds of anomaly; append only."""

    SEQUENTIAL_CODES = "sequential_codes"
    """Codes that lie close together, in whatever order they were asked about."""
    NO_SHARE = "no_share"
    """Asserted values of which most are wrong."""
    SPENT_BUDGETS = "spent_budgets"
    """Probe budgets used up on many enterprises."""
    DIVISION_SWEEP = "division_sweep"
    """Most of the enterprises registered in one division."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """An anomaly of a day, with the counts it rests on."""

    kind: AnomalyKind
    counts: Mapping[str, int]


def find_anomalies(activity: Activity, registered: Mapping[str, int]) -> tuple[Finding, ...]:
    """The anomalies of a day so far; `registered` has the size of each of `large_areas`."""
    codes = activity.codes.estimate()
    return (
        *_sequential(codes, activity.cells.estimate()),
        *_mostly_no(activity.yes, activity.no),
        *_spent(codes, activity.spent.estimate()),
        *_swept(large_areas(activity), registered),
    )


def large_areas(activity: Activity) -> dict[str, int]:
    """The areas of which so many codes were asked about that their size matters."""
    asked = {
        name: each.estimate()
        for name, each in activity.areas.items()
        if each.filled >= SWEPT_REGISTERS
    }
    return {name: count for name, count in asked.items() if count >= SWEPT_CODES}


def _sequential(codes: int, cells: int) -> Iterator[Finding]:
    if codes >= SEQUENTIAL_CODES and codes >= CODES_PER_CELL * cells:
        counts = {"enterprises": codes, "cells": cells}
        yield Finding(kind=AnomalyKind.SEQUENTIAL_CODES, counts=counts)


def _mostly_no(yes: int, no: int) -> Iterator[Finding]:
    if yes + no >= ASSERTED_ANSWERS and 100 * no >= NO_PERCENT * (yes + no):
        yield Finding(kind=AnomalyKind.NO_SHARE, counts={"answers": yes + no, "no": no})


def _spent(codes: int, spent: int) -> Iterator[Finding]:
    if spent >= SPENT_ENTERPRISES and 100 * spent >= SPENT_PERCENT * codes:
        counts = {"enterprises": codes, "spent": spent}
        yield Finding(kind=AnomalyKind.SPENT_BUDGETS, counts=counts)


def _swept(asked: Mapping[str, int], registered: Mapping[str, int]) -> Iterator[Finding]:
    swept = [
        {"enterprises": count, "registered": registered[area]}
        for area, count in asked.items()
        if 100 * count >= SWEPT_PERCENT * registered[area]
    ]
    if swept:
        counts = max(swept, key=lambda each: each["enterprises"])
        yield Finding(kind=AnomalyKind.DIVISION_SWEEP, counts=counts)
