"""Entry point of the command `xinqiao`; without the extra `cli` it prints how to install it."""

from __future__ import annotations

import sys

_MISSING = "The command needs typer and rich. Install them with:  pip install typer rich"


def main() -> None:
    """Run the command."""
    try:
        from ._app import app  # noqa: PLC0415 - only here may the extra be missing
    except ModuleNotFoundError as error:
        if error.name not in {"typer", "rich"}:
            raise
        sys.exit(_MISSING)
    app()
