"""Quotas of an agreement, their counters, and the `RateLimit` headers."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from typing import Self

from gateway.limits.model import (
    Counter,
    CounterState,
    Distinct,
    LimitsQuery,
    LineAdmission,
    LinesAdmission,
)

MINUTE = 60
DAY = 86_400
LARGEST_QUOTA = 10_000_000

# The names are on the wire (RateLimit-Policy): append only.
CLIENT = "client"
CLIENT_DAY = "client_day"
ENTERPRISE = "enterprise"
DISTINCT_ENTERPRISES = "distinct_enterprises"
OAUTH = "oauth"
OAUTH_ENDPOINTS = ("token", "par", "introspect", "revoke")
ENDPOINT_PREFIX = "endpoint_"
GATEWAY = "gateway"  # never told: it says how much others call
LIMITS = "limits"
LIMITS_PER_MINUTE = 60  # looks at one's own limits, which charge no other quota
FEWEST_AT_OAUTH = 60  # a minute: a client of a very small quota must still be able to get tokens


class QuotasError(ValueError):
    """An agreement's quotas that cannot be read; nothing is allowed under it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quotas:
    """The quotas of one agreement; a quota left out has its default, and 0 is not a quota."""

    per_minute: int = 600
    per_day: int = 100_000
    per_enterprise_per_minute: int = 60
    distinct_enterprises_per_day: int = 20_000

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if type(value) is not int or not 1 <= value <= LARGEST_QUOTA:
                raise QuotasError(f"{field.name} must be a whole number from 1 to {LARGEST_QUOTA}")

    @classmethod
    def from_json(cls, value: object) -> Self:
        """The quotas in the `quotas` member of an agreement; raises `QuotasError`."""
        if not isinstance(value, Mapping):
            raise QuotasError("quotas must be a JSON object")
        unknown = sorted(str(name) for name in value.keys() - {field.name for field in fields(cls)})
        if unknown:
            raise QuotasError(f"no such quota: {', '.join(unknown)}")
        return cls(**value)

    def at_rate(self, percent: int) -> Self:
        """These quotas with the given part of the rates; what is allowed in a day is the same."""
        return replace(
            self,
            per_minute=max(1, self.per_minute * percent // 100),
            per_enterprise_per_minute=max(1, self.per_enterprise_per_minute * percent // 100),
        )

    def to_json(self) -> dict[str, int]:
        """The JSON object that `from_json` reads."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


def counters_for(
    quotas: Quotas, client_id: str, uscc_key: str | None, cost: int = 1
) -> tuple[Counter, ...]:
    """The counters that a client's API call charges.

    `uscc_key` is a keyed digest of the USCC; `None` for a call about no enterprise.
    """
    of_client = _client_counters(quotas, client_id, cost)
    if uscc_key is None:
        return of_client
    return (*of_client, _enterprise_counter(quotas, client_id, uscc_key, cost))


def _enterprise_counter(quotas: Quotas, client_id: str, uscc_key: str, cost: int) -> Counter:
    quota = quotas.per_enterprise_per_minute
    key = f"{client_id} {uscc_key}"
    return Counter(name=ENTERPRISE, key=key, quota=quota, window=MINUTE, cost=cost)


@lru_cache(maxsize=4_096)
def _client_counters(quotas: Quotas, client_id: str, cost: int) -> tuple[Counter, ...]:
    """The counters of a client by itself, the same in all its calls."""
    return (
        Counter(name=CLIENT, key=client_id, quota=quotas.per_minute, window=MINUTE, cost=cost),
        Counter(name=CLIENT_DAY, key=client_id, quota=quotas.per_day, window=DAY, cost=cost),
    )


def oauth_counter(quotas: Quotas, client_id: str, endpoint: str) -> Counter:
    """The counter of one OAuth endpoint: the quota per minute, for each endpoint separately."""
    quota = max(quotas.per_minute, FEWEST_AT_OAUTH)
    return Counter(name=OAUTH, key=f"{client_id} {endpoint}", quota=quota, window=MINUTE)


def endpoint_counter(client_id: str, operation: str, quota: int) -> Counter:
    """The counter of a client's calls of one operation, by the operator's setting."""
    return Counter(name=ENDPOINT_PREFIX + operation, key=client_id, quota=quota, window=MINUTE)


def gateway_counter(calls_per_second: int) -> Counter:
    """The counter of all clients' calls under `/v1`."""
    return Counter(name=GATEWAY, key=GATEWAY, quota=calls_per_second, window=1, shared=True)


def limits_counter(client_id: str) -> Counter:
    """The counter of `GET /v1/limits`."""
    return Counter(name=LIMITS, key=client_id, quota=LIMITS_PER_MINUTE, window=MINUTE)


def limits_query(quotas: Quotas, client_id: str, endpoint_limits: Mapping[str, int]) -> LimitsQuery:
    """The quotas of a client that have one remainder: all but those of each enterprise."""
    return LimitsQuery(
        tag=client_id,
        counters=(
            *_client_counters(quotas, client_id, 1),
            limits_counter(client_id),
            *(oauth_counter(quotas, client_id, endpoint) for endpoint in OAUTH_ENDPOINTS),
            *(endpoint_counter(client_id, *limit) for limit in endpoint_limits.items()),
        ),
        distinct=distinct_for(quotas, client_id, ""),
    )


def distinct_for(quotas: Quotas, client_id: str, uscc_key: str) -> Distinct:
    """The limit on distinct enterprises that a client asks about in a day."""
    return Distinct(
        name=DISTINCT_ENTERPRISES,
        key=client_id,
        member=uscc_key,
        limit=quotas.distinct_enterprises_per_day,
        window=DAY,
    )


def lines_admission(
    quotas: Quotas, client_id: str, lines: Iterable[tuple[str, int]]
) -> LinesAdmission:
    """The admission of lines of one call, each a keyed digest of its USCC and its cost to the client."""
    return LinesAdmission(
        tag=client_id,
        shared=_client_counters(quotas, client_id, 1),
        lines=tuple(
            LineAdmission(
                counter=_enterprise_counter(quotas, client_id, uscc_key, 1),
                distinct=distinct_for(quotas, client_id, uscc_key),
                cost=cost,
            )
            for uscc_key, cost in lines
        ),
    )


def policy_headers(states: Iterable[CounterState]) -> dict[str, str]:
    """The `RateLimit-Policy` and `RateLimit` headers (draft-ietf-httpapi-ratelimit-headers-10).

    `t` is the seconds until more of the quota is there, so that `Retry-After` is never earlier.
    """
    listed = [each for each in states if each.name != GATEWAY]
    if not listed:
        return {}
    return {
        "RateLimit-Policy": ", ".join(f'"{s.name}";q={s.quota};w={s.window}' for s in listed),
        "RateLimit": ", ".join(f'"{s.name}";r={s.remaining};t={s.refill}' for s in listed),
    }
