"""Times on the wire: RFC 3339 with the offset of Shanghai."""

from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")


def format_time(moment: datetime) -> str:
    """`moment` to the second, as `2026-11-22T10:00:00+08:00`."""
    return _format(moment.replace(microsecond=0) if moment.microsecond else moment)


@lru_cache(maxsize=1024)  # calls of one second have one time, the records of a page few ends
def _format(moment: datetime) -> str:
    return moment.astimezone(SHANGHAI).isoformat(timespec="seconds")
