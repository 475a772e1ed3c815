"""Response models of `GET /v1/limits`."""

from typing import Literal

from pydantic import Field

from gateway.access.http.body import WireModel


class LimitOut(WireModel):
    """A limit, and what is left of it now."""

    limit: str = Field(description="Its name, as in `RateLimit-Policy`.")
    per: Literal["client", "enterprise", "endpoint"]
    endpoint: str | None = Field(default=None, description="There where it is of one endpoint.")
    quota: int
    window_seconds: int
    remaining: int | None = Field(
        default=None, description="Absent where each enterprise has a count of its own."
    )
    refill_seconds: int | None = Field(
        default=None, description="Until one more remains; 0 where the quota is full."
    )
    reset_seconds: int | None = Field(default=None, description="Until the quota is full.")


class LastRefusalOut(WireModel):
    """The last call that a limit refused."""

    limit: str
    refused_at: str
    fits_at: str = Field(description="When the refused call would have fitted again.")


class LimitsOut(WireModel):
    """The limits of the calling client; looking at them charges none but `limits`."""

    as_of: str
    limits: list[LimitOut]
    last_refusal: LastRefusalOut | None = Field(
        default=None, description="Absent where none was refused in the last 24 hours."
    )
