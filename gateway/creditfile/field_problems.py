"""Problems of delivered fields: closed list of codes, each with its reason in Chinese and English."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from gateway.pages.i18n import Language, Translated

WHOLE_ROW: Final = "?"
"""In place of a field: the problem is of the row as a whole."""


class ProblemCode(StrEnum):
    """Reasons for which a row, an act on a record or a report is rejected."""

    MISSING = "missing"
    UNKNOWN_FIELD = "unknown_field"
    NOT_IN_CATALOGUE = "not_in_catalogue"
    LICENCE_NOT_IN_FORCE = "licence_not_in_force"
    NOT_A_TEXT = "not_a_text"
    NUL_CHARACTER = "nul_character"
    TOO_LONG = "too_long"
    NOT_A_LIST = "not_a_list"
    TOO_MANY_TEXTS = "too_many_texts"
    NOT_A_DATE = "not_a_date"
    NOT_A_MONTH = "not_a_month"
    NOT_A_TIME = "not_a_time"
    TOO_EARLY = "too_early"
    IN_THE_FUTURE = "in_the_future"
    NOT_A_BOOLEAN = "not_a_boolean"
    NOT_A_WHOLE_NUMBER = "not_a_whole_number"
    NOT_A_DECIMAL = "not_a_decimal"
    NEGATIVE = "negative"
    NOT_INDICATORS = "not_indicators"
    NO_RATING_SCHEME = "no_rating_scheme"
    NOT_IN_RATING_SCHEME = "not_in_rating_scheme"
    INDICATOR_TWICE = "indicator_twice"
    POINTS_DIFFER = "points_differ"
    NOT_A_USCC = "not_a_uscc"
    NOT_A_MARKET_ENTITY = "not_a_market_entity"
    PERSONAL_NUMBER = "personal_number"
    KEY_PARTS = "key_parts"
    KEY_DIFFERS = "key_differs"
    KEY_TOO_LONG = "key_too_long"
    PERSONAL_NUMBER_IN_KEY = "personal_number_in_key"
    HELD_BY_ANOTHER = "held_by_another"
    NUMBER_OF_CELLS = "number_of_cells"
    QUOTATION_MARKS = "quotation_marks"
    NOT_CHARACTERS = "not_characters"
    UNREADABLE = "unreadable"
    ERROR_CELL = "error_cell"
    NOT_CALCULATED = "not_calculated"
    MERGED_CELL = "merged_cell"
    STORED_AS_NUMBER = "stored_as_number"
    STORED_AS_DATE = "stored_as_date"
    COLUMN_WITHOUT_NAME = "column_without_name"
    LINE_TOO_LONG = "line_too_long"
    NOT_JSON = "not_json"
    NOT_AN_OBJECT = "not_an_object"
    MEMBER_TWICE = "member_twice"
    NUMBER_TOO_LARGE = "number_too_large"
    NESTED_TOO_DEEP = "nested_too_deep"
    UNKNOWN_RECORD = "unknown_record"
    DUPLICATE = "duplicate"
    HAS_ENDED = "has_ended"
    WITHDRAWN = "withdrawn"
    REPAIRED = "repaired"
    NOT_REPAIRED = "not_repaired"
    NOT_SUSPENDED = "not_suspended"
    NOT_REPAIRABLE = "not_repairable"
    NOT_SUSPENDABLE = "not_suspendable"
    REGISTRATION = "registration"
    KEY_FIELD = "key_field"
    UNKNOWN_PLATFORM = "unknown_platform"
    BEFORE_THE_REPAIR = "before_the_repair"
    LIST_CUT = "list_cut"
    """No problem of the row: the job's list is full, and ends before it."""


REASONS: Final[Mapping[ProblemCode, Translated]] = {
    ProblemCode.MISSING: Translated("必填项为空", "missing"),
    ProblemCode.UNKNOWN_FIELD: Translated("没有此字段", "unknown"),
    ProblemCode.NOT_IN_CATALOGUE: Translated(
        "不是目录规定的取值", "not one of the values of the catalogue"
    ),
    ProblemCode.LICENCE_NOT_IN_FORCE: Translated(
        "许可的当前状态不是“有效”，不予入库；许可已失效而此前报送过的，请撤回（withdraw）",
        "the licence's state is not 有效 (in force) and it is not taken; if you delivered it before and it "
        "has ended, withdraw it",
    ),
    ProblemCode.NOT_A_TEXT: Translated("不是文本", "not a text"),
    ProblemCode.NUL_CHARACTER: Translated("含有空字符（U+0000）", "has a NUL character"),
    ProblemCode.TOO_LONG: Translated("超过 {0} 个字符", "longer than {0} characters"),
    ProblemCode.NOT_A_LIST: Translated("不是文本列表", "not a list of texts"),
    ProblemCode.TOO_MANY_TEXTS: Translated("超过 {0} 项", "more than {0} texts"),
    ProblemCode.NOT_A_DATE: Translated("不是有效日期", "not a date as YYYY-MM-DD"),
    ProblemCode.NOT_A_MONTH: Translated("不是有效年月", "not a month as YYYY-MM"),
    ProblemCode.NOT_A_TIME: Translated(
        "不是带时区的时间（RFC 3339）", "not a time with its offset (RFC 3339)"
    ),
    ProblemCode.TOO_EARLY: Translated("早于 1800 年", "before the year 1800"),
    ProblemCode.IN_THE_FUTURE: Translated("晚于当日", "in the future"),
    ProblemCode.NOT_A_BOOLEAN: Translated("不是“是”或“否”", "not true or false"),
    ProblemCode.NOT_A_WHOLE_NUMBER: Translated("不是整数", "not a whole number"),
    ProblemCode.NOT_A_DECIMAL: Translated(
        "不是有效数字", "not a decimal with at most 14 and 6 digits, as text"
    ),
    ProblemCode.NEGATIVE: Translated("不能为负数", "negative"),
    ProblemCode.NOT_INDICATORS: Translated(
        "不是指标得分列表", "not a list of indicators with their points and reason codes"
    ),
    ProblemCode.NO_RATING_SCHEME: Translated(
        "该评价没有已公布指标的评价体系", "of a rating without a published scheme of indicators"
    ),
    ProblemCode.NOT_IN_RATING_SCHEME: Translated(
        "指标、得分或原因代码与公布的评价体系不符",
        "an indicator, points or a reason code that its published scheme has not",
    ),
    ProblemCode.INDICATOR_TWICE: Translated("同一指标重复", "an indicator named twice"),
    ProblemCode.POINTS_DIFFER: Translated(
        "各指标得分之和与评分不一致", "points that do not add up to the score"
    ),
    ProblemCode.NOT_A_USCC: Translated("不是统一社会信用代码", "not a unified social credit code"),
    ProblemCode.NOT_A_MARKET_ENTITY: Translated(
        "不是经营主体的统一社会信用代码", "not a unified social credit code of a market entity"
    ),
    ProblemCode.PERSONAL_NUMBER: Translated(
        "是居民身份证号码，不是统一社会信用代码",
        "a personal ID number, not a unified social credit code",
    ),
    ProblemCode.KEY_PARTS: Translated("与自然键的组成不符", "not the parts of the natural key"),
    ProblemCode.KEY_DIFFERS: Translated(
        "与自然键各字段的内容不一致", "says something else than the fields"
    ),
    ProblemCode.KEY_TOO_LONG: Translated(
        "自然键超过 {0} 个字符", "a key longer than {0} characters"
    ),
    ProblemCode.PERSONAL_NUMBER_IN_KEY: Translated(
        "自然键含有个人证件号码或电话号码", "personal_number_in_key"
    ),
    ProblemCode.HELD_BY_ANOTHER: Translated(
        "该主体的登记信息由其他数源单位提供", "held by another source"
    ),
    ProblemCode.NUMBER_OF_CELLS: Translated(
        "本行有 {0} 个单元格，表头有 {1} 个", "{0} cells in place of {1}"
    ),
    ProblemCode.QUOTATION_MARKS: Translated(
        "第 {0} 行至第 {1} 行的引号不成对",
        "quotation marks that do not fit, in the lines {0} to {1}",
    ),
    ProblemCode.NOT_CHARACTERS: Translated(
        "含有无法识别的字符编码", "has bytes that are no characters"
    ),
    ProblemCode.UNREADABLE: Translated("无法读取", "cannot be read"),
    ProblemCode.ERROR_CELL: Translated("是错误值，如 #REF!", "an error value, such as #REF!"),
    ProblemCode.NOT_CALCULATED: Translated("是没有计算结果的公式", "a formula without its value"),
    ProblemCode.MERGED_CELL: Translated("是合并单元格", "a merged cell"),
    ProblemCode.STORED_AS_NUMBER: Translated(
        "以数字存储，15 位以后的数字已丢失",
        "stored as a number, whose digits after the 15th are lost",
    ),
    ProblemCode.STORED_AS_DATE: Translated(
        "文本列中以日期或时间存储", "stored as a date or time in a column of texts"
    ),
    ProblemCode.COLUMN_WITHOUT_NAME: Translated(
        "第 {0} 列有内容，但表头没有列名", "a value in column {0}, which has no name in the header"
    ),
    ProblemCode.LINE_TOO_LONG: Translated("一行超过 {0} 字节", "a line longer than {0} bytes"),
    ProblemCode.NOT_JSON: Translated("不是 UTF-8 编码的 JSON", "not JSON in UTF-8"),
    ProblemCode.NOT_AN_OBJECT: Translated("不是 JSON 对象", "not a JSON object"),
    ProblemCode.MEMBER_TWICE: Translated("JSON 对象中有重名成员", "an object names a member twice"),
    ProblemCode.NUMBER_TOO_LARGE: Translated("整数超出 64 位范围", "an integer is beyond 64 bits"),
    ProblemCode.NESTED_TOO_DEEP: Translated("JSON 嵌套超过 {0} 层", "nested more than {0} deep"),
    ProblemCode.UNKNOWN_RECORD: Translated("本单位没有此记录", "no such record of this source"),
    ProblemCode.DUPLICATE: Translated("同一次请求中重复", "named before in this call"),
    ProblemCode.HAS_ENDED: Translated("记录已修复或已撤回", "has been repaired or withdrawn"),
    ProblemCode.WITHDRAWN: Translated("记录已撤回", "has been withdrawn"),
    ProblemCode.REPAIRED: Translated("记录已修复", "has been repaired"),
    ProblemCode.NOT_REPAIRED: Translated("记录未修复", "is not repaired"),
    ProblemCode.NOT_SUSPENDED: Translated("记录未中止", "is not suspended"),
    ProblemCode.NOT_REPAIRABLE: Translated(
        "只有失信信息可以修复", "only bad information is repaired"
    ),
    ProblemCode.NOT_SUSPENDABLE: Translated(
        "只有失信信息可以中止", "only bad information is suspended"
    ),
    ProblemCode.REGISTRATION: Translated("登记信息须重新报送", "a registration is delivered anew"),
    ProblemCode.KEY_FIELD: Translated(
        "是自然键字段，不能更正：请撤回该记录，并以正确的自然键重新报送",
        "part of the key: withdraw the record and deliver it under the right one",
    ),
    ProblemCode.UNKNOWN_PLATFORM: Translated("不是目录中的平台", "no platform of the catalogue"),
    ProblemCode.BEFORE_THE_REPAIR: Translated("早于修复日期", "before the repair"),
    ProblemCode.LIST_CUT: Translated(
        "清单已满，自本行起未列出：请更正已列出的行后重新报送",
        "the list is full and ends before this row: mend what is listed and deliver again",
    ),
}
"""Reasons by code; `{0}` and `{1}` stand for the problem's numbers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldProblem:
    """Rejection of a field; it contains nothing of the value but the catalogue's names nearest to it."""

    field: str
    code: ProblemCode
    numbers: tuple[int, ...] = ()
    """Limits and counts in the reason."""
    nearest: tuple[str, ...] = ()
    """Values or fields of the catalogue."""

    @property
    def reason(self) -> str:
        """The reason in English."""
        return self.reason_in("en")

    def reason_in(self, language: Language) -> str:
        """The reason in this language."""
        return REASONS[self.code].text(language).format(*self.numbers)
