"""Commands `xinqiao verify-evidence` and `verify-consent`: files verified offline."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from xinqiao import verify_consent_record, verify_evidence
from xinqiao.cli import _inputs, _show
from xinqiao.cli._connect import plain_errors
from xinqiao.cli._language import reader_language
from xinqiao.cli._options import Lang, TrustedKeys


def verify_evidence_file(
    file: Annotated[Path, typer.Argument(help="The evidence.")],
    keys: TrustedKeys,
    client_keys: Annotated[
        Path | None,
        typer.Option(
            "--client-keys", help="The client's keys (JWK set): one must have signed the request."
        ),
    ] = None,
    lang: Lang = None,
) -> None:
    """Verify evidence again, offline. Ends with 1 and says what differs if it is not authentic."""
    language = lang or reader_language()
    with plain_errors(language):
        trusted = _inputs.read_keys(keys)
        verified = verify_evidence(
            _inputs.check_evidence(file), keys=trusted, client_keys=client_keys
        )
        _show.evidence(verified, language)


def verify_consent_file(
    file: Annotated[Path, typer.Argument(help="The consent's record, or evidence of it.")],
    keys: TrustedKeys,
    lang: Lang = None,
) -> None:
    """Verify a consent record against the log, offline. Ends with 1 if the log does not prove all."""
    language = lang or reader_language()
    with plain_errors(language):
        trusted = _inputs.read_keys(keys)
        verified = verify_consent_record(_inputs.check_evidence(file), keys=trusted)
        _show.consent_record(verified, language)
    if verified.unproven or verified.kept_proven is False:
        raise typer.Exit(1)
