"""Delivery channels for notices: SMTP, an HTTP SMS gateway, and the demo's folder.

A channel raises `UnsentError` unless the server accepted the message; the sender then retries.
"""

import asyncio
import hashlib
import os
import re
import smtplib
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import formatdate, parseaddr
from pathlib import Path
from typing import Final, Protocol, Self
from urllib.parse import unquote, urlsplit

from gateway.notices.templates import Message
from gateway.safe_fetch import FetchRoute, UnfetchableError, post

TIMEOUT_SECONDS: Final = 15.0
LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})
_PORTS: Final = {"smtps": 465, "smtp": 587}
_EMAIL: Final = re.compile(r"[A-Za-z0-9._%+\-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.)+[A-Za-z]{2,63}")
_PHONE: Final = re.compile(r"1[3-9][0-9]{9}")
MAX_EMAIL_LENGTH: Final = 254


class UnsentError(Exception):
    """The message was not accepted. Names the kind of failure, never recipient or content."""


class Notifier(Protocol):
    """A delivery channel."""

    async def send(self, recipient: str, message: Message) -> None:
        """Send, or raise `UnsentError`."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Smtp:
    """E-mail: TLS from the first byte (smtps) or STARTTLS (smtp); plain text to loopback only."""

    host: str
    port: int
    implicit_tls: bool
    sender: str
    user: str = ""
    password: str = field(default="", repr=False)
    trust: ssl.SSLContext = field(default_factory=ssl.create_default_context, repr=False)

    @classmethod
    def from_url(cls, url: str, sender: str, *, trust: ssl.SSLContext | None = None) -> Self:
        """Parse a URL as smtps://user:password@host:465; `ValueError` says what is wrong."""
        parts = urlsplit(url)
        if parts.scheme not in _PORTS or not parts.hostname or parts.path.strip("/"):
            raise ValueError("must be as smtps://user:password@host:465 or smtp://…:587")
        if not _EMAIL.fullmatch(parseaddr(sender)[1]) or not sender.isprintable():
            raise ValueError("needs XINQIAO_NOTICES_FROM, as 信桥 <notices@example.gov.cn>")
        return cls(
            host=parts.hostname,
            port=parts.port or _PORTS[parts.scheme],
            implicit_tls=parts.scheme == "smtps",
            sender=sender,
            user=unquote(parts.username or ""),
            password=unquote(parts.password or ""),
            trust=trust or ssl.create_default_context(),
        )

    async def send(self, recipient: str, message: Message) -> None:
        """Send through the SMTP server, in a worker thread."""
        try:
            await asyncio.to_thread(self._send, recipient, message)
        except (OSError, smtplib.SMTPException) as error:
            raise UnsentError(type(error).__name__) from None

    def _send(self, recipient: str, message: Message) -> None:
        with self._connected() as server:
            if self.user:
                server.login(self.user, self.password)
            server.send_message(self._letter(recipient, message))

    def _connected(self) -> smtplib.SMTP:
        if self.implicit_tls:
            return smtplib.SMTP_SSL(
                self.host, self.port, timeout=TIMEOUT_SECONDS, context=self.trust
            )
        server = smtplib.SMTP(self.host, self.port, timeout=TIMEOUT_SECONDS)
        server.ehlo()
        if server.has_extn("starttls") or self.host not in LOOPBACK:
            server.starttls(context=self.trust)  # raises if unsupported
            server.ehlo()
        return server

    def _letter(self, recipient: str, message: Message) -> EmailMessage:
        letter = EmailMessage()
        letter["From"] = self.sender
        letter["To"] = recipient
        letter["Subject"] = message.subject
        letter["Date"] = formatdate(localtime=False)
        domain = parseaddr(self.sender)[1].rpartition("@")[2]
        letter["Message-ID"] = f"<{_digest(message.reference, recipient)}@{domain}>"
        letter["Auto-Submitted"] = "auto-generated"
        letter.set_content(message.text)
        return letter


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpSms:
    """An SMS gateway: POST of a form `to`, `text`, `reference` with a bearer token, answered 200."""

    url: str
    token: str = field(repr=False)
    loopback: bool = False
    route: FetchRoute = field(default_factory=FetchRoute)

    async def send(self, recipient: str, message: Message) -> None:
        """Post to the gateway, which deduplicates by `reference`."""
        form = {
            "to": recipient,
            "text": message.text,
            "reference": _digest(message.reference, recipient),
        }
        headers = {"Authorization": f"Bearer {self.token}"}
        try:
            await post(
                self.url, form, headers, loopback=self.loopback, private=True, route=self.route
            )
        except UnfetchableError as error:
            raise UnsentError(type(error).__name__) from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """The demo's channel: each message is a file with mode 0600."""

    path: Path

    async def send(self, recipient: str, message: Message) -> None:
        """Write the message to a file."""
        try:
            await asyncio.to_thread(self._write, recipient, message)
        except OSError as error:
            raise UnsentError(type(error).__name__) from None

    def _write(self, recipient: str, message: Message) -> None:
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        target = self.path / f"{_digest(message.reference, recipient)}.txt"
        with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(f"To: {recipient}\nSubject: {message.subject}\n\n{message.text}")


Channels = Mapping[str, Notifier]
"""Channels by name: `email`, `sms`."""


def valid_address(channel: str, written: str) -> str | None:
    """The stripped address if valid for the channel, else `None`."""
    address = written.strip()
    if channel == "email":
        fits = len(address) <= MAX_EMAIL_LENGTH and _EMAIL.fullmatch(address)
        return address if fits and ".." not in address else None
    return address if channel == "sms" and _PHONE.fullmatch(address) else None


def mask_address(address: str) -> str:
    """The address with most characters masked, for display to its owner."""
    name, at, domain = address.partition("@")
    return f"{name[0]}***@{domain}" if at else f"{address[:3]}****{address[-2:]}"


def _digest(reference: str, recipient: str) -> str:
    return hashlib.sha256(f"{reference} {recipient}".encode()).hexdigest()[:32]
