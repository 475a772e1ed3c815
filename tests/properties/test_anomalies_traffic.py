"""Anomalies: ordinary traffic of any seed is not flagged, each attack is; sketches count right."""

import random
from collections.abc import Callable, Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.anomalies.activity import AskedOnce
from gateway.anomalies.detectors import AnomalyKind
from gateway.anomalies.distinct import DistinctCounter
from tests.anomaly_traffic import (
    DIVISIONS,
    answered,
    call,
    code_at,
    flagged,
    merchants,
    registered_densely,
    seeded,
    shuffled,
)

SEEDS = st.integers(0, 2**32)
Traffic = Callable[[random.Random], Iterable[AskedOnce]]

ORDINARY: dict[str, Traffic] = {
    "a platform's nightly review": lambda rng: answered(
        rng, merchants(rng, 3_000, DIVISIONS), wrong=0.1
    ),
    "a platform that brings in merchants": lambda rng: answered(
        rng, shuffled(rng, merchants(rng, 400, DIVISIONS)), wrong=0.4
    ),
    "a bank of one district": lambda rng: answered(
        rng, merchants(rng, 2_000, ["330106"]), wrong=0.05
    ),
    "a bank with a tenth of all firms of its district": lambda rng: answered(
        rng, registered_densely(rng, 0.1, 1_000), wrong=0.05
    ),
    "a clerk who mistypes": lambda rng: (
        call(code, "no", "no", "yes", spent=True) for code in merchants(rng, 20, DIVISIONS)
    ),
}
ATTACKS: dict[str, tuple[AnomalyKind, Traffic]] = {
    "a range of codes, shuffled": (
        AnomalyKind.SEQUENTIAL_CODES,
        lambda rng: map(call, shuffled(rng, map(code_at, range(5_000, 5_600)))),
    ),
    "every third code of a range": (
        AnomalyKind.SEQUENTIAL_CODES,
        lambda rng: map(call, shuffled(rng, map(code_at, range(0, 1_800, 3)))),
    ),
    "many short ranges": (
        AnomalyKind.SEQUENTIAL_CODES,
        lambda rng: (
            call(code_at(first + step))
            for first in rng.sample(range(0, 800_000_000, 100), 60)
            for step in range(12)
        ),
    ),
    "guessed names": (
        AnomalyKind.NO_SHARE,
        lambda rng: (call(code, "no", "no") for code in merchants(rng, 150, DIVISIONS)),
    ),
    "three guesses at each enterprise": (
        AnomalyKind.SPENT_BUDGETS,
        lambda rng: (call(code, spent=True) for code in merchants(rng, 100, DIVISIONS)),
    ),
}


@pytest.mark.parametrize("kind", ORDINARY)
@given(seed=SEEDS)
def test_ordinary_traffic_is_not_flagged(kind: str, seed: int) -> None:
    """In a province of 100,000 enterprises a division."""
    assert flagged(ORDINARY[kind](seeded(seed))) == set()


@pytest.mark.parametrize("kind", ATTACKS)
@given(seed=SEEDS)
def test_each_attack_is_flagged(kind: str, seed: int) -> None:
    """Of any seed."""
    expected, traffic = ATTACKS[kind]
    assert expected in flagged(traffic(seeded(seed)))


@given(seed=SEEDS, size=st.integers(0, 30_000))
def test_a_sketch_counts_within_its_error(seed: int, size: int) -> None:
    """Within six standard errors and one item, also between small and large numbers."""
    rng = seeded(seed)
    sketch = DistinctCounter(8)
    for _ in range(size):
        sketch.add(rng.getrandbits(64))
    assert abs(sketch.estimate() - size) <= 6 * 0.065 * size + 1


@given(items=st.lists(st.integers(0, 2**64 - 1), max_size=50))
def test_a_sketch_forgets_repeats_and_order(items: list[int]) -> None:
    """What was added again, or in another order, changes nothing; nor does storing it."""
    sketch, other = DistinctCounter(8), DistinctCounter(8)
    for each in items:
        sketch.add(each)
    for each in reversed(items * 2):
        other.add(each)
    assert sketch.to_bytes() == other.to_bytes()
    assert DistinctCounter(8, sketch.to_bytes()).estimate() == sketch.estimate()
