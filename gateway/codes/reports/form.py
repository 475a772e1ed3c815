"""Reading a posted report: token, code, ground and text; a mistake is a value with its sentence. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from gateway.codes.reports.form_token import report_id_of
from gateway.codes.reports.model import MAX_TEXT, Ground, Report, read_scanned
from gateway.creditfile.local_dates import day_of
from gateway.creditfile.objections.text_input import InvalidText, read_text
from gateway.pages.forms import Fields, single_value
from gateway.pages.i18n import Translated

FORBIDDEN: Final = 403
UNREADABLE: Final = 422


@dataclass(frozen=True, slots=True, kw_only=True)
class FormMistake:
    """Why a form was not taken."""

    status: int
    sentence: Translated
    retry_after: int | None = None
    """Seconds."""


STALE: Final = FormMistake(
    status=FORBIDDEN,
    sentence=Translated(
        "页面打开时间过长，还没有提交。请再点一次“提交”。",
        "The page was open too long and nothing was sent. Please press Send once more.",
    ),
)
NO_GROUND: Final = FormMistake(
    status=UNREADABLE,
    sentence=Translated("请先选择哪里不符。", "Please choose first what does not fit."),
)
TOO_LONG: Final = FormMistake(
    status=UNREADABLE,
    sentence=Translated(
        f"说明最多 {MAX_TEXT} 字，请缩短后提交。",
        f"The note has at most {MAX_TEXT} characters; please shorten it.",
    ),
)
TOO_LARGE: Final = FormMistake(status=413, sentence=TOO_LONG.sentence)
BROKEN: Final = FormMistake(
    status=FORBIDDEN,  # as any form without its token
    sentence=Translated(
        "没有收到完整的内容，请再提交一次。", "The form did not arrive whole; please send it again."
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadForm:
    """A report, and whether a personal number in its text was masked."""

    report: Report
    is_masked: bool


def read_report(fields: Fields, key: bytes, *, now: datetime) -> ReadForm | FormMistake:
    """The report in a form; the token is checked first."""
    today = day_of(now)
    scanned = read_scanned(single_value(fields, "code"), today=today)
    report_id = report_id_of(key, single_value(fields, "token"), scanned.key, now=now)
    if report_id is None:
        return STALE
    chosen = single_value(fields, "ground")
    if chosen not in {*Ground}:
        return NO_GROUND
    written = read_text(single_value(fields, "text"), today=today, longest=MAX_TEXT, shortest=0)
    if isinstance(written, InvalidText):
        return TOO_LONG
    report = Report(report_id=report_id, scanned=scanned, ground=Ground(chosen), text=written.text)
    return ReadForm(report=report, is_masked=bool(written.maskings))


def kept_values(fields: Fields) -> Mapping[str, str]:
    """The chosen ground and typed text, for the form to be shown again."""
    return {
        "ground": single_value(fields, "ground"),
        "text": single_value(fields, "text")[: 2 * MAX_TEXT],
    }
