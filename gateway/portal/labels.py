"""Portal labels in Chinese and English: statuses, kinds, reasons, purposes, datasets."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from consent import Act, Consent, Giver, Purpose, Status
from consent.model import PURPOSE_NAMES
from gateway.access.refused_request import UNKNOWN
from gateway.creditfile.catalogue import Catalogue
from gateway.creditfile.disclosure_class import Audience
from gateway.creditfile.disclosure_terms import End, EndReason
from gateway.creditfile.local_dates import day_of
from gateway.pages.i18n import Translated
from gateway.portal.question_labels import question_label
from verification import find_question

STATUSES: Final[Mapping[str, Translated]] = {
    Status.REQUESTED: Translated("待您决定", "Awaiting your decision"),
    Status.ACTIVE: Translated("有效", "Active"),
    Status.REFUSED: Translated("已拒绝", "Refused"),
    Status.PAUSED: Translated("已暂停", "Paused"),
    Status.WITHDRAWN: Translated("已撤回", "Withdrawn"),
    Status.EXPIRED: Translated("已到期", "Expired"),
    Status.EXHAUSTED: Translated("次数已用完", "All uses used up"),
    Status.SUPERSEDED: Translated("已被新授权替代", "Replaced by a newer one"),
}

ACTS: Final[Mapping[str, Translated]] = {
    Act.REQUESTED: Translated("对方提出申请", "Requested by the organisation"),
    Act.GRANTED: Translated("{who}同意授权", "{who} consented"),
    Act.REFUSED: Translated("{who}拒绝了申请", "{who} refused"),
    Act.PAUSED: Translated("{who}暂停了授权", "{who} paused it"),
    Act.RESUMED: Translated("{who}恢复了授权", "{who} resumed it"),
    Act.WITHDRAWN: Translated("{who}撤回了授权", "{who} withdrew it"),
    Act.GIVEN_UP: Translated("对方撤销了申请或授权", "Given up by the organisation"),
    Act.SUPERSEDED: Translated("被新的授权替代", "Replaced by a newer consent"),
    Act.AMENDED: Translated("{who}变更了授权", "{who} changed it"),
    Act.COOL_DOWN_ENDED: Translated(
        "{who}允许对方再次申请", "{who} allowed the organisation to ask again"
    ),
}
"""Acts on a consent; `{who}` is the person of the enterprise."""
REPLACED_REQUEST: Final = Translated("被新的申请替代", "Replaced by a newer request")

GIVERS: Final[Mapping[str, Translated]] = {
    Giver.ENTERPRISE: Translated("企业同意", "by the enterprise"),
    Giver.PERSON: Translated("本人同意", "by the person"),
}

CLIENT_KINDS: Final[Mapping[str, Translated]] = {
    "bank": Translated("银行", "Bank"),
    "platform": Translated("平台企业", "Platform company"),
    "agency": Translated("信用服务机构", "Credit-service agency"),
    "source": Translated("信息提供单位", "Department"),
}

ENTERPRISE_KINDS: Final[Mapping[str, Translated]] = {
    "firm": Translated("企业", "Firm"),
    "individual_business": Translated("个体工商户", "Individual business"),
    "farmers_cooperative": Translated("农民专业合作社", "Farmers' cooperative"),
}

DISCLOSURE_KINDS: Final[Mapping[str, Translated]] = {
    "query": Translated("查询", "Query"),
    "verification": Translated("核验", "Verification"),
    "consent_request": Translated("申请授权", "Request for consent"),
    "watch": Translated("关注", "Watch"),
    "report": Translated("打开专项信用报告", "Opening of a credit report"),
    "other": Translated("其他请求", "Other request"),
}

OUTCOMES: Final[Mapping[str, Translated]] = {
    "told": Translated("已提供或已答复", "Provided or answered"),
    "refused": Translated("已拒绝", "Refused"),
}

REASONS: Final[Mapping[str, Translated]] = {
    "not_available": Translated("没有您的授权", "Without your consent"),
    "not_in_consent": Translated("不在您的授权范围内", "Not covered by your consent"),
    "consent_withdrawn": Translated("您已撤回授权", "You had withdrawn the consent"),
    "consent_expired": Translated("授权已到期", "The consent had expired"),
    "consent_exhausted": Translated("授权次数已用完", "All uses were used up"),
    "consent_paused": Translated("您已暂停授权", "You had paused the consent"),
    "cooling_down": Translated("限制期内不得再次申请", "You had refused it a short while before"),
    "not_in_agreement": Translated("超出约定的使用范围", "Not covered by its agreement"),
    "invalid_authorization_details": Translated(
        "申请的内容超出约定的使用范围", "It requested more than its agreement covers"
    ),
    "unauthorized_client": Translated("对方没有有效的数据使用协议", "It has no agreement in force"),
    "agreement_missing": Translated("对方没有数据使用协议", "It has no agreement"),
    "agreement_ended": Translated("对方的数据使用协议已失效", "Its agreement had ended"),
    "client_suspended": Translated("对方已被停用", "It was suspended"),
    "idempotency_conflict": Translated(
        "对方重复使用了同一请求编号，而内容已不相同",
        "It reused the number of an earlier request with different content",
    ),
    "rate_limited": Translated("查询过于频繁", "It queried too often"),
    "quota_exhausted": Translated("对方的查询限额已用完", "Its quota was used up"),
    "unknown_purpose": Translated("用途不在允许的范围内", "Not a permitted purpose"),
    "unknown_question": Translated("没有这项核验", "There is no such question"),
    "unknown_dataset": Translated("没有这类信息", "There is no such dataset"),
}
END_REASONS: Final[Mapping[EndReason, Translated]] = {
    EndReason.REPAIRED: Translated("已于{day}信用修复", "repaired on {day}"),
    EndReason.SUSPENDED: Translated("自{day}起中止提供", "suspended on {day}"),
    EndReason.WITHDRAWN: Translated("已于{day}撤销", "withdrawn on {day}"),
    EndReason.REMOVED: Translated("已于{day}移出", "taken off the list on {day}"),
    EndReason.VALIDITY_OVER: Translated("有效期至{day}，已届满", "validity over on {day}"),
    EndReason.LISTING_OVER: Translated("列入期限至{day}，已届满", "listing term over on {day}"),
    EndReason.TERM_OVER: Translated("提供期限至{day}，已届满", "term over on {day}"),
    EndReason.PUBLICITY_OVER: Translated("公示期至{day}，已届满", "publicity over on {day}"),
    EndReason.RETENTION_OVER: Translated(
        "保存期限至{day}，即将删除", "kept until {day}, to be deleted"
    ),
    EndReason.RELATED_ENDED: Translated(
        "由此作出的处罚已于{day}终止，本记录同时终止",
        "ended on {day} with the penalty that it led to",
    ),
    EndReason.FILING_OVER: Translated(
        "评价机构备案有效期至{day}，已届满", "the evaluator’s filing ended on {day}"
    ),
    EndReason.NOT_FILED: Translated(
        "评价机构未备案，不对外提供", "evaluator not filed: not provided to others"
    ),
    EndReason.SUPERSEDED: Translated("已有更新的记录，以最新为准", "replaced by a later one"),
    EndReason.NOT_BEGUN: Translated("自{day}起公示", "published from {day}"),
    EndReason.NOT_PUBLISHED: Translated("依法不予公示", "by law not published"),
    EndReason.SIMPLIFIED: Translated(
        "简易程序处罚，不计为失信信息，不对外提供",
        "simplified procedure: not counted as negative, not provided to others",
    ),
    EndReason.UNDER_APPEAL: Translated(
        "正在复议或诉讼，暂不计为失信信息，暂不对外提供",
        "under appeal: for now not counted as negative, not provided to others",
    ),
}
_LAST_DAY: Final = frozenset(
    {
        EndReason.VALIDITY_OVER,
        EndReason.FILING_OVER,
        EndReason.LISTING_OVER,
        EndReason.TERM_OVER,
        EndReason.PUBLICITY_OVER,
        EndReason.RETENTION_OVER,
    }
)
"""Reasons whose label names the last day; the others name the first day after."""
OWN_REPORT: Final = "own_report"
"""Purpose of the opening of a report that the enterprise made."""
_OTHER_REASON: Final = Translated("不符合提供的条件", "The conditions were not met")


def purpose_name(code: str) -> Translated:
    """The name of a purpose; an unlisted code unchanged."""
    if code == OWN_REPORT:
        return Translated("企业自行出具", "made by the enterprise itself")
    if code == UNKNOWN:
        return Translated("用途不明", "Purpose unknown")
    try:
        name = PURPOSE_NAMES[Purpose(code)]
    except ValueError:
        return Translated(code, code)
    return Translated(name.zh, name.en)


def outcome_name(kind: str, outcome: str) -> Translated:
    """The outcome of a disclosure of this kind."""
    if outcome != "told":
        return OUTCOMES[outcome]
    if kind == "watch":
        return Translated("已告知答复可能有变", "Told that an answer may have changed")
    answered = kind == "verification"
    return Translated("已答复", "Answered") if answered else Translated("已提供", "Provided")


def reason_name(code: str | None) -> Translated:
    """The label of a refusal reason."""
    return REASONS.get(code or "", _OTHER_REASON)


def end_label(end: End) -> Translated:
    """Why a record is disclosed to nobody but its enterprise, and since when."""
    moment = end.moment - timedelta(microseconds=1) if end.reason in _LAST_DAY else end.moment
    day, label = str(day_of(moment)), END_REASONS[end.reason]
    return Translated(label.zh.format(day=day), label.en.format(day=day))


def item_name(asked: Any, catalogue: Catalogue) -> Translated:  # one entry of `asked`
    """The name of a dataset or question in a disclosure's `asked` list."""
    code = str(asked)
    if isinstance(asked, Mapping):
        code = str(asked.get("question") or asked.get("dataset") or "?")
    found = find_question(code)
    if found is not None:
        return question_label(found, catalogue)
    if code in catalogue.codes:
        dataset = catalogue.dataset(code)
        return Translated(dataset.zh, dataset.en)
    return Translated(code, code)


def separate_name(item: str, catalogue: Catalogue, kind: str) -> Translated:
    """The name of a separately consented item: a question, or a dataset with its field.

    `kind` is the enterprise's.
    """
    if find_question(item) is not None:
        return item_name(item, catalogue)
    code, _, name = item.rpartition(".")
    if code not in catalogue.codes:
        return Translated(item, item)
    of_kind = catalogue.fields_for(code, Audience.AUTHORISED, kind)
    found = next((each for each in of_kind if each.name == name), None)
    dataset = item_name(code, catalogue)
    field = Translated(found.zh, found.en) if found else Translated(name, name)
    return Translated(f"{dataset.zh}：{field.zh}", f"{dataset.en}: {field.en}")


def items_of(consent: Consent, catalogue: Catalogue) -> list[Translated]:
    """The names of a consent's datasets and questions."""
    return [item_name(code, catalogue) for code in (*consent.datasets, *consent.questions)]


def separate_items_of(consent: Consent, catalogue: Catalogue, kind: str) -> list[Translated]:
    """The names of what was consented to separately, with the giver; `kind` is the enterprise's."""
    names = [
        (separate_name(each.item, catalogue, kind), GIVERS[each.giver])
        for each in consent.separate_consents
    ]
    return [
        Translated(f"{name.zh}（{giver.zh}）", f"{name.en} ({giver.en})") for name, giver in names
    ]


def field_names(code: str, catalogue: Catalogue, kind: str) -> dict[str, Translated]:
    """The names of a dataset's fields that clients can receive, by `dataset.field`.

    `kind` is the enterprise's.
    """
    of_kind = catalogue.fields_for(code, Audience.AUTHORISED, kind)
    return {f"{code}.{each.name}": Translated(each.zh, each.en) for each in of_kind}
