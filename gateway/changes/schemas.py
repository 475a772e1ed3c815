"""Request and response models of the change feed."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, Field, StringConstraints

from gateway.access.http.body import WireModel
from gateway.access.serializers.timestamps import format_time
from gateway.disclosure.change_feed import FeedPage
from gateway.disclosure.withdrawal_notices import NoticeKind, WithdrawalNotice

MAX_CURSOR_DIGITS = 18
"""Fits into PostgreSQL's bigint."""
CURSOR_PATTERN = rf"^[0-9]{{1,{MAX_CURSOR_DIGITS}}}$"
Cursor = Annotated[str, StringConstraints(pattern=CURSOR_PATTERN)]


class ChangeOut(BaseModel):
    """One change. `disclosure_ids` are the answers that rest on what has changed."""

    change_id: str
    kind: NoticeKind
    occurred_at: str
    dataset: str | None
    record_id: str | None
    consent_id: str | None
    disclosure_ids: list[str]
    uscc: str = Field(default="", description="There only for `answer_may_have_changed`.")
    questions: list[str] = Field(
        default=[], description="There only for `answer_may_have_changed`: ask these again."
    )

    @classmethod
    def of(cls, notice: WithdrawalNotice) -> "ChangeOut":
        """The wire form of a notice; never the record's content."""
        of_watch = (
            {}
            if notice.questions is None
            else {"uscc": notice.uscc, "questions": list(notice.questions)}
        )
        return cls(
            change_id=notice.change_id,
            kind=notice.kind,
            occurred_at=format_time(notice.occurred_at),
            dataset=notice.dataset,
            record_id=notice.record_id,
            consent_id=notice.consent_id,
            disclosure_ids=list(notice.disclosure_ids),
            **of_watch,
        )


class ChangesOut(BaseModel):
    """A page of the feed; ask on after `cursor`."""

    changes: list[ChangeOut]
    cursor: str

    @classmethod
    def of(cls, page: FeedPage) -> "ChangesOut":
        """The wire form of a page."""
        return cls(changes=[ChangeOut.of(each) for each in page.notices], cursor=str(page.cursor))


class AckIn(WireModel):
    """All changes up to `cursor` are known, and what they name is used no more."""

    cursor: Cursor = Field(examples=["17"])


class AckOut(BaseModel):
    """The last acknowledged cursor, and the time of the acknowledgement."""

    cursor: str
    acknowledged_at: str

    @classmethod
    def of(cls, cursor: str, now: datetime) -> "AckOut":
        """The answer to an acknowledgement."""
        return cls(cursor=str(int(cursor)), acknowledged_at=format_time(now))
