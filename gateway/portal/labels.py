"""How the portal names what the database holds, in both languages."""

from collections.abc import Mapping
from typing import Any, Final

from consent import Act, Purpose, Status
from consent.model import PURPOSE_NAMES
from gateway.access.refused_request import UNKNOWN
from gateway.creditfile.catalogue import Catalogue
from gateway.creditfile.disclosure_class import Audience
from gateway.pages.i18n import Said
from verification import question

STATUSES: Final[Mapping[str, Said]] = {
    Status.REQUESTED: Said("待您决定", "Waiting for you"),
    Status.ACTIVE: Said("有效", "Active"),
    Status.REFUSED: Said("已拒绝", "Refused"),
    Status.PAUSED: Said("已暂停", "Paused"),
    Status.WITHDRAWN: Said("已撤回", "Withdrawn"),
    Status.EXPIRED: Said("已到期", "Expired"),
    Status.EXHAUSTED: Said("次数已用完", "All uses spent"),
    Status.SUPERSEDED: Said("已被新授权替代", "Replaced by a newer one"),
}

ACTS: Final[Mapping[str, Said]] = {
    Act.REQUESTED: Said("对方提出申请", "Requested by the organisation"),
    Act.GRANTED: Said("您同意授权", "You consented"),
    Act.REFUSED: Said("您拒绝了申请", "You refused"),
    Act.PAUSED: Said("您暂停了授权", "You paused it"),
    Act.RESUMED: Said("您恢复了授权", "You resumed it"),
    Act.WITHDRAWN: Said("您撤回了授权", "You withdrew it"),
    Act.GIVEN_UP: Said("对方放弃了授权", "Given up by the organisation"),
    Act.SUPERSEDED: Said("被新的授权替代", "Replaced by a newer consent"),
    Act.AMENDED: Said("您变更了授权", "You changed it"),
}

CLIENT_KINDS: Final[Mapping[str, Said]] = {
    "bank": Said("银行", "Bank"),
    "platform": Said("平台企业", "Platform company"),
    "agency": Said("信用服务机构", "Credit-service agency"),
    "source": Said("数源单位", "Department"),
}

ENTERPRISE_KINDS: Final[Mapping[str, Said]] = {
    "firm": Said("企业", "Firm"),
    "individual_business": Said("个体工商户", "Individual business"),
    "farmers_cooperative": Said("农民专业合作社", "Farmers' cooperative"),
}

ROLES: Final[Mapping[str, Said]] = {
    "legal_representative": Said("法定代表人（经营者）", "Legal representative or operator"),
}

DISCLOSURE_KINDS: Final[Mapping[str, Said]] = {
    "query": Said("查询", "Query"),
    "verification": Said("核验", "Verification"),
    "consent_request": Said("申请授权", "Request for consent"),
    "other": Said("其他调用", "Another call"),
}

OUTCOMES: Final[Mapping[str, Said]] = {
    "told": Said("已提供", "Told"),
    "refused": Said("已拒绝", "Refused"),
}

REASONS: Final[Mapping[str, Said]] = {
    "not_available": Said("没有您的授权", "Without your consent"),
    "not_in_consent": Said("不在您的授权范围内", "Not in what you consented to"),
    "consent_withdrawn": Said("您已撤回授权", "You had withdrawn the consent"),
    "consent_expired": Said("授权已到期", "The consent had expired"),
    "consent_exhausted": Said("授权次数已用完", "All uses were spent"),
    "consent_paused": Said("您已暂停授权", "You had paused the consent"),
    "cooling_down": Said("您不久前拒绝过对方", "You had refused it a short while before"),
    "not_in_agreement": Said("超出对方的数字合约", "Not in its agreement"),
    "invalid_authorization_details": Said(
        "申请的内容不在许可范围内", "It asked for what it may not ask for"
    ),
    "unauthorized_client": Said("对方没有有效的数字合约", "It has no agreement in force"),
    "agreement_missing": Said("对方没有数字合约", "It has no agreement"),
    "agreement_ended": Said("对方的数字合约已失效", "Its agreement had ended"),
    "client_suspended": Said("对方已被停用", "It was suspended"),
    "idempotency_conflict": Said(
        "请求编号先前已使用，内容不同或已有变化",
        "It used a request's number again, for what differs or has changed",
    ),
    "rate_limited": Said("查询过于频繁", "It asked too often"),
    "quota_exhausted": Said("配额已用完", "Its quota was spent"),
    "unknown_purpose": Said("用途不在清单内", "Not a purpose that is allowed"),
    "unknown_question": Said("核验项不存在", "There is no such question"),
    "unknown_dataset": Said("数据目录项不存在", "There is no such dataset"),
}
_OTHER_REASON: Final = Said("不符合提供条件", "The conditions were not met")


def purpose_name(code: str) -> Said:
    """A purpose by its name; an unknown one as it stands."""
    if code == UNKNOWN:
        return Said("用途不明", "Purpose unknown")
    try:
        name = PURPOSE_NAMES[Purpose(code)]
    except ValueError:
        return Said(code, code)
    return Said(name.zh, name.en)


def reason_name(code: str | None) -> Said:
    """Why something was refused."""
    return REASONS.get(code or "", _OTHER_REASON)


def item_name(asked: Any, catalogue: Catalogue) -> Said:  # one entry of `asked`
    """The name of a dataset or a question, as a disclosure's log has it."""
    code = asked if isinstance(asked, str) else _code_of(asked)
    found = question(code)
    if found is not None:
        return Said(found.title_zh, found.title_en)
    if code in catalogue.codes:
        dataset = catalogue.dataset(code)
        return Said(dataset.zh, dataset.en)
    return Said(code, code)


def fields_behind(code: str, catalogue: Catalogue) -> list[Said]:
    """The fields that a client can be told of a dataset."""
    return [Said(each.zh, each.en) for each in catalogue.fields_for(code, Audience.AUTHORISED)]


def _code_of(asked: Any) -> str:
    if isinstance(asked, Mapping):
        return str(asked.get("question") or asked.get("dataset") or "?")
    return str(asked)
