"""Wording of a job's stored lists in Chinese or English: what the API serves and the command writes."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from gateway.creditfile.catalogue import Catalogue
from gateway.creditfile.field_problems import FieldProblem, ProblemCode
from gateway.ingest.accepted_forms import AcceptedForms
from gateway.ingest.results import WARNING_OF_NUMBER, RowWarning
from gateway.ingest.row_list_files import ListForm
from gateway.ingest.row_lists import (
    BETWEEN_NAMES,
    BETWEEN_NUMBERS,
    REJECTS_HEADER,
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
EARLIER_REJECTS: Final = b"row,field,reason\n"
EARLIER_WARNINGS: Final = b"row,field,item,kind,start,length\n"
"""Headers before codes were listed; a job of then goes on under its own header."""
STORED_REJECTS: Final = ListForm(header=REJECTS_HEADER, earlier=EARLIER_REJECTS)
STORED_WARNINGS: Final = ListForm(header=WARNINGS_HEADER, earlier=EARLIER_WARNINGS)

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
}

Listed = dict[str, str]
"""One line of a list, by member."""


class RowWording:
    """Words of the lists of one dataset, in one language."""

    def __init__(self, catalogue: Catalogue, dataset: str, language: Language) -> None:
        self._language: Language = language
        is_known = dataset in catalogue.codes  # it may be gone since a list was stored
        self._forms = AcceptedForms(catalogue.dataset(dataset), language) if is_known else None

    def problem(self, problem: FieldProblem) -> dict[str, str]:
        """A problem as the API has it."""
        return {
            "field": problem.field,
            "reason": problem.reason_in(self._language),
            "code": problem.code.value,
            "accepted": self._forms.of(problem) if self._forms else "",
        }

    def rejects(self, lines: str) -> Iterator[Listed]:
        """Stored lines of rejected rows, in words; those of before have a reason only."""
        for cells in csv.reader(io.StringIO(lines)):
            row, field, code, *more = cells
            if not more:
                yield {"row": row, "field": field, "reason": code}
                continue
            column, numbers, nearest = more
            problem = FieldProblem(
                field=field,
                code=ProblemCode(code),
                numbers=tuple(map(int, numbers.split(BETWEEN_NUMBERS))) if numbers else (),
                nearest=tuple(nearest.split(BETWEEN_NAMES)) if nearest else (),
            )
            yield {"row": row, "column": column, **self.problem(problem)}

    def warnings(self, lines: str) -> Iterator[Listed]:
        """Stored lines of warnings, in words; those of before are of masked numbers."""
        for cells in csv.reader(io.StringIO(lines)):
            row, field, item, kind, start, length, *more = cells
            code, column = more or (WARNING_OF_NUMBER[NumberKind(kind)].value, "")
            yield {
                "row": row,
                "field": field,
                "item": item,
                "kind": kind,
                "start": start,
                "length": length,
                "column": column,
                "code": code,
                "reason": WARNING_REASONS[RowWarning(code)].text(self._language),
            }

    @property
    def rejects_form(self) -> ListForm:
        """A list of rejected rows that is written in words."""
        return ListForm(
            header=csv_header(REJECT_MEMBERS),
            earlier=EARLIER_REJECTS,
            encode=lambda lines: b"".join(csv_lines(self.rejects(lines.decode()), REJECT_MEMBERS)),
        )

    @property
    def warnings_form(self) -> ListForm:
        """A list of warnings that is written in words."""
        return ListForm(
            header=csv_header(WARNING_MEMBERS),
            earlier=EARLIER_WARNINGS,
            encode=lambda lines: b"".join(
                csv_lines(self.warnings(lines.decode()), WARNING_MEMBERS)
            ),
        )


def csv_header(members: Iterable[str]) -> bytes:
    """Header line of a served list."""
    return f"{','.join(members)}\n".encode()


def csv_lines(listed: Iterable[Listed], members: tuple[str, ...]) -> Iterator[bytes]:
    """Lines of a served list as CSV."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    for each in listed:
        writer.writerow([each.get(name, "") for name in members])
        yield text.getvalue().encode()
        text.seek(0)
        text.truncate()
