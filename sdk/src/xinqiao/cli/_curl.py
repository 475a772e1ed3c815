"""`xinqiao curl`: one call with token and DPoP proof, or the headers for another program's call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from xinqiao.cli._errors import InputError
from xinqiao.cli._inputs import unusable_file

if TYPE_CHECKING:
    from xinqiao import Client, Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class CurlCall:
    """Arguments of one `xinqiao curl` call."""

    url: str
    method: str
    content: bytes
    headers: Mapping[str, str]
    scope: str | None

    @classmethod
    def read(
        cls,
        url: str,
        *,
        method: str | None,
        data: str | None,
        headers: list[str],
        scope: str | None,
    ) -> CurlCall:
        """Interpret the arguments as curl does."""
        return cls(
            url=url,
            method=method or ("GET" if data is None else "POST"),
            content=_content(data),
            headers=dict(map(_header, headers)),
            scope=scope,
        )


def call(client: Client, typed: CurlCall) -> Evidence:
    """Make the call and return its verified answer, whatever its status.

    Raises `InputError`, before anything is sent, where the answer would be signed by its last line.
    """
    if _is_streamed(typed.url):
        raise _streamed()
    return client.request(
        typed.method,
        typed.url,
        content=typed.content,
        headers=typed.headers,
        scope=typed.scope,
    )


def headers(client: Client, typed: CurlCall) -> Mapping[str, str]:
    """Make the headers of one call; the proof in them is good once, for about ten seconds."""
    return client.headers_for(
        typed.method,
        typed.url,
        content=typed.content,
        headers=typed.headers,
        scope=typed.scope,
    )


def _is_streamed(url: str) -> bool:
    """Whether an answer is signed by the manifest in its last line, and not in its header."""
    parts = urlsplit(url)
    if parts.path.endswith("/v1/verifications/batch"):
        return True
    of_job = "/v1/verifications/jobs/" in parts.path and parts.path.endswith("/result")
    return of_job and not {"lines", "format"} & parse_qs(parts.query).keys()


def _streamed() -> InputError:
    return InputError(
        "这个地址的答复逐行返回，由最后一行的清单签名，xinqiao curl 不能验证；没有发送任何内容。请用 "
        "xinqiao verify；取任务结果可加 ?lines=5000 或 ?format=csv；其他程序可用 --print-headers。",
        "Answers of this address come line by line and are signed by the manifest in the last one, which "
        "xinqiao curl does not verify. Nothing was sent. Use xinqiao verify; for a job's result add "
        "?lines=5000 or ?format=csv; another program can use --print-headers.",
    )


def _content(data: str | None) -> bytes:
    if data is None:
        return b""
    if not data.startswith("@"):
        return data.encode()
    try:
        return Path(data[1:]).read_bytes()
    except OSError as error:
        zh, en = "-d @文件 指定请求正文的文件。", "-d @FILE names a file with the body."
        raise unusable_file(data[1:], error, zh, en) from None


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon:
        raise InputError(
            f"-H 的写法是“名称: 值”，不是 {text!r}。", f"A header is NAME: VALUE, not {text!r}."
        )
    return name.strip(), value.strip()
