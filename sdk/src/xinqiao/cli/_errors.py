"""Errors in the reader's language: what happened, and what to do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import starmap
from typing import Final

from xinqiao import PURPOSES, errors
from xinqiao._core.transport.send import EARLIER
from xinqiao._core.wire.closed_lists import DATASETS
from xinqiao.cli._language import Language, code_label, dataset_label, with_code
from xinqiao.errors import XinqiaoError

Texts = tuple[str, str]
"""Chinese and English."""


class InputError(Exception):
    """Input that the command cannot use, in both languages; no error of the library."""

    def __init__(self, zh: str, en: str) -> None:
        """Store the sentences: what is wrong, and what to do."""
        super().__init__(en)
        self.zh = zh


#: By class: what happened, in Chinese; English is the error's own sentence.
WHAT: Final[Mapping[type[XinqiaoError], str]] = {
    XinqiaoError: "未能完成",
    errors.ConfigurationError: "设置或参数不能使用",
    errors.EvidenceExists: "已有同名文件，可能是另一份证据",
    errors.ProtocolError: "答复已通过验签，但不符合接口约定",
    errors.SignatureInvalid: "不真实：不能证明答复出自网关，内容未被采用",
    errors.EvidenceInvalid: "不真实：与网关签名的内容不符",
    errors.EvidenceUnreadable: "不能作为证据读取",
    errors.ReceiptInvalid: "不真实：回执不能证明已载入日志",
    errors.OAuthError: "授权服务器拒绝",
    errors.RequestRefused: "网关不接受这个请求",
    errors.CursorRefused: "存放处的内容不是本接入方的变更游标",
    errors.AccessRefused: "访问令牌或其证明被拒绝",
    errors.AgreementError: "数字合约不允许",
    errors.NotAvailable: "不可提供，不说明原因",
    errors.ConsentError: "企业的授权不允许",
    errors.LimitReached: "已达到限额",
    errors.ServerUnavailable: "没有连上网关",
    errors.AnswerLost: "请求已发出，但没有收到答复：可能已计次数",
    errors.AnswerTimedOut: "请求已发出，但没有及时收到答复：可能已计次数",
    errors.HostUnknown: "找不到网关的主机",
    errors.ConnectionRefused: "网关的地址上没有服务",
    errors.CertificateUntrusted: "网关的 TLS 证书不受信任",
    errors.TimedOut: "没有及时连上网关",
    errors.TemporarilyUnavailable: "网关暂不可用",
}
#: Errors after which the gateway may have answered, and the answer is lost.
_ANSWER_LOST: Final = errors.AnswerLost | errors.ProtocolError | errors.SignatureInvalid
#: By class: what to do.
DO: Final[Mapping[type[XinqiaoError], Texts]] = {
    XinqiaoError: (
        "请把请求编号告知网关的运行管理方。",
        "Tell the gateway's operator the request's number.",
    ),
    errors.ConfigurationError: ("请按说明更正后再试。", ""),
    errors.EvidenceExists: (
        "请换一个文件名，或用 --force 覆盖。",
        "Take another name, or --force.",
    ),
    errors.ProtocolError: (
        "请升级 xinqiao；仍不行，请告知网关的运行管理方。",
        "Upgrade xinqiao; else tell the gateway's operator.",
    ),
    errors.SignatureInvalid: (
        "不要使用其中任何内容。请核对网关地址和所信任的公钥，并报告此事。",
        "Use nothing of it. Check the gateway's address and the keys that you trust, and report it.",
    ),
    errors.EvidenceInvalid: (
        "不要依据这个文件。请用原件和网关当时的公钥再验；PDF 一经另存就不再是原件。",
        "Do not rely on this file. Try the original, with the gateway's keys of that time.",
    ),
    errors.EvidenceUnreadable: (
        "请指定用 --save 存下的证据文件。",
        "Name a file that --save has written.",
    ),
    errors.ReceiptInvalid: (
        "请保存证据并报告此事。",
        "Keep the evidence, and report it.",
    ),
    errors.OAuthError: (
        "请核对接入方编号和私钥，并请运行管理方核对登记的公钥和权限。",
        "Check the client's id and key; the operator can check what is registered.",
    ),
    errors.RequestRefused: (
        "更正请求后再试；原样重复没有用。",
        "Mend the request; repeating it does not help.",
    ),
    errors.InvalidUscc: (
        "代码为 18 位，以 91、92 或 93 开头，不含字母 I、O、S、V、Z。",
        "It has 18 characters, begins with 91, 92 or 93, and has no letter I, O, S, V or Z.",
    ),
    errors.UnknownQuestion: (
        "用 xinqiao questions 查看全部核验项。",
        "List all questions with: xinqiao questions",
    ),
    errors.SignatureRequired: (
        "请设置 XINQIAO_SIGN_REQUESTS=true；xinqiao curl 也可加 --sign。",
        "Set XINQIAO_SIGN_REQUESTS=true; xinqiao curl also takes --sign.",
    ),
    errors.RequestSignatureInvalid: (
        "请核对本机时钟，并核对私钥与登记的公钥是否一致。",
        "Check this machine's clock, and that the key is the registered one.",
    ),
    errors.IdempotencyConflict: (
        "请换一个 --idempotency-key，或按原样重复原来的请求。",
        "Take another --idempotency-key, or repeat the first request as it was.",
    ),
    errors.CursorRefused: (
        "请放回原来存下的游标，或将其删除（文件则删除文件），从头读起。",
        "Put the saved cursor back, or delete it (the file itself) to begin anew.",
    ),
    errors.NotFound: ("请核对地址和编号。", "Check the address and the id."),
    errors.AccessRefused: (
        "请核对本机时钟、私钥和 --scope。",
        "Check this machine's clock, the key and --scope.",
    ),
    errors.AgreementError: (
        "请与网关的运行管理方核对数字合约。",
        "Ask the gateway's operator about your agreement.",
    ),
    errors.NotAvailable: (
        "可能需要企业授权：先向企业申请授权。",
        "Ask the enterprise for its consent.",
    ),
    errors.ConsentError: (
        "需要时，请向企业重新申请授权。",
        "Where you still need it, ask the enterprise anew.",
    ),
    errors.ConsentPaused: (
        "企业恢复授权后再试。",
        "Try again once the enterprise resumes it.",
    ),
    errors.CoolingDown: (
        "企业拒绝后的冷静期内不能再次申请。",
        "After a refusal the enterprise cannot be asked again for a while.",
    ),
    errors.LimitReached: ("请稍后再试。", "Come back later."),
    errors.ServerUnavailable: (
        "请核对网关地址（issuer）、网络和代理设置，或稍后再试。",
        "Check the gateway's address (issuer), the network and the proxy, or try later.",
    ),
    errors.AnswerLost: (
        "请核对网络和代理设置，再按原样重复。",
        "Check the network and the proxy, then repeat the call as it was.",
    ),
    errors.CertificateUntrusted: (
        "请把签发机构的证书文件设为 XINQIAO_CA。",
        "Name its authority's certificates in XINQIAO_CA.",
    ),
    errors.TemporarilyUnavailable: ("请稍后再试。", "Try again later."),
}
#: Chinese of the SDK's sentences on settings and arguments, by how they begin.
SETTINGS: Final[Mapping[str, str]] = {
    "The private key": "私钥不能使用：应是 EC P-256、Ed25519 或 RSA 的私钥（JWK 或未加密的 PEM）；"
    "用 xinqiao keygen 可生成一对",
    "A private key": "私钥不能使用：应是 EC P-256、Ed25519 或 RSA 的私钥",
    "No private key": "没有找到私钥：应是私钥的 JWK，而不是公钥",
    "The issuer": "网关地址（issuer）不对：应是 https://主机，不带路径；http 只限本机",
    "An idempotency key": "--idempotency-key 不对：应是 1 至 128 个可打印的 ASCII 字符，首尾没有空格和引号",
    "Only addresses on": "只能访问网关自己的地址：写成 /v1/… 即可",
    "A header": "请求头不对：应是可打印的 ASCII 字符，首尾没有空格",
    "A response key": "网关的公钥文件不对：有公钥缺少 kid 或 x",
    "The response key": "网关的公钥文件不对：有公钥无法读取",
    "Two keys": "网关的公钥文件不对：有两个公钥的 kid 相同",
    "The request holds": "参数中有不能发送的内容：文字应为 UTF-8，数值应为 JSON 所能表示",
    "The timeout": "超时应是大于 0 的秒数",
    "What answers at": "该地址上不是信桥网关：请核对网关地址（issuer）",
    "No certificate": "XINQIAO_CA 指定的文件中没有可用的证书",
    "The proxy": "代理地址不对：应写成 http://主机:端口",
    "XINQIAO_": "环境变量不对：应是大于 0 的秒数",
}
#: Why an answer or evidence is not authentic (`SignatureInvalid.reason`), in Chinese.
REASONS: Final[Mapping[str, str]] = {
    "missing": "没有签名",
    "malformed": "格式不对或内容不全",
    "components": "签名没有覆盖应覆盖的部分",
    "tag": "签名的用途标记不对",
    "algorithm": "签名算法不对",
    "created": "签名时间不对",
    "key": "签名的公钥不在所信任的公钥之中",
    "digest": "内容与签名时的摘要不符",
    "signature": "签名不符",
}


def what_happened(error: XinqiaoError | InputError, language: Language) -> str:
    """Sentence on what happened: in English the error's own."""
    if isinstance(error, InputError):
        return error.zh if language is Language.ZH else str(error)
    return _in_chinese(error) if language is Language.ZH else str(error)


def _in_chinese(error: XinqiaoError) -> str:
    code = error.code or ""
    said = next(WHAT[each] for each in _classes(error) if each in WHAT)
    title = code_label("problems", code, Language.ZH)
    if isinstance(error, errors.EvidenceUnreadable):
        return said
    if isinstance(error, errors.SignatureInvalid) and error.reason in REASONS:
        return f"{said}（{REASONS[error.reason]}）"
    if isinstance(error, errors.ConfigurationError) and not code:
        known = (zh for start, zh in SETTINGS.items() if error.detail.startswith(start))
        return next(known, said)
    return with_code(said if title == code else title, code) if code else said


def what_to_do(error: XinqiaoError | InputError, language: Language) -> Iterator[str]:
    """Sentence on what to do; in Chinese also the error's own, which has the particulars."""
    if isinstance(error, InputError):
        return
    chinese = language is Language.ZH
    if chinese and error.unknown:
        yield "；".join(starmap(_unknown_name, error.unknown.items()))
    if isinstance(error, errors.UnknownPurpose):
        known = ((each, code_label("purposes", each, language)) for each in PURPOSES)
        yield ("用途：" if chinese else "Purposes: ") + _listed(known, language)
    elif isinstance(error, errors.UnknownDataset):
        names = ((each, dataset_label(each, language)) for each in DATASETS)
        yield ("数据目录项：" if chinese else "Datasets: ") + _listed(names, language)
    else:
        zh, en = next(DO[each] for each in _classes(error) if each in DO)
        yield from filter(None, (zh if chinese else en,))
    if chinese:
        yield f"原文：{error.detail}" + (
            f"（请求编号 {error.request_id}）" if error.request_id else ""
        )
    if error.retry_after is not None:
        yield f"{error.retry_after} 秒后再试" if chinese else f"try again in {error.retry_after} s"
    lost = isinstance(error, _ANSWER_LOST) or EARLIER in error.detail
    if lost and error.idempotency_key:
        yield repeat_sentence(error.idempotency_key, language)


def _unknown_name(name: str, near: str | None) -> str:
    return f"没有 {name}" + (f"，是否为 {near}？" if near else "")


def repeat_sentence(key: str, language: Language) -> str:
    """Advice on repeating a call whose answer was lost: within 24 hours, without spending another use."""
    option = f"--idempotency-key {key}"
    if language is Language.ZH:
        return f"24 小时内原样再问一次，不另计次数：{option}"
    return f"repeat it within 24 hours without spending another use: {option}"


def _listed(named: Iterable[tuple[str, str]], language: Language) -> str:
    comma = "；" if language is Language.ZH else ", "
    return comma.join(f"{code} {name}" for code, name in named)


def _classes(error: XinqiaoError) -> Iterator[type[XinqiaoError]]:
    return (each for each in type(error).__mro__ if issubclass(each, XinqiaoError))
