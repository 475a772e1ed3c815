"""`xinqiao curl`: one call with token and DPoP proof, or the headers for another program's call."""

# ruff: noqa: FBT002 - typer reads options from the parameters, which it passes by name

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final
from urllib.parse import parse_qs, urlsplit

import typer

from xinqiao import Client, Evidence
from xinqiao.cli import _show
from xinqiao.cli._connect import open_client, plain_errors
from xinqiao.cli._errors import InputError
from xinqiao.cli._inputs import unusable_file
from xinqiao.cli._language import reader_language
from xinqiao.cli._options import As, Force, Keys, Kit, Lang, Save
from xinqiao.cli._saving import check_savable, save_evidence

TIMEOUT: Final = 60  # seconds; an endpoint may hold a call for 30 (`wait`)


def curl_command(
    url: Annotated[
        str, typer.Argument(help="An address on the issuer, or a path like /v1/questions.")
    ],
    method: Annotated[
        str | None, typer.Option("-X", "--request", help="By default GET, or POST with -d.")
    ] = None,
    data: Annotated[str | None, typer.Option("-d", "--data", help="The body, or @FILE.")] = None,
    header: Annotated[
        list[str] | None, typer.Option("-H", "--header", help="NAME: VALUE; repeat.")
    ] = None,
    scope: Annotated[str | None, typer.Option("--scope", help="The token's scope.")] = None,
    sign: Annotated[
        bool,
        typer.Option("--sign", help="Sign the request (RFC 9421), as an agreement can require."),
    ] = False,
    kit: Kit = None,
    who: As = "bank",
    keys: Keys = None,
    save: Save = None,
    force: Force = False,
    print_headers: Annotated[
        bool,
        typer.Option("--print-headers", help="Call nothing; print headers to paste into one call."),
    ] = False,
    lang: Lang = None,
) -> None:
    """Call an address with a token and a DPoP proof. Ends with 22 if the answer is a refusal."""
    language = lang or reader_language()
    with plain_errors(language):
        check_savable(save, force=force)
    options: dict[str, Any] = {"sign_requests": True} if sign else {}
    with open_client(Client, kit, who, keys, language, timeout=TIMEOUT, **options) as client:
        typed = CurlCall.read(url, method=method, data=data, headers=header or [], scope=scope)
        if print_headers:
            for name, value in headers(client, typed).items():
                typer.echo(f"{name}: {value}")
            return
        answer = call(client, typed)
        _show.answer(answer, language)
        save_evidence(answer, save, language, force=force)
    if answer.status >= 400:  # noqa: PLR2004 - as curl --fail
        raise typer.Exit(22)


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
    """True if an answer is signed by the manifest in its last line, and not in its header."""
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
