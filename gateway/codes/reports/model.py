"""Values of reports on codes: grounds, states, bounds and the scanned text. Pure."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final

from gateway.codes.coarse_counts import at_least
from gateway.codes.ids import parse_code_id
from gateway.creditfile.objections.text_input import InvalidText, read_text
from gateway.pages.i18n import Translated

HANDLING_WORKING_DAYS: Final = 5
MAX_TEXT: Final = 200
MAX_SCANNED: Final = 200
STORED_PER_CODE_AND_DAY: Final = 20
"""Reports with their text; a further text replaces one of the day."""
STORED_PER_NETWORK_AND_CODE: Final = 2
"""Maximum of one network's reports with their text, of one code in a day."""
UNKNOWN_PER_DAY: Final = 200
"""New ids that are no code of ours, and apart from them new other texts; further ones share a case."""
UNKNOWN_PER_NETWORK: Final = 3
"""Maximum of new unknown texts of each kind in a day."""
UNKNOWN_AT_MOST: Final = 2_000
"""Maximum of each kind in a day, the first one of every network included: it bounds the disk space."""
OTHER_TEXTS: Final = ""


class Ground(StrEnum):
    """Grounds of a report (wire names)."""

    DIFFERENT_NAME = "different_name"
    DIFFERENT_ADDRESS = "different_address"
    COVERED = "covered"
    ASKS_MONEY_OR_LOGIN = "asks_money_or_login"
    OTHER = "other"


GROUNDS: Final = {
    Ground.DIFFERENT_NAME: Translated("店名或企业名称不一样", "The shop has another name"),
    Ground.DIFFERENT_ADDRESS: Translated("地址不一样", "It is at another address"),
    Ground.COVERED: Translated(
        "贴纸下面盖着另一张，或有揭换痕迹", "The sticker covers another one, or was replaced"
    ),
    Ground.ASKS_MONEY_OR_LOGIN: Translated(
        "扫码后要求付款、登录或填写个人信息", "It asks for money, a login or personal data"
    ),
    Ground.OTHER: Translated("其他", "Something else"),
}


class ReportStatus(StrEnum):
    """State of a case: all reports on one code until a decision."""

    OPEN = "open"
    DISMISSED = "dismissed"
    CONFIRMED = "confirmed"


class Outcome(StrEnum):
    """The operator's decision."""

    DISMISSED = "dismissed"
    CONFIRMED = "confirmed"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScannedCode:
    """Scanned text: a well-formed id, or a bounded text without control characters."""

    text: str
    code_id: str | None

    @property
    def key(self) -> str:
        """The key of its case."""
        return self.code_id or self.text


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One report, as the form was read."""

    report_id: str
    scanned: ScannedCode
    ground: Ground
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseSummary:
    """A case as its enterprise sees it: coarse numbers and the outcome, no texts."""

    status: str
    reports: int
    first_on: date
    decided_on: date | None

    @property
    def reports_at_least(self) -> int:
        """The number of reports as the lower edge of its band."""
        return at_least(self.reports)


def whole_hour(moment: datetime) -> datetime:
    """The hour of a moment: a report's time is kept no finer."""
    return moment.replace(minute=0, second=0, microsecond=0)


def read_scanned(written: str, *, today: date) -> ScannedCode:
    """The scanned or typed text, bounded and masked like any text of a citizen."""
    code_id = parse_code_id(written)
    if code_id is not None:
        return ScannedCode(text=code_id, code_id=code_id)
    read = read_text(" ".join(written[:MAX_SCANNED].split()), today=today, shortest=0)
    text = "" if isinstance(read, InvalidText) else read.text[:MAX_SCANNED]
    return ScannedCode(text=text or "?", code_id=None)
