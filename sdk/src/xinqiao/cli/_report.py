"""`xinqiao verify-report`: a credit report verified offline, and with `--online` whether it still holds."""

# ruff: noqa: FBT002 - typer reads options from the parameters, which it passes by name

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from xinqiao import CreditReport, ReportStatus, fetch_keys, report_status, verify_report
from xinqiao.cli import _inputs, _printing
from xinqiao.cli._connect import plain_errors
from xinqiao.cli._errors import InputError
from xinqiao.cli._language import (
    Language,
    dataset_label,
    moment_text,
    nothing_found,
    reader_language,
    text,
    until_text,
    with_code,
)
from xinqiao.cli._options import Json, Lang

if TYPE_CHECKING:
    from xinqiao import KeySet

CA: Final = "XINQIAO_CA"
_NO_KEYS: Final = (
    "不知道该信任哪些公钥：请用 --keys 指定网关的公钥文件，或用 --issuer 指定网关地址，从那里取公钥。",
    "No keys are trusted: give --keys with the gateway's keys, or --issuer to fetch them from there.",
)


def verify_report_command(
    file: Annotated[
        Path, typer.Argument(help="The report: its JSON or its PDF, as it was issued.")
    ],
    keys: Annotated[
        Path | None,
        typer.Option("--keys", help="The gateway's keys (JWK set), from a source you trust."),
    ] = None,
    issuer: Annotated[
        str | None,
        typer.Option(
            "--issuer", help="The gateway from which it must be; without --keys also its keys."
        ),
    ] = None,
    online: Annotated[
        bool, typer.Option("--online", help="Ask the gateway whether the report still holds.")
    ] = False,
    as_json: Json = False,
    lang: Lang = None,
) -> None:
    """Verify an enterprise's own credit report. Ends with 1 if it is not authentic or does not hold."""
    language = lang or reader_language()
    with plain_errors(language):
        _inputs.check_readable(file)
        report = verify_report(file, keys=_trusted_keys(keys, issuer), issuer=issuer)
        status = report_status(report, ca=os.environ.get(CA)) if online else None
    if as_json:
        told = {"report": report.document, "status": status and status.to_dict()}
        typer.echo(json.dumps(told, ensure_ascii=False))
    else:
        _print_report(report, status, language)
    if not (status.holds if status else not report.has_expired()):
        raise typer.Exit(1)


def _trusted_keys(keys: Path | None, issuer: str | None) -> KeySet | dict[str, object]:
    if keys is not None:
        return dict(_inputs.read_keys(keys))
    if issuer is None:
        raise InputError(*_NO_KEYS)
    return fetch_keys(issuer, ca=os.environ.get(CA))


def _print_report(report: CreditReport, status: ReportStatus | None, language: Language) -> None:
    moment = moment_text(report.created)
    _printing.line(text("report_authentic", language, moment=moment), style="bold green")
    _printing.rows(dict(_facts(report, language)))
    for code in report.datasets:
        count = sum(record.dataset == code for record in report.records)
        name = with_code(dataset_label(code, language), code)
        if count:
            _printing.line(f"  {name}: {text('report_records', language, count=count)}")
        elif code in report.nothing_found:
            _printing.line(f"  {name}: {nothing_found(code, report.as_of, language)}")
        else:
            _printing.line(f"  {name}: {text('source_unavailable', language)}")
    for each in report.left_out:
        _printing.line(f"  {each.zh if language is Language.ZH else each.en}", style="dim")
    _print_state(report, status, language)


def _facts(report: CreditReport, language: Language) -> Iterator[tuple[str, str]]:
    yield text("enterprise", language), f"{report.name} {report.uscc}"
    yield text("recipient", language), report.recipient or text("report_anybody", language)
    yield text("report_span", language), f"{report.span_from} – {report.span_to}"
    yield text("as_of", language), moment_text(report.as_of)
    yield text("valid_until", language), until_text(report.valid_until)
    yield text("report_page", language), report.address
    yield text("report_key", language), report.keyid


def _print_state(report: CreditReport, status: ReportStatus | None, language: Language) -> None:
    if status is not None:
        said = text(f"report_{status.state}", language, moment=moment_text(status.as_of))
        _printing.line(said, style="bold green" if status.holds else "bold red")
    elif report.has_expired():
        moment = until_text(report.valid_until)
        _printing.line(text("report_expired", language, moment=moment), style="bold red")
    else:
        _printing.line(f"  {text('report_unasked', language)}", style="dim")
