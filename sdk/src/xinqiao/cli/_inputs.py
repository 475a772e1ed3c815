"""Files and values that the command is given, checked before anything is sent."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from xinqiao._core.wire.strict import MAX_SIZE, parse_json
from xinqiao.cli._errors import InputError

_ASKED_NOTHING: Final = ("什么都没有问，也没有计次数。", "Nothing was asked, and no use was spent.")


def read_kit(path: Path, who: str) -> Mapping[str, Any]:
    """The demo's kit, which has this client."""
    kit = read_object(
        path,
        "演示环境的 kit.json",
        "the demo's kit.json",
        "make demo 会生成 .demo/kit.json；用自己的凭证时不要 --kit，改设 XINQIAO_ISSUER、"
        "XINQIAO_CLIENT_ID 和 XINQIAO_PRIVATE_JWKS。",
        "`make demo` writes .demo/kit.json; with credentials of your own leave --kit out and set "
        "XINQIAO_ISSUER, XINQIAO_CLIENT_ID and XINQIAO_PRIVATE_JWKS.",
    )
    clients = kit.get("clients")
    if not isinstance(kit.get("issuer"), str) or not isinstance(clients, dict) or not clients:
        raise InputError(
            f"{path} 不是演示环境的 kit.json：缺少 issuer 或 clients。请指定 make demo 写下的文件。",
            f"{path} is not the demo's kit.json: it lacks `issuer` or `clients`. Name the file that "
            "`make demo` wrote.",
        )
    if who not in clients:
        names = ", ".join(clients)
        raise InputError(
            f"{path} 中没有 {who}；--as 可用：{names}。",
            f"{path} has no {who!r}; --as takes one of: {names}.",
        )
    client = clients[who]
    missing = {"client_id", "private_jwks"} - (client.keys() if isinstance(client, dict) else set())
    if missing:
        names = ", ".join(sorted(missing))
        raise InputError(
            f"{path} 中的 {who} 缺少 {names}。请指定 make demo 写下的文件。",
            f"{who!r} in {path} lacks {names}. Name the file that `make demo` wrote.",
        )
    return kit


def read_keys(path: Path) -> Mapping[str, Any]:
    """The gateway's public keys."""
    jwks = read_object(
        path,
        "网关的公钥",
        "the gateway's keys",
        "公钥取自网关的 /.well-known/jwks.json，存成文件后再用。",
        "Keep the answer of the gateway's /.well-known/jwks.json in a file.",
    )
    if not isinstance(jwks.get("keys"), list) and "kty" not in jwks:
        raise InputError(
            f"{path} 不是公钥集（JWK set）。公钥取自网关的 /.well-known/jwks.json。",
            f"{path} is no JWK set. Take the gateway's /.well-known/jwks.json.",
        )
    return jwks


def check_asked(option: str, named: Sequence[str], bundle: str | None) -> None:
    """Either names or a bundle."""
    if bool(named) == (bundle is not None):
        raise InputError(
            f"请给出 {option} 或 --bundle，二者取一。{_ASKED_NOTHING[0]}",
            f"Give {option} or --bundle, one of the two. {_ASKED_NOTHING[1]}",
        )


def check_readable(path: Path) -> Path:
    """A file that can be opened."""
    try:
        path.open("rb").close()
    except OSError as error:
        raise unusable_file(path, error) from None
    return path


def check_evidence(path: Path) -> Path:
    """Evidence, or a consent's record: a file that can be opened."""
    try:
        path.open("rb").close()
    except OSError as error:
        raise unusable_file(
            path,
            error,
            "请指定用 --save 存下的文件，或从网关取得的授权凭证。",
            "Name a file that --save has written, or a consent's record from the gateway.",
        ) from None
    return path


def check_savable(path: Path, *, force: bool) -> None:
    """A path for evidence that can be written; an existing file only with `force`."""
    try:
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if path.exists():
            if not force:
                raise existing_file(path)
            path.open("ab").close()
        elif not path.parent.is_dir():
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
        elif not os.access(path.parent, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except OSError as error:
        raise unusable_file(path, error, *_ASKED_NOTHING) from None


def existing_file(path: Path) -> InputError:
    """A file that evidence would overwrite."""
    return InputError(
        f"{path} 已存在，可能是另一份证据：请换一个文件名，或用 --force 覆盖。",
        f"{path} exists, and may hold other evidence: take another name, or overwrite it with --force.",
    )


def check_environment(environ: Mapping[str, str]) -> None:
    """The variables that stand for the kit; `InputError` names those that are missing."""
    needed = ("XINQIAO_ISSUER", "XINQIAO_CLIENT_ID", "XINQIAO_PRIVATE_JWKS")
    if missing := [each for each in needed if not environ.get(each)]:
        raise InputError(
            f"没有凭证：请用 --kit 指定演示环境的 kit.json，或设置 {'、'.join(missing)}。",
            f"There are no credentials: give --kit with the demo's kit.json, or set {', '.join(missing)}.",
        )


def read_object(path: Path, zh: str, en: str, do_zh: str, do_en: str) -> Mapping[str, Any]:
    """A file with a JSON object; `InputError` says what it should be and what to do."""
    try:
        with path.open("rb") as file:
            value = parse_json(file.read(MAX_SIZE + 1))
    except OSError as error:
        raise unusable_file(path, error, do_zh, do_en) from None
    except ValueError as error:
        at = error if isinstance(error, json.JSONDecodeError) else None
        place = f"（第 {at.lineno} 行第 {at.colno} 列）" if at else ""
        raise InputError(
            f"{path} 应是{zh}，却不是 JSON{place}。{do_zh}",
            f"{path} should be {en}, and is not JSON ({error}). {do_en}",
        ) from None
    if not isinstance(value, dict):
        raise InputError(
            f"{path} 应是{zh}，却不是 JSON 对象。{do_zh}",
            f"{path} should be {en}, and is not a JSON object. {do_en}",
        )
    return value


def unusable_file(path: Path | str, error: OSError, do_zh: str = "", do_en: str = "") -> InputError:
    """Error about a file or folder that cannot be used, in both languages."""
    causes = {
        FileNotFoundError: ("文件或文件夹不存在", "there is no such file or folder"),
        PermissionError: ("没有权限", "permission denied"),
        IsADirectoryError: ("这是文件夹，不是文件", "it is a folder, not a file"),
        NotADirectoryError: ("路径中有不是文件夹的部分", "a part of the path is no folder"),
        FileExistsError: ("已有同名文件", "there is a file of that name"),
    }
    said = error.strerror or type(error).__name__
    zh, en = causes.get(type(error), (said, said))
    return InputError(
        f"{path} 不能使用：{zh}。{do_zh}".strip(), f"{path} cannot be used: {en}. {do_en}".strip()
    )


def unsendable() -> InputError:
    """An argument that no request can hold: no UTF-8, or no address."""
    return InputError(
        "参数中有不能发送的内容：文字应为 UTF-8，地址和请求头应为 ASCII。请核对后再试。",
        "An argument cannot be sent: texts are UTF-8, addresses and headers ASCII. Mend it.",
    )


def parse_question(text: str) -> tuple[str, str | dict[str, str] | None]:
    """A question of `ask`: TAG, TAG=VALUE, or of a group TAG=JSON object."""
    tag, given, value = text.partition("=")
    if not tag:
        raise InputError(
            f"-q {text!r} 没有核验项。写法：-q is_active.v1，或 -q enterprise_name.v1=名称。",
            f"-q {text!r} names no question. Write -q is_active.v1, or -q enterprise_name.v1=NAME.",
        )
    if not value.startswith("{"):
        return tag, value if given else None
    try:
        members = json.loads(value)
    except ValueError:
        raise InputError(
            f'-q {tag} 的值以 {{ 开头，却不是 JSON。写法：-q \'{tag}={{"name": "…"}}\'',
            f"The value of -q {tag} begins with {{ and is not JSON. "
            f'Write -q \'{tag}={{"name": "…"}}\'',
        ) from None
    return tag, members
