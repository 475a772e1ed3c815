"""The catalogue of questions; append-only, and the meaning of a tag never changes.

A question with another meaning is a new tag (`.v2`) at the end. No question takes a threshold of the
caller's choosing, by which a value could be searched for.
"""

from typing import Final

from verification.names_v2 import NAMES_V2
from verification.normalise import NAMES_VERSION
from verification.question import Question, QuestionKind
from verification.record_questions import RECORD_QUESTIONS
from verification.registration_questions import REGISTRATION_QUESTIONS

CATALOGUE_VERSION: Final = "2026.2"

LICENCE_CATEGORIES: Final = ("普通", "特许", "认可", "核准", "登记", "其他")
SEVERITIES: Final = ("轻微", "一般", "严重")
RATING_LEVELS: Final = ("优秀", "良好", "中等", "较差", "差")
"""Best first."""


QUESTIONS: Final[tuple[Question, ...]] = (
    Question(
        tag="enterprise_name.v1",
        title_zh="企业名称是否一致",
        title_en="Is this the enterprise's registered name?",
        meaning_zh="与当前登记的名称比对；曾用名为否。",
        meaning_en="Compared with the name as registered today; a former name is a no.",
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
        meaning_zh="与当前登记的法定代表人（个体工商户为经营者）姓名比对。",
        meaning_en="Compared with the legal representative, or of an individual business the operator, "
        "as registered today.",
        kind=QuestionKind.MATCH,
        datasets=("registration",),
        value="text",
        normalisation=NAMES_VERSION,
        loose=True,
        personal=True,
    ),
    Question(
        tag="registered_address.v1",
        title_zh="登记住所是否一致",
        title_en="Is this the registered address?",
        meaning_zh="与当前登记的住所（经营场所）比对，不计空格和全半角。",
        meaning_en="Compared with the registered address or place of business, without spaces and width.",
        kind=QuestionKind.MATCH,
        datasets=("registration",),
        value="text",
        normalisation="addresses.v1",
    ),
    Question(
        tag="legal_representative_id.v1",
        title_zh="法定代表人（经营者）证件号码是否一致",
        title_en="Is this the identity number of the legal representative or operator?",
        meaning_zh="以带密钥的摘要比对证件号码；须经本人单独同意。",
        meaning_en="Compared by keyed digest, under the separate consent of that person.",
        kind=QuestionKind.MATCH,
        datasets=("registration",),
        value="text",
        needs_consent=True,
        normalisation="id_numbers.v1",
        personal=True,
        separate_consent="person",
    ),
    Question(
        tag="is_active.v1",
        title_zh="登记状态是否为存续（在营）",
        title_en="Is the enterprise's registration active?",
        meaning_zh="登记状态为存续（在营、开业）为是；歇业、吊销、注销、撤销、迁出为否。",
        meaning_en="Yes where the status is 存续; 歇业, 吊销, 注销, 撤销 and 迁出 are a no.",
        kind=QuestionKind.STATE,
        datasets=("registration",),
    ),
    Question(
        tag="not_on_serious_violation_list.v1",
        title_zh="未被列入严重违法失信名单",
        title_en="Is the enterprise not on the list of serious violations?",
        meaning_zh="仅指市场监督管理严重违法失信名单；已移出、中止公示、已修复或列入期限已满的不计。",
        meaning_en="The market regulator's list only; entries that were removed, suspended or repaired "
        "or whose term is over are left out.",
        kind=QuestionKind.STATE,
        datasets=("serious_violation",),
    ),
    Question(
        tag="not_abnormal.v1",
        title_zh="未被列入经营异常名录",
        title_en="Is the enterprise not on the list of abnormal operations?",
        meaning_zh="未被列入经营异常名录（个体工商户为未被标记为经营异常状态），或已移出（已恢复正常记载状态）"
        "为是。",
        meaning_en="Yes where it is not listed (an individual business: not marked), or was removed "
        "(restored).",
        kind=QuestionKind.STATE,
        datasets=("abnormal_listing",),
    ),
    Question(
        tag="licence_valid.v1",
        title_zh="持有该类别的有效行政许可",
        title_en="Does the enterprise hold a licence of this category that is valid today?",
        meaning_zh="持有该类别且在有效期内的许可为是；没有该类别的许可，或均不在有效期内为否。",
        meaning_en="Yes with a licence of this category within its term; no without one, or where all "
        "are outside their terms.",
        kind=QuestionKind.STATE,
        datasets=("licence",),
        value="one_of",
        values=LICENCE_CATEGORIES,
    ),
    Question(
        tag="no_live_penalty.v1",
        title_zh="没有在公示期内的行政处罚",
        title_en="Is no penalty (of this severity, or of any) within its publicity period?",
        meaning_zh="仅指在公示期内的处罚；依法不予公示、公示期已届满、中止公示、已修复和正在复议、诉讼的不计。",
        meaning_en="Penalties within their publicity period only; those that are not published, over, "
        "suspended, repaired or under appeal are left out.",
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
        meaning_zh="失信信息已删除（屏蔽）或列入期限已满的不计。",
        meaning_en="Entries that were removed or whose term is over are left out.",
        kind=QuestionKind.STATE,
        datasets=("judgment_defaulter",),
    ),
    Question(
        tag="commitment_fulfilled.v1",
        title_zh="信用承诺均已履行",
        title_en="Has the enterprise fulfilled its credit commitments?",
        meaning_zh="有未履行的为否；均已履行为是；仍在履行的不作判断。",
        meaning_en="No where one was broken, yes where all were kept; one in progress leaves it open.",
        kind=QuestionKind.STATE,
        datasets=("commitment",),
    ),
    Question(
        tag="rating_at_least.v1",
        title_zh="公共信用评价不低于该等级",
        title_en="Is the public credit rating at least at this level?",
        meaning_zh="以最近一次有效评价为准；未评价的不作判断。",
        meaning_en="By the latest valid rating; without one it is not determined.",
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
        meaning_zh="自成立日期起满该年数。",
        meaning_en="Counted from the day of establishment to the corresponding day.",
        kind=QuestionKind.BAND,
        datasets=("registration",),
        value="one_of",
        values=("1", "3", "5", "10"),
    ),
    Question(
        tag="paid_social_insurance_on_time.v1",
        title_zh="最近若干个月内按时缴纳社会保险费",
        title_en="Was social insurance paid on time in each of the last so many complete months?",
        meaning_zh="最近该数目的完整月份每月均按时为是，任一月未按时为否，缺月不作判断。",
        meaning_en="Yes where each of the last complete months was paid on time, no where one was not; "
        "a missing month leaves it open.",
        kind=QuestionKind.BAND,
        datasets=("tax_and_social",),
        value="one_of",
        values=("3", "6", "12", "24"),
        needs_consent=True,
    ),
    Question(
        tag="enterprise_name.v2",
        title_zh="企业名称是否一致（比对规则 names.v2）",
        title_en="Is this the enterprise's registered name, by the rules of names.v2?",
        meaning_zh="同 enterprise_name.v1，按 names.v2 比对。",
        meaning_en="As enterprise_name.v1, compared by names.v2.",
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
        meaning_zh="同 legal_representative_name.v1，按 names.v2 比对；合伙企业登记为执行事务合伙人"
        "（委派代表：某人）的，全文、该合伙人、该代表均为是。",
        meaning_en="As legal_representative_name.v1, compared by names.v2; where a partnership is "
        "registered with its managing partner and that partner's appointed representative (委派代表), "
        "the whole text and either name are a yes.",
        kind=QuestionKind.MATCH,
        datasets=("registration",),
        value="text",
        normalisation=NAMES_V2,
        loose=True,
        earlier="legal_representative_name.v1",
        personal=True,
    ),
    *REGISTRATION_QUESTIONS,
    *RECORD_QUESTIONS,
)
