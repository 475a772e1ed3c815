"""Texts of notices in Chinese and English, plain text. Pure.

Names come from clients and departments: characters that could form a link are replaced.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from gateway.notices.kinds import OF_SOURCES, SHANGHAI, NoticeKind

MAX_NAME_LENGTH: Final = 100
_LINKING: Final = str.maketrans(
    {".": "．", ":": "：", "/": "／", "@": "＠", "<": "＜", ">": "＞", "\\": "＼", "。": "．"}
)
_SPACE: Final = re.compile(r"\s+")

SUBJECT: Final = "信桥通知 Xinqiao notice"
_TAKE_BACK: Final = "If this was neither you nor your delegate, sign in and take it back at once."
CONFIRM_SUBJECT: Final = "信桥：请确认通知地址 Xinqiao: confirm where notices go"

SENTENCES: Final[dict[NoticeKind, tuple[str, str]]] = {
    NoticeKind.CONSENT_ASKED: ("{client} 申请查看信息，等待您决定", "{client} asks for consent"),
    NoticeKind.CONSENT_LEFT_OPEN: (
        "{client} 的授权申请已打开，没有作出决定，没有给出任何授权",
        "A request of {client} was opened and left undecided; nothing was granted",
    ),
    NoticeKind.CONSENT_GRANTED: ("已向 {client} 同意授权", "A consent was given to {client}"),
    NoticeKind.CONSENT_REFUSED: ("已拒绝 {client} 的申请", "A request of {client} was refused"),
    NoticeKind.CONSENT_AMENDED: (
        "给 {client} 的授权已变更",
        "A consent given to {client} was changed",
    ),
    NoticeKind.CONSENT_PAUSED: (
        "给 {client} 的授权已暂停",
        "A consent given to {client} was paused",
    ),
    NoticeKind.CONSENT_RESUMED: (
        "给 {client} 的授权已恢复",
        "A consent given to {client} was resumed",
    ),
    NoticeKind.CONSENT_WITHDRAWN: (
        "给 {client} 的授权已撤回",
        "A consent given to {client} was withdrawn",
    ),
    NoticeKind.CONSENT_ENDING: (
        "给 {client} 的授权将在 7 天内到期",
        "A consent given to {client} ends soon",
    ),
    NoticeKind.OBJECTION_DECIDED: ("一项异议已有处理结果", "An objection was decided"),
    NoticeKind.REPAIR_NOT_GRANTED: (
        "一项信用修复申请不予修复或已另行办结，理由请登录查看",
        "An application for repair was not accepted, or ended otherwise; sign in to see why",
    ),
    NoticeKind.DELEGATE_APPOINTED: ("已邀请一名经办人", "A delegate was invited"),
    NoticeKind.DELEGATE_ACCEPTED: ("一名经办人已接受邀请", "A delegate took up an invitation"),
    NoticeKind.DELEGATE_ENDED: ("一名经办人已终止", "A delegate was ended"),
    NoticeKind.REPRESENTATIVE_CHANGED: (
        "法定代表人（经营者）已变更：经办人已全部终止，通知地址不再使用",
        "The representative or operator has changed: delegates have ended, notices no longer go here",
    ),
    NoticeKind.BAD_RECORD_ARRIVED: (
        "{dataset}中新增一条失信信息{repairable}，修复条件和办理途径请登录查看",
        "A negative record is new in {dataset}{repairable}; sign in to see how it can be repaired",
    ),
    NoticeKind.RECORD_REPAIRED: (
        "{dataset}中的一条信息已完成信用修复，不再公示、共享和使用",
        "A record in {dataset} was repaired: it is published, shared and used no more",
    ),
    NoticeKind.RECORD_SUSPENDED: (
        "{dataset}中的一条信息已中止公示、共享和使用",
        "A record in {dataset} was suspended: for now it is not published, shared or used",
    ),
    NoticeKind.RECORD_REINSTATED: (
        "{dataset}中一条信息的中止已解除，在其期限内恢复公示、共享和使用",
        "A record in {dataset} is suspended no more: within its term it is published and used again",
    ),
    NoticeKind.REPAIR_REVOKED: (
        "{dataset}中一条信息的信用修复已被撤销，在其期限内恢复公示、共享和使用",
        "The repair of a record in {dataset} was revoked: in its term it is published and used again",
    ),
    NoticeKind.CODE_MISUSED: (
        "一张企业码经核查被伪造或冒用，处理结果请登录查看",
        "One of your codes was found forged or misused; sign in to see what was done",
    ),
    NoticeKind.CODE_ISSUED: (
        "登记机关或信桥运营方为本企业签发了企业码，请登录查看；不是本企业要求的，请与其联系",
        "The registering authority or the operator issued a code for you; sign in to see it",
    ),
    NoticeKind.CODE_REVOKED: (
        "登记机关或信桥运营方作废了本企业的企业码，请取下这张贴纸；详情请登录查看",
        "The registering authority or the operator revoked one of your codes; take its sticker down",
    ),
    NoticeKind.OUTCOME_TOLD: (
        "{client} 告知了一项申请的办理结果，请登录后在查询记录中查看",
        "{client} told what became of an application; sign in and look at who looked",
    ),
    NoticeKind.CREDIT_REPORT_MADE: (
        "已出具一份专项信用报告；不是本企业要求的，请登录收回",
        "A credit report was made; if you did not ask for it, sign in and take it back",
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeLine:
    """One event in a notice, with the client's names where there is one."""

    kind: NoticeKind
    moment: datetime
    client_zh: str = ""
    client_en: str = ""
    dataset_zh: str = ""
    dataset_en: str = ""
    repairable_on: date | None = None
    """The earliest day on which the enterprise can apply for a repair, if it is known."""

    @property
    def zh(self) -> str:
        """The sentence in Chinese."""
        dataset = f"“{plain_name(self.dataset_zh)}”" if self.dataset_zh else "信用记录"
        day = f"，最早可于 {self.repairable_on} 申请信用修复" if self.repairable_on else ""
        return SENTENCES[self.kind][0].format(
            client=plain_name(self.client_zh), dataset=dataset, repairable=day
        )

    @property
    def en(self) -> str:
        """The sentence in English."""
        dataset = f"“{plain_name(self.dataset_en)}”" if self.dataset_en else "the credit file"
        day = (
            f", repairable from {self.repairable_on} at the earliest" if self.repairable_on else ""
        )
        return SENTENCES[self.kind][1].format(
            client=plain_name(self.client_en), dataset=dataset, repairable=day
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message to one address."""

    subject: str
    text: str
    reference: str
    """Deduplication key, the same when a message is sent again."""


def notice_message(
    enterprise: str, lines: Sequence[NoticeLine], *, origin: str, reference: str
) -> Message:
    """The message about these events, oldest first."""
    ordered = sorted(lines, key=lambda each: each.moment)
    name = plain_name(enterprise)
    takes_back = any(each.kind not in OF_SOURCES for each in ordered)
    return Message(
        subject=SUBJECT,
        reference=reference,
        text="\n".join(
            (
                f"{name}：",
                "",
                *(f"- {_when(each)} {each.zh}。" for each in ordered),
                "",
                f"请登录查看：{origin}/portal",
                ("如果不是您或您的经办人所为，请立即登录撤回。" if takes_back else "")
                + "本系统不会在通知里索要密码或付款。",
                "",
                f"{name}:",
                "",
                *(f"- {_when(each)} {each.en}." for each in ordered),
                "",
                f"Sign in to see more: {origin}/portal",
                *([_TAKE_BACK] if takes_back else []),
                "We never ask for a password or a payment.",
                "",
            )
        ),
    )


def confirmation_message(enterprise: str, *, link: str, reference: str) -> Message:
    """The message with the link that confirms a contact point."""
    name = plain_name(enterprise)
    return Message(
        subject=CONFIRM_SUBJECT,
        reference=reference,
        text="\n".join(
            (
                f"有人为 {name} 设置了把通知发到这里。如果是您，请在 24 小时内打开链接确认：",
                link,
                "如果不是您，请不要打开，不会再收到通知。",
                "",
                f"Somebody wants notices for {name} to come here.",
                "If it was you, confirm within 24 hours by the link above. If not, do nothing.",
                "",
            )
        ),
    )


def plain_name(name: str) -> str:
    """A name without link characters or line breaks, cut to length."""
    visible = "".join(each for each in _SPACE.sub(" ", name) if each.isprintable())
    return visible.translate(_LINKING)[:MAX_NAME_LENGTH]


def _when(line: NoticeLine) -> str:
    return line.moment.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M")
