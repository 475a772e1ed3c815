"""Wording of a job's stored lists in Chinese or English: what the API serves and the command writes."""

import csv
import io
from collections.abc import Iterator, Mapping
from typing import Final

from gateway.creditfile.catalogue import Catalogue
from gateway.creditfile.field_problems import REASONS, FieldProblem, ProblemCode
from gateway.ingest.results import NOT_PUBLISHED, WARNING_OF_NUMBER, RowWarning
from gateway.ingest.row_lists.accepted_forms import AcceptedForms
from gateway.ingest.row_lists.encoding import Listed, ListWords, csv_header, encode_lines
from gateway.ingest.row_lists.list_file import ListForm
from gateway.ingest.row_lists.stored_lines import (
    BETWEEN_NAMES,
    BETWEEN_NUMBERS,
    REJECTS_CUT,
    REJECTS_HEADER,
    WARNINGS_CUT,
    WARNINGS_HEADER,
)
from gateway.pages.i18n import Language, Translated
from gateway.privacy.redaction import NumberKind

REJECT_MEMBERS: Final = ("row", "field", "reason", "column", "code", "accepted")
WARNING_MEMBERS: Final = (
    "row",
    "field",
    "item",
    "kind",
    "start",
    "length",
    "column",
    "code",
    "reason",
)
EARLIER_REJECTS: Final = (b"row,field,reason\n",)
EARLIER_WARNINGS: Final = (
    b"row,field,item,kind,start,length\n",
    b"row,field,item,kind,start,length,code,column\n",
)
"""Headers before codes and days were listed; a job of then goes on under its own header."""
STORED_REJECTS: Final = ListForm(header=REJECTS_HEADER, earlier=EARLIER_REJECTS, cut=REJECTS_CUT)
STORED_WARNINGS: Final = ListForm(
    header=WARNINGS_HEADER, earlier=EARLIER_WARNINGS, cut=WARNINGS_CUT
)

WARNING_REASONS: Final[Mapping[RowWarning, Translated]] = {
    RowWarning.CHECK_CHARACTER: Translated(
        "代码的校验码不符，请与营业执照核对",
        "the code's check character is wrong: compare it with the business licence",
    ),
    RowWarning.LIKE_AN_ID_NUMBER: Translated(
        "代码有效，但也符合身份证号码规则",
        "the code is valid, and its digits are also a valid ID number",
    ),
    RowWarning.PUBLICITY_END: Translated(
        "报送的公示截止日与按规则计算的不同，以较早者为准",
        "the end of publicity differs from the one that the rules give; the earlier one counts",
    ),
    RowWarning.LIKE_YUAN: Translated(
        "以万元计的金额像是以元填写", "an amount in 10,000 yuan (万元) looks like one in yuan"
    ),
    RowWarning.ID_NUMBER: Translated(
        "文本中的证件号码已隐去", "a number of a person's document was masked"
    ),
    RowWarning.PHONE: Translated("文本中的电话号码已隐去", "a phone number was masked"),
    RowWarning.SUPERSEDED: Translated(
        "同一次报送中后面有自然键相同的行，以后者为准",
        "a later row of the delivery has the same key and counts",
    ),
    RowWarning.OLDER: Translated(
        "来源时间早于已有记录，未替换", "older than what is held, which stays"
    ),
    RowWarning.STAYS_REPAIRED: Translated(
        "记录已修复，报送不恢复", "the record is repaired, and stays so"
    ),
    RowWarning.STAYS_SUSPENDED: Translated(
        "记录已中止，报送不恢复", "the record is suspended, and stays so"
    ),
    RowWarning.STAYS_WITHDRAWN: Translated(
        "记录已撤回，报送不恢复", "the record is withdrawn, and stays so"
    ),
    RowWarning.LIST_CUT: REASONS[ProblemCode.LIST_CUT],
}
_PUBLISHED_UNTIL: Final = Translated(
    "按规则公示至 {0}；与报送的不同，以较早者为准",
    "by the rules publicity ends on {0}; the delivered end differs, and the earlier one counts",
)
_NOT_PUBLISHED: Final = Translated(
    "按规则不公示；已决定公示的，请填写“处罚程序”“是否决定公示”",
    "not published by the rules; if publication was decided, fill in 处罚程序 and 是否决定公示",
)
_MOST_KNOWN: Final = 10_000
"""Problems whose words are remembered."""


_PROBLEM_CODES: Final = frozenset(each.value for each in ProblemCode)
_WARNING_CODES: Final = frozenset(each.value for each in RowWarning)


class RowWording:
    """Words of the lists of one dataset, in one language."""

    def __init__(self, catalogue: Catalogue, dataset: str, language: Language) -> None:
        self._language: Language = language
        is_known = dataset in catalogue.codes  # it may be gone since a list was stored
        self._forms = AcceptedForms(catalogue.dataset(dataset), language) if is_known else None
        self._known: dict[FieldProblem, dict[str, str]] = {}

    def problem(self, problem: FieldProblem) -> dict[str, str]:
        """A problem as the API has it."""
        known = self._known.get(problem)
        if known is None:
            known = {
                "field": problem.field,
                "reason": problem.reason_in(self._language),
                "code": problem.code.value,
                "accepted": self._forms.of(problem) if self._forms else "",
            }
            if len(self._known) < _MOST_KNOWN:
                self._known[problem] = known
        return dict(known)

    def rejects(self, lines: str) -> Iterator[Listed]:
        """Stored lines of rejected rows, in words."""
        return map(self._reject, csv.reader(io.StringIO(lines)))

    def warnings(self, lines: str) -> Iterator[Listed]:
        """Stored lines of warnings, in words."""
        return map(self._warning, csv.reader(io.StringIO(lines)))

    @property
    def of_rejects(self) -> ListWords:
        """Words of a list of rejected rows."""
        return ListWords(members=REJECT_MEMBERS, of=self._reject, cut=REJECTS_CUT)

    @property
    def of_warnings(self) -> ListWords:
        """Words of a list of warnings."""
        return ListWords(members=WARNING_MEMBERS, of=self._warning, cut=WARNINGS_CUT)

    @property
    def rejects_form(self) -> ListForm:
        """A list of rejected rows that is written in words."""
        return _worded(self.of_rejects, EARLIER_REJECTS)

    @property
    def warnings_form(self) -> ListForm:
        """A list of warnings that is written in words."""
        return _worded(self.of_warnings, EARLIER_WARNINGS)

    def _reject(self, cells: list[str]) -> Listed:
        """A rejected row in words: one of before has a reason only, one of a later version its code."""
        row, field, code, *more = cells
        if not more:
            return {"row": row, "field": field, "reason": code}
        column, numbers, nearest, *_ = more
        if code not in _PROBLEM_CODES:
            return {"row": row, "field": field, "reason": code, "column": column, "code": code}
        problem = FieldProblem(
            field=field,
            code=ProblemCode(code),
            numbers=tuple(map(int, numbers.split(BETWEEN_NUMBERS))) if numbers else (),
            nearest=tuple(nearest.split(BETWEEN_NAMES)) if nearest else (),
        )
        return {"row": row, "column": column, **self.problem(problem)}

    def _warning(self, cells: list[str]) -> Listed:
        """A warning in words: one of before is of a masked number, one of a later version has its code."""
        row, field, item, kind, start, length, *more = cells
        code, column, *after = more or (WARNING_OF_NUMBER[NumberKind(kind)].value, "")
        reason = self._reason(code, after[0] if after else "")
        return {
            "row": row,
            "field": field,
            "item": item,
            "kind": kind,
            "start": start,
            "length": length,
            "column": column,
            "code": code,
            "reason": reason,
        }

    def _reason(self, code: str, day: str) -> str:
        """Sentence of a warning; one about the end of publicity has the day that the rules give."""
        if code not in _WARNING_CODES:
            return code
        if day and code == RowWarning.PUBLICITY_END:
            said = _NOT_PUBLISHED if day == NOT_PUBLISHED else _PUBLISHED_UNTIL
            return said.text(self._language).format(day)
        return WARNING_REASONS[RowWarning(code)].text(self._language)


def _worded(words: ListWords, earlier: tuple[bytes, ...]) -> ListForm:
    return ListForm(
        header=csv_header(words.members),
        earlier=earlier,
        cut=words.cut,
        encode=lambda lines: encode_lines(words, lines.decode()),
    )
