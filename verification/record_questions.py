"""Questions on records of a file: licences, payments, lists, proceedings, levels."""

from typing import Final

from verification.normalise import DOCUMENT_NUMBERS
from verification.question import Question, QuestionKind

LICENSING_ITEMS: Final = (
    "food_operation",
    "food_production",
    "drug_retail",
    "medical_device_class_3",
    "public_place_hygiene",
    "medical_institution",
    "tobacco_retail",
    "road_freight",
    "road_passenger",
    "ride_hailing",
    "hazardous_chemicals_trade",
    "refined_oil_retail",
    "pollutant_discharge",
    "work_safety",
    "construction_qualification",
    "construction_work_safety",
    "industrial_product",
    "special_equipment",
    "inspection_and_testing",
    "value_added_telecom",
    "publication_retail",
    "printing",
    "human_resources",
    "labour_dispatch",
    "travel_agency",
    "hotel",
    "entertainment",
    "fire_safety_before_opening",
    "private_school",
    "crop_seeds",
    "pesticides",
    "veterinary_drugs",
    "aquaculture",
)
"""Codes of the catalogue's list of licensing items."""
TAX_LEVELS: Final = ("A", "B", "M", "C", "D")
PROVINCIAL_LEVELS: Final = ("优秀", "良好", "中等", "较差", "差")
NATIONAL_LEVELS: Final = ("A", "B", "C", "D")
"""Each best first; those of tax by 纳税缴费信用管理办法."""

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
        title_zh="最近若干个月内按时缴纳税费",
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
        title_zh="最近若干个月内按时缴存住房公积金",
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
    Question(
        tag="licence_item_valid.v1",
        title_zh="持有该许可事项的有效行政许可",
        title_en="Does the enterprise hold a licence for this item that is valid today?",
        meaning_zh="许可事项为信用信息目录所载许可事项清单的代码；有该事项的许可且在有效期内为是；没有，"
        "或均不在有效期内为否；有许可未载明事项的，不以没有该事项为否，不作判断。",
        meaning_en="An item is a code of the catalogue's list of licensing items. Yes with a licence "
        "for it within its term; no without one, or where all are outside their terms. While "
        "a licence is held whose item is not recorded, another item is not determined.",
        kind=QuestionKind.STATE,
        datasets=("licence",),
        value="one_of",
        values=LICENSING_ITEMS,
    ),
    Question(
        tag="not_on_any_serious_list.v1",
        title_zh="未被列入任何严重失信主体名单",
        title_en="Is the enterprise on no list of seriously untrustworthy entities?",
        meaning_zh="包括市场监督管理严重违法失信名单、失信被执行人名单和其他领域的严重失信主体名单；已移出、"
        "中止公示、已修复或已满期限的不计；任一名单的数源暂不可用的不作判断。",
        meaning_en="The market regulator's list, the judgment defaulters and the lists of other fields; "
        "entries that were removed, suspended or repaired or whose term is over are left out. While "
        "the source of one of them does not answer it is not determined.",
        kind=QuestionKind.STATE,
        datasets=("serious_violation", "judgment_defaulter", "untrustworthy_list"),
    ),
    Question(
        tag="no_enforcement_case.v1",
        title_zh="没有在执行中的被执行人信息",
        title_en="Is no enforcement case open against the enterprise?",
        meaning_zh="仅指本企业作为被执行人且尚未结案的案件；不含失信被执行人和限制消费。",
        meaning_en="Open cases in which the enterprise itself is the one enforced against; the list of "
        "judgment defaulters and consumption limits are left out.",
        kind=QuestionKind.STATE,
        datasets=("enforcement_case",),
    ),
    Question(
        tag="no_equity_freeze.v1",
        title_zh="没有股权冻结",
        title_en="Is no share in the enterprise frozen?",
        meaning_zh="仅指对股东所持本企业股权、且在冻结期内的冻结；已解除、已届满的不计。",
        meaning_en="Freezes in force of shares in this enterprise; those that were lifted or are over "
        "are left out.",
        kind=QuestionKind.STATE,
        datasets=("equity_freeze",),
    ),
    Question(
        tag="not_in_liquidation.v1",
        title_zh="没有正在进行的清算",
        title_en="Is the enterprise not in liquidation?",
        meaning_zh="仅指清算组信息已备案或公告且尚未结束的清算；不含破产程序。",
        meaning_en="Liquidations that were filed and are not over; bankruptcy proceedings are left out.",
        kind=QuestionKind.STATE,
        datasets=("liquidation",),
    ),
    Question(
        tag="tax_credit_level_at_least.v1",
        title_zh="纳税缴费信用级别不低于该级",
        title_en="Is the tax credit level at least this one?",
        meaning_zh="以最近一个评价年度的级别为准，次序为 A、B、M、C、D；没有级别的不作判断。",
        meaning_en="By the level of the latest rated year, in the order A, B, M, C, D; without one it "
        "is not determined.",
        kind=QuestionKind.BAND,
        datasets=("tax_credit_level",),
        value="one_of",
        values=("A", "B", "M"),
        needs_consent=True,
    ),
    Question(
        tag="comprehensive_rating_at_least.v1",
        title_zh="公共信用综合评价等级不低于该级",
        title_en="Is the comprehensive public credit rating at least at this level?",
        meaning_zh="优秀至差为浙江省公共信用综合评价，A 至 D 为全国公共信用综合评价；"
        "以该评价体系最近一次有效评价为准，没有的不作判断。",
        meaning_en="优秀 to 差 ask for Zhejiang's rating, A to D for the nation's; each by the latest "
        "valid rating of its scheme, and not determined without one.",
        kind=QuestionKind.BAND,
        datasets=("comprehensive_rating",),
        value="one_of",
        values=(*PROVINCIAL_LEVELS, *NATIONAL_LEVELS),
        needs_consent=True,
    ),
)
