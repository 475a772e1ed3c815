"""Traffic of clients for the detectors: ordinary work and attacks, seeded."""

import random
from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any, Final

from gateway.anomalies.activity import Activity, AskedOnce
from gateway.anomalies.detectors import AnomalyKind, find_anomalies, large_areas
from gateway.synthetic.generator.uscc_generator import random_uscc
from verification.uscc import ALPHABET, check_character, organisation_check

DAY: Final = date(2026, 11, 30)
NAME: Final = "enterprise_name.v1"
DIVISIONS: Final = tuple(
    f"33{city:02}{district:02}" for city in range(1, 12) for district in range(1, 9)
)
_DIGITS: Final = 6


def seeded(seed: int) -> random.Random:
    """Chance that repeats."""
    return random.Random(seed)  # noqa: S311  # no secret


def code_at(number: int, division: str = "330106") -> str:
    """The code of a firm by its place in the order of codes; neighbours are consecutive."""
    digits = ""
    for _ in range(_DIGITS):
        number, digit = divmod(number, len(ALPHABET))
        digits = ALPHABET[digit] + digits
    body = f"MA{digits}"
    first17 = f"91{division}{body}{organisation_check(body)}"
    return first17 + check_character(first17)


def call(uscc: str, *answers: str, spent: bool = False) -> AskedOnce:
    """A call about names, with these answers."""
    items = [{"code": NAME, "answer": each} for each in answers]
    return AskedOnce(client_id="c", uscc=uscc, day=DAY, items=items, has_spent_budget=spent)


def flagged(calls: Iterable[AskedOnce], registered: int = 100_000) -> set[AnomalyKind]:
    """The kinds flagged by a day of these calls, where each area has so many enterprises."""
    activity = Activity()
    for each in calls:
        activity.add(each, b"key")
    sizes = dict.fromkeys(large_areas(activity), registered)
    return {each.kind for each in find_anomalies(activity, sizes)}


def merchants(rng: random.Random, size: int, divisions: Iterable[str]) -> list[str]:
    """Codes of a client's own customers, sorted as a nightly file is."""
    places = tuple(divisions)
    return sorted(random_uscc(rng, "firm", rng.choice(places)) for _ in range(size))


def answered(rng: random.Random, codes: Iterable[str], wrong: float) -> Iterator[AskedOnce]:
    """Calls on one name each, of which a share is wrong; a wrong one is asked again, corrected."""
    for code in codes:
        if rng.random() < wrong:
            yield call(code, "no")
        yield call(code, "yes")


def registered_densely(rng: random.Random, share: float, size: int) -> list[str]:
    """A local bank's customers: a share of all codes of a district that are given out in order."""
    span = int(size / share)
    return [code_at(number) for number in sorted(rng.sample(range(span), size))]


def shuffled(rng: random.Random, codes: Iterable[Any]) -> list[Any]:
    """In no order."""
    made = list(codes)
    rng.shuffle(made)
    return made
