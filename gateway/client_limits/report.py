"""A reading of a client's quotas as `GET /v1/limits` tells it; pure."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

from gateway.access.serializers.timestamps import format_time
from gateway.client_limits.schemas import LastRefusalOut, LimitOut, LimitsOut
from gateway.limits.model import CounterState, LastRefusal, LimitsReading
from gateway.limits.quotas import (
    ENDPOINT_PREFIX,
    ENTERPRISE,
    MINUTE,
    OAUTH,
    OAUTH_ENDPOINTS,
    Quotas,
)

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def limits_report(quotas: Quotas, reading: LimitsReading) -> LimitsOut:
    """The limits in the order of the reading, then that of each enterprise, without a count."""
    endpoints = iter(OAUTH_ENDPOINTS)
    listed = [_of_state(state, endpoints) for state in reading.states]
    of_each = LimitOut(
        limit=ENTERPRISE,
        per="enterprise",
        quota=quotas.per_enterprise_per_minute,
        window_seconds=MINUTE,
    )
    refusal = reading.last_refusal
    return LimitsOut(
        as_of=_time(reading.now),
        limits=[*listed, of_each],
        last_refusal=None if refusal is None else _of_refusal(refusal),
    )


def _of_state(state: CounterState, oauth_endpoints: Iterator[str]) -> LimitOut:
    endpoint = (
        next(oauth_endpoints)
        if state.name == OAUTH
        else state.name.removeprefix(ENDPOINT_PREFIX)
        if state.name.startswith(ENDPOINT_PREFIX)
        else None
    )
    return LimitOut(
        limit=state.name,
        per="client" if endpoint is None else "endpoint",
        endpoint=endpoint,
        quota=state.quota,
        window_seconds=state.window,
        remaining=state.remaining,
        refill_seconds=state.refill,
        reset_seconds=state.reset,
    )


def _of_refusal(refusal: LastRefusal) -> LastRefusalOut:
    return LastRefusalOut(
        limit=refusal.name, refused_at=_time(refusal.refused_at), fits_at=_time(refusal.fits_at)
    )


def _time(microseconds: int) -> str:
    return format_time(_EPOCH + timedelta(microseconds=microseconds))
