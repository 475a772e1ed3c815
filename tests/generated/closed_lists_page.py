"""Closed lists of the wire, from the code's own types, as source of `docs/understand/closed-lists.md`.

`python -m tests.generated.closed_lists_page` prints the page, which fails while a value lacks its words.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, get_args

from consent import Act, Channel, Giver, Purpose, Status
from consent.model import PURPOSE_NAMES
from gateway import problems
from gateway.access.subject_uscc import CHECK_CHARACTER
from gateway.clients.registration import KINDS, SCOPES
from gateway.creditfile.field_problems import REASONS, ProblemCode
from gateway.creditfile.objections.model import ObjectionKind, ObjectionOutcome
from gateway.creditfile.objections.model import Status as ObjectionStatus
from gateway.creditfile.repairs.model import ApplicationStatus
from gateway.disclosure.application_outcomes.model import (
    MOST_REASONS,
    OUTCOME_WORDS,
    REASON_WORDS,
    ApplicationOutcome,
    OutcomeReason,
)
from gateway.disclosure.withdrawal_notices import NoticeKind
from gateway.ingest.actions.verdicts import TWO_PERSONS, ActionVerb
from gateway.ingest.results import BatchResult, RowWarning
from gateway.ingest.row_lists.wording import WARNING_REASONS
from gateway.oauth.authlib_models import GRANT_TYPES
from gateway.privacy.redaction import NumberKind
from gateway.queries.withheld import WithheldReason
from gateway.records.schemas import JobOut
from gateway.signing.keys import ID_NUMBER_USE, KEY_USES
from verification import Answer, Match

Words = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosedList:
    """A closed list: where it stands on the wire, its values, and their words in Chinese and English."""

    zh: str
    en: str
    where: str
    values: Sequence[str]
    words: Mapping[str, Words]
    note: Words | None = None


def _literal(alias: object) -> tuple[str, ...]:
    """Values of a literal type or of a union of them."""
    return tuple(
        value
        for each in get_args(alias)
        for value in ((each,) if isinstance(each, str) else _literal(each))
    )


def _capitalised(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]


LISTS: Final = (
    ClosedList(
        zh="用途",
        en="Purposes",
        where="`purpose` of a verification, a query, a consent",
        values=tuple(Purpose),
        words={each: (name.zh, name.en) for each, name in PURPOSE_NAMES.items()},
        note=(
            "不得用于营销、招聘、转售。",
            "None for marketing, hiring or resale.",
        ),
    ),
    ClosedList(
        zh="单独同意的作出者",
        en="Givers of a separate consent",
        where="`given_by` in `separate_consents`",
        values=tuple(Giver),
        words={
            Giver.ENTERPRISE: (
                "企业：有权代表企业办理的人",
                "the enterprise: whoever may act for it",
            ),
            Giver.PERSON: (
                "本人：登录的法定代表人（经营者）",
                "the person: the legal representative or operator, signed in",
            ),
        },
    ),
    ClosedList(
        zh="核验结果",
        en="Answers",
        where="`answers[].answer` of `POST /v1/verifications`",
        values=_literal(Answer),
        words={
            "yes": ("是，相符", "Yes, it fits"),
            "no": ("否，不符", "No, it does not"),
            "not_determined": ("无法判断，不说明原因", "Cannot be said; never why"),
        },
    ),
    ClosedList(
        zh="名称相符程度",
        en="How a name matched",
        where="`answers[].match` of `POST /v1/verifications`, beside a `yes` on a name",
        values=_literal(Match),
        words={
            "strict": ("逐字相符", "Character for character, after normalisation"),
            "loose": ("按公布的规则视为相符", "By the published rules of names"),
        },
    ),
    ClosedList(
        zh="未提供的原因",
        en="Why something is withheld",
        where="`withheld[].reason` of `POST /v1/queries`",
        values=_literal(WithheldReason),
        words={
            "not_in_agreement": ("不在数字合约内", "Not in your agreement"),
            "not_in_consent": (
                "不在授权内；或授权后目录新增的字段",
                "Not in the consent; or a field that the catalogue added after it",
            ),
            "not_for_purpose": ("目录不允许用于此用途", "The catalogue does not offer it for it"),
            "not_licensed": (
                "个体工商户经营者的个人字段，需个人征信许可",
                "A personal field of an individual business, for an agency without the licence",
            ),
            "class_never": ("按级别不提供给任何接入方", "Of a class that no client is told"),
            "source_unavailable": ("数源暂不可用", "The source does not deliver at present"),
        },
    ),
    ClosedList(
        zh="办理结果",
        en="Outcomes of an application",
        where="`outcome` of `PUT /v1/queries/{disclosure_id}/outcome`",
        values=tuple(ApplicationOutcome),
        words={each: (words.zh, words.en) for each, words in OUTCOME_WORDS.items()},
    ),
    ClosedList(
        zh="办理结果的原因",
        en="Reasons of an outcome",
        where="`reasons` of `PUT /v1/queries/{disclosure_id}/outcome`",
        values=tuple(OutcomeReason),
        words={each: (words.zh, words.en) for each, words in REASON_WORDS.items()},
        note=(
            f"`refused` 须有 1–{MOST_REASONS} 项，`approved_less` 可有，`approved` 和 `withdrawn` 没有。",
            f"1–{MOST_REASONS} of `refused`, any of `approved_less`, none of `approved` and `withdrawn`.",
        ),
    ),
    ClosedList(
        zh="对答复的提示",
        en="Warnings on an answer",
        where="`warnings` of verifications, queries and problems",
        values=(CHECK_CHARACTER,),
        words={
            CHECK_CHARACTER: (
                "统一社会信用代码的校验码不符，请核对录入",
                "The check character of the code does not fit: look at what was typed",
            ),
        },
    ),
    ClosedList(
        zh="授权状态",
        en="Status of a consent",
        where="`status` of `GET /v1/consents`",
        values=tuple(Status),
        words={
            Status.REQUESTED: ("已申请，待企业决定", "Asked for; the enterprise has not decided"),
            Status.ACTIVE: ("有效", "In force"),
            Status.REFUSED: ("企业已拒绝", "Refused by the enterprise"),
            Status.PAUSED: ("企业已暂停，可恢复", "Paused by the enterprise, which may resume it"),
            Status.WITHDRAWN: ("已撤回或放弃", "Withdrawn, or given up by the client"),
            Status.EXPIRED: ("已到期，或逾期未决定", "Its term, or the time to decide, is over"),
            Status.EXHAUSTED: ("次数已用完", "All uses are spent"),
            Status.SUPERSEDED: ("已由新的申请或授权替代", "A newer one took its place"),
        },
    ),
    ClosedList(
        zh="授权的行为",
        en="Acts on a consent",
        where="`xq:act` of `GET /v1/consents/{id}/record`",
        values=tuple(Act),
        words={
            Act.REQUESTED: ("申请", "Asked for by the client"),
            Act.GRANTED: ("同意", "Granted"),
            Act.REFUSED: ("拒绝", "Refused"),
            Act.PAUSED: ("暂停", "Paused"),
            Act.RESUMED: ("恢复", "Resumed"),
            Act.WITHDRAWN: ("撤回", "Withdrawn"),
            Act.GIVEN_UP: ("接入方放弃", "Given up by the client"),
            Act.SUPERSEDED: ("被替代", "Replaced by a newer one"),
            Act.AMENDED: ("变更", "Changed"),
            Act.COOL_DOWN_ENDED: ("允许再次申请", "The client may ask again"),
        },
    ),
    ClosedList(
        zh="授权的渠道",
        en="Channels of a consent",
        where="`dpv:hasIndicationMethod` of `GET /v1/consents/{id}/record`",
        values=tuple(Channel),
        words={
            Channel.API: ("接口", "The API"),
            Channel.REDIRECT: ("从接入方页面跳转", "Redirect from the client's page"),
            Channel.LINK: ("链接或二维码", "Link or QR code"),
            Channel.PORTAL: ("企业门户", "The enterprise's portal"),
        },
    ),
    ClosedList(
        zh="变更通知",
        en="Kinds of changes",
        where="`changes[].kind` of `GET /v1/changes`",
        values=_literal(NoticeKind),
        words={
            "record_corrected": ("记录已更正，或使用截止时间提前", "Corrected, or ends earlier"),
            "record_repaired": ("记录已信用修复", "Repaired"),
            "record_suspended": ("记录已中止提供", "Not told for the time being"),
            "record_withdrawn": ("记录已由数源撤销", "Withdrawn by its source"),
            "record_ended": ("记录因其他原因不再提供", "Told no more for another reason"),
            "record_reinstated": ("记录恢复提供", "Can be asked for again"),
            "consent_granted": ("企业已授权，或授权范围扩大", "Granted, or made wider"),
            "consent_refused": ("企业已拒绝", "Refused"),
            "consent_narrowed": ("授权范围缩小", "Made narrower"),
            "consent_withdrawn": ("授权已撤回", "Withdrawn"),
            "consent_expired": ("授权已到期", "Expired"),
            "answer_may_have_changed": (
                "所关注企业的答复可能已变，请重新核验",
                "The answer about a watched enterprise may have changed: ask again",
            ),
        },
    ),
    ClosedList(
        zh="报送结果",
        en="Outcomes of intake",
        where="`results[].outcome` of `POST /v1/records` and `POST /v1/records/actions`",
        values=tuple(BatchResult),
        words={
            BatchResult.CREATED: ("新增", "A new record"),
            BatchResult.UPDATED: ("更新", "A new version"),
            BatchResult.UNCHANGED: ("与已有相同", "The same as what is held"),
            BatchResult.REJECTED: (
                "未接收，原因见 `problems`",
                "Not taken; `problems` says why",
            ),
            BatchResult.PENDING: ("待第二人批准", "Waits for a second person"),
        },
    ),
    ClosedList(
        zh="报送提示",
        en="Warnings of intake",
        where="`results[].warnings` of `POST /v1/records`, `code` of a job's `warnings`",
        values=tuple(RowWarning),
        words={each: (word.zh, _capitalised(word.en)) for each, word in WARNING_REASONS.items()},
    ),
    ClosedList(
        zh="未接收的原因",
        en="Problems of intake",
        where="`results[].problems[].code` of `POST /v1/records`, `POST /v1/records/actions` and "
        "`POST /v1/records/repairs/platforms`, `code` of a job's `rejects`",
        values=tuple(ProblemCode),
        words={
            **{
                each: (words.zh.format("…", "…"), _capitalised(words.en.format("…", "…")))
                for each, words in REASONS.items()
            },
            ProblemCode.PERSONAL_NUMBER_IN_KEY: (
                REASONS[ProblemCode.PERSONAL_NUMBER_IN_KEY].zh,
                "A person's number in the key; `reason` says the code",
            ),
        },
    ),
    ClosedList(
        zh="隐去的号码",
        en="Kinds of masked numbers",
        where="`results[].warning_details[].kind` of `POST /v1/records`",
        values=tuple(NumberKind),
        words={
            NumberKind.ID: ("证件号码", "ID, passport or permit number"),
            NumberKind.PHONE: ("电话号码", "Phone number"),
        },
    ),
    ClosedList(
        zh="对记录的操作",
        en="Actions on a record",
        where="`action` of `POST /v1/records/actions`",
        values=_literal(ActionVerb),
        words={
            "repair": ("信用修复", "Repair"),
            "withdraw": ("撤销", "Withdraw for good"),
            "correct": ("更正", "Correct its fields"),
            "suspend": ("中止提供", "Tell it no more for the time being"),
            "reinstate": ("恢复提供", "Lift a suspension"),
            "revoke_repair": ("撤销信用修复", "Revoke a repair"),
        },
        note=(
            f"{'、'.join(f'`{each}`' for each in sorted(TWO_PERSONS))} 须由两人完成。",
            f"{' and '.join(f'`{each}`' for each in sorted(TWO_PERSONS))} take two persons.",
        ),
    ),
    ClosedList(
        zh="文件任务的状态",
        en="State of a file's job",
        where="`state` of `GET /v1/records/jobs/{id}`",
        values=_literal(JobOut.model_fields["state"].annotation),
        words={
            "receiving": ("正在接收", "Its bytes are arriving"),
            "queued": ("排队", "Waits for its turn"),
            "running": ("正在处理", "Being taken in"),
            "done": ("完成", "Done"),
            "stopped": ("已停止，原因见 `sentence`", "Stopped; `sentence` says why"),
        },
    ),
    ClosedList(
        zh="异议的种类",
        en="Kinds of objections",
        where="`kind` of `GET /v1/objections`",
        values=tuple(ObjectionKind),
        words={
            ObjectionKind.OBJECTION: ("异议", "Objection to a record"),
            ObjectionKind.RATING_APPEAL: ("对评价的申诉", "Appeal against a rating"),
        },
    ),
    ClosedList(
        zh="异议的状态",
        en="Status of an objection",
        where="`status` of `GET /v1/objections`",
        values=tuple(ObjectionStatus),
        words={
            ObjectionStatus.OPEN: ("待数源单位决定", "The source has to decide"),
            ObjectionStatus.DECIDED: ("已决定，可申请复核", "Decided; a review may be asked for"),
            ObjectionStatus.IN_REVIEW: ("正在复核", "The reviewer has to decide"),
            ObjectionStatus.ORDERED: ("复核支持企业，待更正", "The source has to correct"),
            ObjectionStatus.CLOSED: ("已办结", "Final"),
        },
    ),
    ClosedList(
        zh="异议的结果",
        en="Outcome of an objection",
        where="`outcome` of `GET /v1/objections`",
        values=tuple(ObjectionOutcome),
        words={
            ObjectionOutcome.UPHELD: ("成立", "Upheld"),
            ObjectionOutcome.PARTLY: ("部分成立", "Upheld in part"),
            ObjectionOutcome.REJECTED: ("不成立", "Rejected"),
            ObjectionOutcome.WITHDRAWN: ("企业撤回", "Withdrawn by the enterprise"),
            ObjectionOutcome.RECORD_DELETED: (
                "记录保存期满，已删除",
                "The record was deleted at the end of its retention",
            ),
        },
    ),
    ClosedList(
        zh="信用修复申请的状态",
        en="Status of an application for repair",
        where="`status` of `GET /v1/records/repairs`",
        values=tuple(ApplicationStatus),
        words={
            ApplicationStatus.OPEN: ("待决定", "The source has to decide"),
            ApplicationStatus.ACCEPTED: ("准予修复", "Accepted: the record is repaired"),
            ApplicationStatus.REJECTED: ("不予修复", "Rejected"),
            ApplicationStatus.WITHDRAWN: ("企业撤回", "Withdrawn by the enterprise"),
            ApplicationStatus.OVERTAKEN: (
                "未经决定，记录已修复、撤销或移出名单",
                "Without a decision: repaired, withdrawn or off its list",
            ),
        },
    ),
    ClosedList(
        zh="权限",
        en="Scopes",
        where="`scope` of `POST /oauth/token`",
        values=SCOPES,
        words={
            "verify": ("核验", "Verifications"),
            "query": ("查询", "Queries"),
            "consents": ("申请和读取授权", "Ask for consents and read them"),
            "changes": ("变更通知", "The change feed"),
            "certificates": ("保留", "Reserved"),
            "screen": ("保留", "Reserved"),
            "records:write": ("数源单位报送", "Departments deliver records"),
            "codes": ("登记机关管理企业码", "Registering authorities manage enterprise codes"),
            "admin": ("运行管理", "The operator's administration"),
            "audit": ("审计", "The operator's audit"),
        },
    ),
    ClosedList(
        zh="授权方式",
        en="Grant types",
        where="`grant_type` of `POST /oauth/token`",
        values=tuple(GRANT_TYPES),
        words={
            "authorization_code": ("授权码", "With the enterprise's consent"),
            "client_credentials": ("接入方凭据", "The client by itself"),
            "refresh_token": ("刷新令牌", "Go on under a consent"),
        },
    ),
    ClosedList(
        zh="接入方的种类",
        en="Kinds of clients",
        where="`kind` of a registration",
        values=KINDS,
        words={
            "bank": ("银行", "Bank"),
            "platform": ("平台企业", "Platform company"),
            "agency": ("信用服务机构", "Credit-service agency"),
            "source": ("数源单位", "Department"),
            "operator": ("运行管理方", "Operator"),
        },
    ),
    ClosedList(
        zh="密钥的用途",
        en="Uses of the gateway's keys",
        where="`xinqiao_use` of `/.well-known/jwks.json`",
        values=(*KEY_USES, ID_NUMBER_USE),
        words={
            "token": ("签发访问令牌", "Signs access tokens"),
            "response": ("签署答复和授权记录", "Signs answers and consent records"),
            "log": ("签署透明日志的检查点", "Signs checkpoints of the log"),
            "id_number": ("供接入方加密证件号码", "ID numbers are encrypted to it"),
        },
    ),
)

_HEAD: Final = """\
# Closed lists 封闭清单

Made by `make docs` from the code's own lists. 本页由代码中的清单生成。

Values that the wire has, with where they stand. A published value keeps its meaning; a new version of the
gateway may add values, so a program must take one that it does not know for the stricter case: a reason to
withhold, a change that takes something back, a problem of its status. Datasets and fields are in
[the catalogue](catalogue.md), questions in [their page](questions.md).

接口上的全部取值及其所在位置。已公布的取值含义不变；新版本可能增加取值，程序遇到不认识的取值，应按较严的情形处理。
数据目录项和字段见[信用信息目录](catalogue.md)，核验项见[逐项说明](questions.md)。
"""


def markdown() -> str:
    """The page in Markdown."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield _HEAD.rstrip("\n")
    for each in LISTS:
        yield from ("", f"## {each.zh} {each.en}", "", f"{each.where}", "")
        yield from ("| 取值 value | 含义 | meaning |", "|---|---|---|")
        for value in each.values:
            chinese, english = each.words[value]
            yield f"| `{value}` | {chinese} | {english} |"
        if each.note is not None:
            yield from ("", f"{each.note[0]} {each.note[1]}")
    yield from (
        "",
        "## 问题代码 Codes of problems",
        "",
        "`code` ([RFC 9457](../integrate/http.md#7-problems))",
        "",
    )
    yield from ("| `code` | status | 含义 | meaning |", "|---|---|---|---|")
    for code, (status, chinese, english) in sorted(
        problems.TABLE.items(), key=lambda row: (row[1][0], row[0])
    ):
        yield f"| `{code}` | {status} | {chinese} | {english} |"


if __name__ == "__main__":
    print(markdown(), end="")
