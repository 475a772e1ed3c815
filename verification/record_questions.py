"""Questions on records of a file: licences, payments."""

from typing import Final

from verification.normalise import DOCUMENT_NUMBERS
from verification.question import Question, QuestionKind

RECORD_QUESTIONS: Final[tuple[Question, ...]] = (
    Question(
        tag="licence_number_valid.v1",
        title_zh="该编号的行政许可是否有效",
        title_en="Does the enterprise hold a licence of this number that is valid today?",
        meaning_zh="编号为许可决定文书号，或许可证书一栏末尾的证书编号，不计空格、全半角、"
        "括号和连字符的写法；有该编号且在有效期内为是；没有该编号的许可，"
        "或已不在有效期内为否；有许可未载明证书编号的，不以其他编号不符为否，不作判断。",
        meaning_en="The number of the decision, or the certificate's number at the end of the "
        "certificate's name, however width, spaces, brackets and dashes are written. Yes "
        "where a licence of that number is within its term; no where there is none, or it is "
        "outside its term. While a licence is held whose certificate number is not recorded, "
        "another number is not determined.",
        kind=QuestionKind.MATCH,
        datasets=("licence",),
        value="text",
        normalisation=DOCUMENT_NUMBERS,
    ),
    Question(
        tag="paid_tax_on_time.v1",
        title_zh="最近该月数内按时缴纳税费",
        title_en="Was tax paid on time in each of the last so many complete months?",
        meaning_zh="最近该数目的完整月份每月均按时为是，任一月未按时为否，缺月不作判断；不涉及金额。",
        meaning_en="Yes where each of the last complete months was paid on time, no where one was not; "
        "a missing month leaves it open. Amounts are left out.",
        kind=QuestionKind.BAND,
        datasets=("tax_and_social",),
        value="one_of",
        values=("6", "12", "24"),
        needs_consent=True,
    ),
    Question(
        tag="paid_housing_fund_on_time.v1",
        title_zh="最近该月数内按时缴存住房公积金",
        title_en="Was the housing fund paid on time in each of the last so many complete months?",
        meaning_zh="最近该数目的完整月份每月均按时为是，任一月未按时为否，缺月不作判断；不涉及金额。",
        meaning_en="Yes where each of the last complete months was paid on time, no where one was not; "
        "a missing month leaves it open. Amounts are left out.",
        kind=QuestionKind.BAND,
        datasets=("tax_and_social",),
        value="one_of",
        values=("6", "12", "24"),
        needs_consent=True,
    ),
    Question(
        tag="employees_insured_at_least.v1",
        title_zh="参加社会保险的职工人数不少于该数",
        title_en="Are at least this many employees insured?",
        meaning_zh="以最近三个完整月份中最近一个载明参保人数的月份为准；没有载明的不作判断。",
        meaning_en="By the latest of the last three complete months whose number of insured employees "
        "is known; without one it is not determined.",
        kind=QuestionKind.BAND,
        datasets=("tax_and_social",),
        value="one_of",
        values=("1", "10", "50", "100"),
        needs_consent=True,
    ),
)
