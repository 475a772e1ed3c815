"""Saving of evidence by the option `--save`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xinqiao.cli import _inputs, _show
from xinqiao.errors import EvidenceExists

if TYPE_CHECKING:
    from pathlib import Path

    from xinqiao import Evidence
    from xinqiao.cli._language import Language


def check_savable(path: Path | None, *, force: bool) -> None:
    """Check, before anything is sent, that the evidence can be saved there."""
    if path is not None:
        _inputs.check_savable(path, force=force)


def save_evidence(
    evidence: Evidence, path: Path | None, language: Language, *, force: bool
) -> None:
    """Save the evidence and say so, if a file is named."""
    if path is None:
        return
    try:
        _show.saved(evidence.save(path, overwrite=force), language)
    except EvidenceExists:
        raise _inputs.existing_file(path) from None
    except OSError as error:
        raise _inputs.unusable_file(str(path), error) from None
