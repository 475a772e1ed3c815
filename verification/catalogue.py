"""The catalogue of questions; append-only, and the meaning of a tag never changes.

A question with another meaning is a new tag (`.v2`) at the end. No question takes a threshold of the
caller's choosing, by which a value could be searched for.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal

from verification.names_v2 import NAMES_V2
from verification.normalise import NAMES_VERSION

CATALOGUE_VERSION: Final = "2026.1"

LICENCE_CATEGORIES: Final = ("普通", "特许", "认可", "核准", "登记", "其他")
SEVERITIES: Final = ("轻微", "一般", "严重")
RATING_LEVELS: Final = ("优秀", "良好", "中等", "较差", "差")
"""Best first."""


class QuestionKind(StrEnum):
    """Kinds of question: a match of an asserted text, a public state, or a fixed band."""

    MATCH = "match"
    STATE = "state"
    BAND = "band"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One question of the catalogue.

    `value` is what a caller asserts: a `text`, `one_of` the `values`, or `none`; an `optional` value
    may be left out. With `value_needs_consent` the question is public without a value, and needs
    consent with one. `datasets` are those that the answer rests on. `loose` allows the loose form of a
    name after the strict one. `earlier` is the tag of an earlier question on the same attribute: they
    share one probe budget, and a consent to the earlier one covers this one.
    """

    tag: str
    title_zh: str
    title_en: str
    kind: QuestionKind
    datasets: tuple[str, ...]
    value: Literal["text", "one_of", "none"] = "none"
    values: tuple[str, ...] = ()
    optional: bool = False
    needs_consent: bool = False
    value_needs_consent: bool = False
    normalisation: str | None = None
    loose: bool = False
    earlier: str | None = None

    @property
    def budget(self) -> str:
        """The tag under which distinct asserted values are counted."""
        return self.earlier or self.tag

    @property
    def consented_by(self) -> tuple[str, ...]:
        """The tags of which a consent must name one."""
        return (self.tag,) if self.earlier is None else (self.tag, self.earlier)

    @property
    def budgeted(self) -> bool:
        """True where distinct asserted values count against the probe budget."""
        return self.value != "none"

    def needs_consent_for(self, value: str | None) -> bool:
        """True where the question needs consent when asked with this value."""
        return self.needs_consent or (value is not None and self.value_needs_consent)

    def offers(self, value: str | None) -> bool:
        """True where the question takes this value; any text fits a text question."""
        if value is None:
            return self.value == "none" or self.optional
        return self.value == "text" or value in self.values


QUESTIONS: Final[tuple[Question, ...]] = (
    Question(
        tag="enterprise_name.v1",
        title_zh="企业名称是否一致",
        title_en="Is this the enterprise's registered name?",
        kind=QuestionKind.MATCH,
        datasets=("registration",),
        value="text",
        normalisation=NAMES_VERSION,
        loose=True,
    ),
    Question(
        tag="legal_representative_name.v1",
        title_zh="法定代表人（经营者）姓名是否一致",
        title_en="Is this the name of the legal representative or operator?",
        kind=QuestionKind.MATCH,
        datasets=("registration",),
        value="text",
        normalisation=NAMES_VERSION,
        loose=True,
    ),
    Question(
        tag="registered_address.v1",
        title_zh="登记住所是否一致",
        title_en="Is this the registered address?",
        kind=QuestionKind.MATCH,
        datasets=("registration",),
        value="text",
        normalisation="addresses.v1",
    ),
    Question(
        tag="legal_representative_id.v1",
        title_zh="法定代表人（经营者）证件号码是否一致",
        title_en="Is this the identity number of the legal representative or operator?",
        kind=QuestionKind.MATCH,
        datasets=("registration",),
        value="text",
        needs_consent=True,
        normalisation="id_numbers.v1",
    ),
    Question(
        tag="is_active.v1",
        title_zh="登记状态是否为存续（在营）",
        title_en="Is the enterprise's registration active?",
        kind=QuestionKind.STATE,
        datasets=("registration",),
    ),
    Question(
        tag="not_on_serious_violation_list.v1",
        title_zh="未被列入严重违法失信名单",
        title_en="Is the enterprise not on the list of serious violations?",
        kind=QuestionKind.STATE,
        datasets=("serious_violation",),
    ),
    Question(
        tag="not_abnormal.v1",
        title_zh="未被列入经营异常名录",
        title_en="Is the enterprise not on the list of abnormal operations?",
        kind=QuestionKind.STATE,
        datasets=("abnormal_listing",),
    ),
    Question(
        tag="licence_valid.v1",
        title_zh="持有该类别的有效行政许可",
        title_en="Does the enterprise hold a licence of this category that is valid today?",
        kind=QuestionKind.STATE,
        datasets=("licence",),
        value="one_of",
        values=LICENCE_CATEGORIES,
    ),
    Question(
        tag="no_live_penalty.v1",
        title_zh="没有在公示期内的行政处罚",
        title_en="Is no penalty (of this severity, or of any) within its publicity period?",
        kind=QuestionKind.STATE,
        datasets=("penalty",),
        value="one_of",
        values=SEVERITIES,
        optional=True,
        value_needs_consent=True,  # the severity of a penalty is not public
    ),
    Question(
        tag="not_judgment_defaulter.v1",
        title_zh="未被列为失信被执行人",
        title_en="Is the enterprise not listed as a judgment defaulter?",
        kind=QuestionKind.STATE,
        datasets=("judgment_defaulter",),
    ),
    Question(
        tag="commitment_fulfilled.v1",
        title_zh="信用承诺均已履行",
        title_en="Has the enterprise fulfilled its credit commitments?",
        kind=QuestionKind.STATE,
        datasets=("commitment",),
    ),
    Question(
        tag="rating_at_least.v1",
        title_zh="公共信用评价不低于该等级",
        title_en="Is the public credit rating at least at this level?",
        kind=QuestionKind.BAND,
        datasets=("public_rating",),
        value="one_of",
        values=RATING_LEVELS,
        needs_consent=True,
    ),
    Question(
        tag="established_for.v1",
        title_zh="成立已满该年数",
        title_en="Was the enterprise established at least this many years ago?",
        kind=QuestionKind.BAND,
        datasets=("registration",),
        value="one_of",
        values=("1", "3", "5", "10"),
    ),
    Question(
        tag="paid_social_insurance_on_time.v1",
        title_zh="最近该月数内按时缴纳社会保险",
        title_en="Was social insurance paid on time in each of the last so many complete months?",
        kind=QuestionKind.BAND,
        datasets=("tax_and_social",),
        value="one_of",
        values=("3", "6", "12"),
        needs_consent=True,
    ),
    Question(
        tag="enterprise_name.v2",
        title_zh="企业名称是否一致（比对规则 names.v2）",
        title_en="Is this the enterprise's registered name, by the rules of names.v2?",
        kind=QuestionKind.MATCH,
        datasets=("registration",),
        value="text",
        normalisation=NAMES_V2,
        loose=True,
        earlier="enterprise_name.v1",
    ),
    Question(
        tag="legal_representative_name.v2",
        title_zh="法定代表人（经营者）姓名是否一致（比对规则 names.v2）",
        title_en="Is this the name of the legal representative or operator, by the rules of names.v2?",
        kind=QuestionKind.MATCH,
        datasets=("registration",),
        value="text",
        normalisation=NAMES_V2,
        loose=True,
        earlier="legal_representative_name.v1",
    ),
)
