"""Limiter: quotas of an agreement, counters of a call, RateLimit headers."""

import pytest

from gateway.limits.model import Admission, Counter, CounterState, Distinct, Pin, Replay
from gateway.limits.quotas import Quotas, QuotasError, counters_for, distinct_for, policy_headers


def test_an_agreement_that_says_nothing_has_the_published_quotas() -> None:
    """An empty object."""
    assert Quotas.from_json({}) == Quotas(
        per_minute=600,
        per_day=100_000,
        per_enterprise_per_minute=60,
        distinct_enterprises_per_day=20_000,
    )


def test_an_agreement_changes_the_quotas_that_it_names() -> None:
    """The others keep their defaults; serialisation round-trips."""
    quotas = Quotas.from_json({"per_minute": 5})
    assert quotas == Quotas(per_minute=5)
    assert Quotas.from_json(quotas.to_json()) == quotas


@pytest.mark.parametrize(
    "unreadable",
    [
        None,
        [],
        "600",
        {"per_minute": 0},
        {"per_minute": -1},
        {"per_minute": 1.5},
        {"per_day": True},
        {"per_day": "9"},
        {"per_day": None},
        {"per_day": 10_000_001},
        {"per_hour": 1},
        {1: 1},
    ],
)
def test_quotas_that_cannot_be_read_are_an_error_and_no_default(unreadable: object) -> None:
    """Fails closed."""
    with pytest.raises(QuotasError):
        Quotas.from_json(unreadable)


def test_a_call_about_an_enterprise_is_counted_three_times() -> None:
    """By client and minute, client and day, client and enterprise and minute."""
    counters = counters_for(Quotas(), "bank", "digest", cost=3)
    assert [(c.name, c.quota, c.window, c.cost) for c in counters] == [
        ("client", 600, 60, 3),
        ("client_day", 100_000, 86_400, 3),
        ("enterprise", 60, 60, 3),
    ]


def test_a_call_about_no_enterprise_is_counted_for_the_client_only() -> None:
    """By client only."""
    assert [c.name for c in counters_for(Quotas(), "bank", None)] == ["client", "client_day"]


def test_two_enterprises_have_a_counter_each() -> None:
    """The third counter's key differs."""
    one, two = (counters_for(Quotas(), "bank", key) for key in ("one", "two"))
    assert one[:2] == two[:2]
    assert one[2].key != two[2].key


def test_distinct_enterprises_are_counted_by_day() -> None:
    """The member is the enterprise's digest."""
    distinct = distinct_for(Quotas(distinct_enterprises_per_day=9), "bank", "digest")
    assert (distinct.name, distinct.member) == ("distinct_enterprises", "digest")
    assert (distinct.limit, distinct.window) == (9, 86_400)


def test_headers_are_structured_fields_of_the_draft() -> None:
    """One list member for each quota; `t` is when more is there (draft-10)."""
    states = (
        CounterState(name="client", quota=600, window=60, remaining=599, refill=1, reset=2),
        CounterState(
            name="client_day", quota=100_000, window=86_400, remaining=5, refill=8, reset=86_000
        ),
    )
    assert policy_headers(states) == {
        "RateLimit-Policy": '"client";q=600;w=60, "client_day";q=100000;w=86400',
        "RateLimit": '"client";r=599;t=1, "client_day";r=5;t=8',
    }


def test_without_quotas_there_are_no_headers() -> None:
    """Empty structured fields are malformed."""
    assert policy_headers(()) == {}


@pytest.mark.parametrize("name", ["", "Client", 'a"b', "a:b", "a b", "9", "a" * 33])
def test_a_name_that_would_break_a_header_or_a_key_cannot_be_written(name: str) -> None:
    """Names are of a-z, 0-9 and _."""
    with pytest.raises(ValueError, match="name"):
        Counter(name=name, key="k", quota=1, window=1)
    with pytest.raises(ValueError, match="name"):
        Distinct(name=name, key="k", member="m", limit=1, window=1)


@pytest.mark.parametrize("tag", ["", "{", "}", "a{b}", "a}b"])
def test_a_tag_that_would_not_be_one_hash_tag_cannot_be_written(tag: str) -> None:
    """Redis Cluster hashes what is between the first braces."""
    with pytest.raises(ValueError, match="tag"):
        Admission(tag=tag, generation=None)


def test_uncountable_limits_cannot_be_constructed() -> None:
    """Bounds are checked in the constructors."""
    with pytest.raises(ValueError, match="quota"):
        Counter(name="c", key="k", quota=0, window=1)
    with pytest.raises(ValueError, match="quota"):
        Counter(name="c", key="k", quota=1_000_001, window=1)
    with pytest.raises(ValueError, match="window"):
        Counter(name="c", key="k", quota=1, window=0)
    with pytest.raises(ValueError, match="cost"):
        Counter(name="c", key="k", quota=1, window=1, cost=-1)
    with pytest.raises(ValueError, match="lives"):
        Replay(key="k", ttl=0)
    with pytest.raises(ValueError, match="lives"):
        Pin(key="k", value="v", ttl=0)


def test_one_counter_cannot_be_charged_twice_in_one_admission() -> None:
    """Duplicates are refused."""
    counter = Counter(name="c", key="k", quota=2, window=1)
    with pytest.raises(ValueError, match="twice"):
        Admission(tag="t", generation=None, counters=(counter, counter))
