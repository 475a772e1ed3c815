"""Times on the wire: RFC 3339 with the offset of Shanghai."""

from datetime import UTC, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")


def format_time(moment: datetime) -> str:
    """`moment` to the second, as `2026-11-22T10:00:00+08:00`."""
    return _format_utc(moment.astimezone(UTC))


@lru_cache(maxsize=1024)  # the records of a page have few distinct ends
def _format_utc(moment: datetime) -> str:
    return moment.astimezone(SHANGHAI).isoformat(timespec="seconds")
