"""Notices by e-mail: texts, schedule, SMTP with TLS."""

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from gateway.notices import channels
from gateway.notices.channels import Folder, Smtp, UnsentError, mask_address, valid_address
from gateway.notices.kinds import IN_DAILY_DIGEST, NoticeKind, due_at, retry_delay
from gateway.notices.templates import (
    SENTENCES,
    Message,
    NoticeLine,
    confirmation_message,
    notice_message,
    plain_name,
)
from tests.mtls_builders import make_certificate
from tests.servers.ports import free_port

NOON = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
ORIGIN = "https://credit.example.gov.cn"
MESSAGE = Message(subject="信桥通知 Xinqiao notice", text="已向银行同意授权\n", reference="ntc_1")
SENDER = "信桥 <notices@example.gov.cn>"


@dataclass
class Mailbox:
    """A mail server's messages."""

    letters: list[Any] = field(default_factory=list)
    tls: list[bool] = field(default_factory=list)

    async def handle_DATA(self, _server: SMTP, session: Any, envelope: Any) -> str:  # noqa: N802  # aiosmtpd's name
        """Store a message."""
        self.letters.append(message_from_bytes(envelope.content, policy=policy.default))
        self.tls.append(session.ssl is not None)
        return "250 OK"


def _who(_server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
    right = data == LoginPassword(b"xinqiao", b"p:ss")
    return AuthResult(success=right)


@contextmanager
def make_mail_server(
    folder: Path, *, implicit: bool
) -> Iterator[tuple[Mailbox, int, ssl.SSLContext]]:
    """A server on loopback, and its TLS certificate authority."""
    name = x509.DNSName("localhost")
    holder = make_certificate("CN=localhost", alternatives=[name], authority=True)
    own = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    own.load_cert_chain(holder.write(folder, "mail"))
    pem = holder.certificate.public_bytes(serialization.Encoding.PEM).decode()
    trust = ssl.create_default_context(cadata=pem)
    box = Mailbox()
    options: dict[str, Any] = {"authenticator": _who, "auth_require_tls": not implicit}
    if implicit:
        options["ssl_context"] = own
    else:
        options |= {"tls_context": own, "require_starttls": True}
    server = Controller(box, hostname="localhost", port=0, **options)
    server.port = free_port()
    server.start()
    try:
        yield box, server.port, trust
    finally:
        server.stop()


@pytest.mark.parametrize("scheme", ["smtps", "smtp"])
async def test_an_email_leaves_encrypted_and_signed_in(tmp_path: Path, scheme: str) -> None:
    """TLS from the start or STARTTLS; UTF-8 text, marked as automatic."""
    with make_mail_server(tmp_path, implicit=scheme == "smtps") as (box, port, trust):
        smtp = Smtp.from_url(f"{scheme}://xinqiao:p%3Ass@localhost:{port}", SENDER, trust=trust)
        await smtp.send("wang@example.cn", MESSAGE)
        await smtp.send("wang@example.cn", MESSAGE)
    first, again = box.letters
    assert scheme == "smtps" or box.tls == [True, True]  # smtps: the server speaks nothing else
    assert first["Subject"] == MESSAGE.subject
    assert first.get_content().strip() == MESSAGE.text.strip()
    assert first["Auto-Submitted"] == "auto-generated"
    assert first["Message-ID"] == again["Message-ID"]
    assert "p%3Ass" not in repr(smtp)
    assert "p:ss" not in repr(smtp)


@pytest.mark.parametrize("scheme", ["smtps", "smtp"])
async def test_an_untrusted_server_gets_nothing(tmp_path: Path, scheme: str) -> None:
    """No fallback to plain text, and no secret in the error."""
    with make_mail_server(tmp_path, implicit=scheme == "smtps") as (box, port, _):
        smtp = Smtp.from_url(f"{scheme}://xinqiao:p%3Ass@localhost:{port}", SENDER)
        with pytest.raises(UnsentError) as unsent:
            await smtp.send("wang@example.cn", MESSAGE)
    assert box.letters == []
    assert "wang" not in str(unsent.value)


async def test_a_wrong_password_and_a_dead_server_are_unsent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both are retried."""
    monkeypatch.setattr(channels, "TIMEOUT_SECONDS", 3.0)  # the server does not answer at all
    with make_mail_server(tmp_path, implicit=True) as (box, port, trust):
        wrong = Smtp.from_url(f"smtps://xinqiao:no@localhost:{port}", SENDER, trust=trust)
        with pytest.raises(UnsentError):
            await wrong.send("wang@example.cn", MESSAGE)
    assert box.letters == []
    dead = Smtp.from_url(f"smtps://xinqiao:no@localhost:{free_port()}", SENDER)
    with pytest.raises(UnsentError):
        await dead.send("wang@example.cn", MESSAGE)
    assert threading.active_count() < 50


@pytest.mark.parametrize(
    ("url", "sender"),
    [
        ("http://mail.example.cn", SENDER),
        ("smtps://", SENDER),
        ("smtps://mail.example.cn/path", SENDER),
        ("smtps://mail.example.cn", "nobody"),
        ("smtps://mail.example.cn", "a@example.cn\r\nBcc: b@example.cn"),
    ],
)
def test_a_sender_that_cannot_be_used_is_refused_at_start(url: str, sender: str) -> None:
    """Checked at start-up."""
    with pytest.raises(ValueError, match=r"must be|needs"):
        Smtp.from_url(url, sender)


@pytest.mark.parametrize(
    "written",
    [
        "", "wang", "wang@", "@example.cn", "wang@example", "wang@example.cn\r\nBcc: x@y.cn",
        "wang@example.cn,li@example.cn", '"a b"@example.cn', "a..b@example.cn", "w" * 65 + "@a.cn",
        "王@example.cn", "wang@example.cn\x00",
    ],
)  # fmt: skip
def test_an_invalid_address_is_refused(written: str) -> None:
    """One ASCII address without a display name or trailing text."""
    assert valid_address("email", written) is None
    assert valid_address("sms", written) is None
    assert valid_address("fax", written) is None


def test_an_address_is_shown_by_its_edges() -> None:
    """First and last characters."""
    assert valid_address("email", " wang.5@mail.example.cn ") == "wang.5@mail.example.cn"
    assert valid_address("sms", "15400000000") == "15400000000"
    assert mask_address("wang@example.cn") == "w***@example.cn"
    assert mask_address("15400000000") == "154****00"


def test_every_kind_says_something_in_both_languages_and_nothing_but_names() -> None:
    """Both languages, names only, and no link but the start page."""
    hostile = "好银行 https://evil.cn/a\r\nBcc: x@evil.cn\u202e<b>"
    lines = [
        NoticeLine(
            kind=kind,
            moment=NOON,
            client_zh=hostile,
            client_en=hostile,
            dataset_zh=hostile,
            dataset_en=hostile,
        )
        for kind in NoticeKind
    ]
    assert SENTENCES.keys() == set(NoticeKind)
    text = notice_message("杭州\n云栖.com", lines, origin=ORIGIN, reference="r").text
    assert text.count("://") == 2
    assert text.count(f"{ORIGIN}/portal\n") == 2
    assert "evil.cn" not in text
    assert "云栖.com" not in text
    assert "\u202e" not in text
    assert not any(line.startswith("Bcc") for line in text.splitlines())
    assert text.index("已向") < text.index("A consent was given")


def test_a_notice_of_a_departments_act_names_the_dataset_and_the_day() -> None:
    """And says nothing of taking back what the enterprise's own people did."""
    arrived = NoticeLine(
        kind=NoticeKind.BAD_RECORD_ARRIVED,
        moment=NOON,
        dataset_zh="行政处罚",
        dataset_en="Administrative penalties",
    )
    text = notice_message("云栖", [arrived], origin=ORIGIN, reference="r").text
    assert "“行政处罚”中新增一条失信信息，修复条件和办理途径请登录查看。" in text
    assert "A negative record is new in “Administrative penalties”; sign in" in text
    assert "撤回" not in text
    assert "take it back" not in text
    known = replace(arrived, repairable_on=date(2027, 1, 2))
    text = notice_message("云栖", [known], origin=ORIGIN, reference="r").text
    assert "失信信息，最早可于 2027-01-02 申请信用修复，修复条件" in text
    assert "repairable from 2027-01-02 at the earliest; sign in" in text
    granted = NoticeLine(kind=NoticeKind.CONSENT_GRANTED, moment=NOON, client_zh="银行")
    both = notice_message("云栖", [known, granted], origin=ORIGIN, reference="r").text
    assert "如果不是您或您的经办人所为，请立即登录撤回。" in both


def test_a_confirmation_holds_one_link() -> None:
    """The confirmation link only."""
    link = f"{ORIGIN}/portal/enterprises/X/notices/plc_1/s"
    text = confirmation_message("www.evil.cn", link=link, reference="plc_1").text
    assert text.count("://") == 1
    assert "evil.cn" not in text


def test_a_name_is_no_longer_than_a_name() -> None:
    """Long names are truncated."""
    assert len(plain_name("长" * 5000)) == 100


def test_decisions_go_at_once_and_the_rest_at_the_next_nine_oclock() -> None:
    """In Shanghai; 04:00 UTC is noon there."""
    for kind in NoticeKind:
        due = due_at(kind, NOON)
        assert due == (NOON + timedelta(hours=21) if kind in IN_DAILY_DIGEST else NOON)
    early = NOON - timedelta(hours=4)
    assert due_at(NoticeKind.CONSENT_ASKED, early) == early + timedelta(hours=1)


def test_failures_are_tried_again_later_and_later() -> None:
    """From a minute to six hours."""
    waits = [retry_delay(failures) for failures in range(1, 14)]
    assert waits[0] == timedelta(minutes=1)
    assert waits == sorted(waits)
    assert waits[-1] == timedelta(hours=6)


async def test_the_demo_writes_files_for_its_owner_alone(tmp_path: Path) -> None:
    """Mode 0600 in a folder of mode 0700."""
    await Folder(path=tmp_path / "notices").send("wang@example.cn", MESSAGE)
    (file,) = (tmp_path / "notices").iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700
    assert MESSAGE.text in file.read_text()
