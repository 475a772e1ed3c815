"""Questions on the registration: groups of elements, standing, kind, annual report."""

from typing import Final

from verification.normalise import INDUSTRY_GROUPS
from verification.question import (
    ID_NUMBER_ELEMENT,
    NAME_ELEMENT,
    REPRESENTATIVE_ELEMENT,
    Question,
    QuestionKind,
)

REGISTRATION_QUESTIONS: Final[tuple[Question, ...]] = (
    Question(
        tag="three_elements.v1",
        title_zh="企业三要素（统一社会信用代码、名称、法定代表人）是否一致",
        title_en="Do code, name and legal representative belong together?",
        meaning_zh="名称与法定代表人（经营者）均与该代码当前登记的一致为是，按 names.v2 比对，"
        "繁简不同视为一致；有一项不一致为否，不说明是哪一项；有一项无法比对的不作判断。",
        meaning_en="Yes where both name and legal representative (or operator) are those registered "
        "under the code today, by names.v2, in traditional or simplified characters; no "
        "where one is not, without saying which; where one cannot be compared it is not "
        "determined.",
        kind=QuestionKind.MATCH,
        datasets=("registration",),
        value="elements",
        elements=(NAME_ELEMENT, REPRESENTATIVE_ELEMENT),
        personal=True,
    ),
    Question(
        tag="four_elements.v1",
        title_zh="企业四要素（统一社会信用代码、名称、法定代表人及其证件号码）是否一致",
        title_en="Do code, name, legal representative and that person's identity number belong together?",
        meaning_zh="同 three_elements.v1，并以带密钥的摘要比对法定代表人（经营者）证件号码；"
        "须经本人单独同意。",
        meaning_en="As three_elements.v1, with the identity number of the legal representative or "
        "operator compared by keyed digest, under the separate consent of that person.",
        kind=QuestionKind.MATCH,
        datasets=("registration",),
        value="elements",
        elements=(NAME_ELEMENT, REPRESENTATIVE_ELEMENT, ID_NUMBER_ELEMENT),
        needs_consent=True,
        personal=True,
        separate_consent="person",
    ),
    Question(
        tag="registration_standing.v1",
        title_zh="登记状态是否允许开展经营活动",
        title_en="Does the state of the registration allow it to do business?",
        meaning_zh="存续（在营）或歇业，且营业期限未届满为是："
        "歇业期间可自行恢复营业（市场主体登记管理条例第三十条）；吊销、注销、"
        "撤销或营业期限届满为否；迁出的由迁入地登记机关登记，不作判断。不涉及行政许可和处罚。",
        meaning_en="Yes where the status is 存续 or 歇业 (it may resume business by itself: article 30 "
        "of the registration regulation) and the term of business is not over; no where it "
        "is 吊销, 注销 or 撤销, or the term is over; 迁出 is registered elsewhere and not "
        "determined. Licences and penalties are left out.",
        kind=QuestionKind.STATE,
        datasets=("registration",),
    ),
    Question(
        tag="is_individual_business.v1",
        title_zh="是否为个体工商户",
        title_en="Is it an individual business?",
        meaning_zh="主体类型为个体工商户为是，企业和农民专业合作社为否。",
        meaning_en="Yes for an individual business (个体工商户), no for a firm or farmers' cooperative.",
        kind=QuestionKind.STATE,
        datasets=("registration",),
    ),
    Question(
        tag="annual_report_filed.v1",
        title_zh="是否已报送上一年度年度报告",
        title_en="Has the annual report for last year been filed?",
        meaning_zh="7月1日起判断上一年度的年度报告，个体工商户同样报送；已报送（含逾期补报）为是；"
        "7月15日起未报送为否；当年及以后成立的、已注销、吊销、撤销或迁出且未报送的不作判断。"
        "不涉及报告内容。",
        meaning_en="Determined from 1 July on, for the year before; individual businesses file too. Yes "
        "where it was filed, late or not; no from 15 July on where it was not. Not determined without a "
        "report for what was established after that year or is 注销, 吊销, 撤销 or 迁出. "
        "What the report says is left out.",
        kind=QuestionKind.STATE,
        datasets=("registration", "annual_report"),
    ),
    Question(
        tag="representative_stable.v1",
        title_zh="法定代表人（经营者）最近若干个月内未变更",
        title_en="Has the legal representative or operator been the same for at least so many months?",
        meaning_zh="变更信息中该期间内有法定代表人变更或经营者变更为否；期间内没有该项变更为是。"
        "成立未满该月数的，或该期间内另有核准日期而变更信息中没有任何变更的，不作判断。",
        meaning_en="No where the changes of registration have one of the legal representative or "
        "operator in that time, yes where they have none. Not determined where it was "
        "established later, or where the registration was approved anew in that time and no "
        "change of that time is recorded.",
        kind=QuestionKind.BAND,
        datasets=("registration", "change"),
        value="one_of",
        values=("6", "12"),
    ),
    Question(
        tag="is_small_or_micro.v1",
        title_zh="是否列入小微企业名录",
        title_en="Is it on the list of small and micro enterprises?",
        meaning_zh="以登记机关提供的小微企业名录信息为准；未提供的不作判断。",
        meaning_en="As the registration authority gives it from the list (小微企业名录); where it gives "
        "nothing it is not determined.",
        kind=QuestionKind.STATE,
        datasets=("registration",),
    ),
    Question(
        tag="scope_includes.v1",
        title_zh="经营范围是否包含该行业中类",
        title_en="Does the scope of business include this group of industries?",
        meaning_zh="行业中类为国民经济行业分类（GB/T 4754）三位数字，可带门类字母；"
        "登记机关提供的经营范围所属行业中有该中类为是，没有为否；"
        "未提供或仅提供到更粗类别的不作判断。不涉及行政许可。",
        meaning_en="A group of GB/T 4754 is three digits, with or without the letter of its section. "
        "Yes where the codes of the scope, as the registration authority gives them, have "
        "one in the group, no where they do not; where it gives none, or only a coarser one, "
        "it is not determined. Licences are left out.",
        kind=QuestionKind.MATCH,
        datasets=("registration",),
        value="text",
        normalisation=INDUSTRY_GROUPS,
    ),
)
