"""Opening of a client from the kit or the environment, and errors in the reader's language."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import httpx2
import typer

from xinqiao import Client, XinqiaoError
from xinqiao.cli import _inputs, _show
from xinqiao.cli._errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

    from xinqiao.cli._language import Language

ClientT = TypeVar("ClientT", bound=Client)
_FAILED = 1


@contextmanager
def open_client(
    kind: type[ClientT],
    kit: Path | None,
    who: str,
    keys: Path | None,
    language: Language,
    *,
    status: int = _FAILED,
    **options: Any,
) -> Iterator[ClientT]:
    """Open a client; an error is printed, and ends the command with this status."""
    with plain_errors(language, status=status):
        if keys is not None:
            options["keys"] = _inputs.read_keys(keys)
        if kit is not None:
            if os.environ.get("XINQIAO_SIGN_REQUESTS", "").lower() == "true":
                options["sign_requests"] = True
            opened = kind.from_kit(_inputs.read_kit(kit, who), who, **options)
        else:
            _inputs.check_environment(os.environ)
            opened = kind.from_env(**options)
        with opened as client:
            yield client


@contextmanager
def plain_errors(language: Language, *, status: int = _FAILED) -> Iterator[None]:
    """Print an error in the reader's language and end the command with this status."""
    try:
        yield
    except (XinqiaoError, InputError) as error:
        _show.error(error, language)
        raise typer.Exit(status) from None
    except (ValueError, httpx2.InvalidURL):
        _show.error(_inputs.unsendable(), language)
        raise typer.Exit(status) from None
