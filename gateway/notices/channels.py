"""How a message leaves: by e-mail, by an SMS gateway, or, in the demo, into a folder.

A channel raises `UnsentError` when it does not know that the message was taken; it is tried again then.
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
LONGEST_EMAIL: Final = 254


class UnsentError(Exception):
    """The message was not taken. Says what kind of failure it was, never to whom or what."""


class Notifier(Protocol):
    """One way by which messages leave."""

    async def send(self, to: str, message: Message) -> None:
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
    def at(cls, url: str, sender: str, *, trust: ssl.SSLContext | None = None) -> Self:
        """The server at `url`, as smtps://user:password@host:465; `ValueError` says what is wrong."""
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

    async def send(self, to: str, message: Message) -> None:
        """Hand the message to the server, in a thread of its own."""
        try:
            await asyncio.to_thread(self._send, to, message)
        except (OSError, smtplib.SMTPException) as error:
            raise UnsentError(type(error).__name__) from None

    def _send(self, to: str, message: Message) -> None:
        with self._connected() as server:
            if self.user:
                server.login(self.user, self.password)
            server.send_message(self._letter(to, message))

    def _connected(self) -> smtplib.SMTP:
        if self.implicit_tls:
            return smtplib.SMTP_SSL(
                self.host, self.port, timeout=TIMEOUT_SECONDS, context=self.trust
            )
        server = smtplib.SMTP(self.host, self.port, timeout=TIMEOUT_SECONDS)
        server.ehlo()
        if server.has_extn("starttls") or self.host not in LOOPBACK:
            server.starttls(context=self.trust)  # raises where the server cannot
            server.ehlo()
        return server

    def _letter(self, to: str, message: Message) -> EmailMessage:
        letter = EmailMessage()
        letter["From"] = self.sender
        letter["To"] = to
        letter["Subject"] = message.subject
        letter["Date"] = formatdate(localtime=False)
        domain = parseaddr(self.sender)[1].rpartition("@")[2]
        letter["Message-ID"] = f"<{_digest(message.reference, to)}@{domain}>"
        letter["Auto-Submitted"] = "auto-generated"
        letter.set_content(message.text)
        return letter


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpSms:
    """An SMS gateway that takes a form `to`, `text`, `reference` with a bearer token and answers 200."""

    url: str
    token: str = field(repr=False)
    loopback: bool = False
    route: FetchRoute = field(default_factory=FetchRoute)

    async def send(self, to: str, message: Message) -> None:
        """Hand the message to the gateway; a reference that it knows it should not send again."""
        form = {"to": to, "text": message.text, "reference": _digest(message.reference, to)}
        headers = {"Authorization": f"Bearer {self.token}"}
        try:
            await post(
                self.url, form, headers, loopback=self.loopback, private=True, route=self.route
            )
        except UnfetchableError as error:
            raise UnsentError(type(error).__name__) from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """The demo's: each message is a file that only its owner can read."""

    path: Path

    async def send(self, to: str, message: Message) -> None:
        """Write the file."""
        try:
            await asyncio.to_thread(self._write, to, message)
        except OSError as error:
            raise UnsentError(type(error).__name__) from None

    def _write(self, to: str, message: Message) -> None:
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        target = self.path / f"{_digest(message.reference, to)}.txt"
        with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(f"To: {to}\nSubject: {message.subject}\n\n{message.text}")


Channels = Mapping[str, Notifier]
"""By the name of the channel: `email`, `sms`."""


def fit(channel: str, written: str) -> str | None:
    """An address of this channel as it is kept, or `None` where it is none."""
    address = written.strip()
    if channel == "email":
        fits = len(address) <= LONGEST_EMAIL and _EMAIL.fullmatch(address)
        return address if fits and ".." not in address else None
    return address if channel == "sms" and _PHONE.fullmatch(address) else None


def masked(address: str) -> str:
    """Enough of an address for its owner to know it by."""
    name, at, domain = address.partition("@")
    return f"{name[0]}***@{domain}" if at else f"{address[:3]}****{address[-2:]}"


def _digest(reference: str, to: str) -> str:
    return hashlib.sha256(f"{reference} {to}".encode()).hexdigest()[:32]
