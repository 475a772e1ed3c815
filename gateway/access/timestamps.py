"""Times on the wire: RFC 3339 with the offset of Shanghai."""

from datetime import datetime
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")


def format_time(moment: datetime) -> str:
    """`moment` to the second, as `2026-11-22T10:00:00+08:00`."""
    return moment.astimezone(SHANGHAI).isoformat(timespec="seconds")
