"""`xinqiao keygen`: a private JWK that only its owner can read, and its public JWK set."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final, Literal

import typer

from xinqiao import generate_client_key, public_jwks
from xinqiao._core.whole_file import write_private
from xinqiao.cli import _show
from xinqiao.cli._connect import plain_errors
from xinqiao.cli._errors import InputError
from xinqiao.cli._inputs import unusable_file
from xinqiao.cli._language import reader_language
from xinqiao.cli._options import Lang

PRIVATE: Final = "private-key.json"
PUBLIC: Final = "public-jwks.json"
_OWNER_ONLY: Final = 0o600
_CHOOSE: Final = ("请用 --out 另选文件夹。", "Choose another --out.")


class KeyKind(StrEnum):
    """Key types of RFC 7518 that the gateway accepts."""

    EC = "EC"
    OKP = "OKP"
    RSA = "RSA"


def keygen_command(
    out: Annotated[
        Path, typer.Option("--out", help="The folder for both files; made if missing.")
    ] = Path(),
    kind: Annotated[
        KeyKind, typer.Option("--kind", help="EC: ES256. OKP: EdDSA. RSA: PS256, 3072 bits.")
    ] = KeyKind.EC,
    lang: Lang = None,
) -> None:
    """Make a client's key: private-key.json (0600, yours alone) and public-jwks.json to hand over."""
    language = lang or reader_language()
    with plain_errors(language):
        write_key(out, kind.value)
    _show.key_files(out / PRIVATE, out / PUBLIC, language)


def write_key(folder: Path, kind: Literal["EC", "OKP", "RSA"]) -> None:
    """Write both files; raises `InputError` if one is there already: keys are never lost."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        taken = [path.name for name in (PRIVATE, PUBLIC) if (path := folder / name).exists()]
        if taken:
            raise InputError(
                f"{folder.resolve()} 中已有 {'、'.join(taken)}：请用 --out 另选文件夹。",
                f"There is a {' and a '.join(taken)} in {folder.resolve()}: choose another --out.",
            )
        private = generate_client_key(kind)
        _write(folder / PRIVATE, private)
        _write(folder / PUBLIC, public_jwks(private), mode=0o644)
    except OSError as error:
        raise unusable_file(folder, error, *_CHOOSE) from None


def _write(path: Path, content: object, *, mode: int = _OWNER_ONLY) -> None:
    write_private(path, json.dumps(content, indent=2) + "\n", mode=mode)
