"""Pagination of the portal's lists: page size, and the cursor in the query parameter `before`."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Self

from gateway.identity.session_dependency import Visitor
from gateway.pages.page_route import EarlyResponse

PAGE_SIZE: Final = 20
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListPosition:
    """Pagination cursor: moment and id of the last entry of a page."""

    moment: datetime
    ref: str

    def __str__(self) -> str:
        """As a query parameter."""
        return f"{(self.moment - _EPOCH) // timedelta(microseconds=1)}~{self.ref}"

    @classmethod
    def parse(cls, written: str) -> Self | None:
        """Parse a query parameter; `None` if malformed."""
        micros, _, ref = written.partition("~")
        if not (micros.isascii() and micros.isdecimal() and ref) or "\0" in ref:
            return None
        try:
            return cls(moment=_EPOCH + timedelta(microseconds=int(micros)), ref=ref)
        except (OverflowError, ValueError):
            return None


def requested_position(visitor: Visitor) -> ListPosition | None:
    """The cursor in the query parameter `before`, if any; a malformed one is the 404 page."""
    before = visitor.request.query_params.get("before", "")
    position = ListPosition.parse(before)
    if before and position is None:
        raise EarlyResponse(visitor.not_found())
    return position
