"""The command `xinqiao` (typer): what all of its commands share, and their list."""

from __future__ import annotations

import io
import logging
import sys
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from xinqiao import __version__
from xinqiao.cli import _watch
from xinqiao.cli._ask import ask, query
from xinqiao.cli._curl import curl_command
from xinqiao.cli._keygen import keygen_command
from xinqiao.cli._language import Language
from xinqiao.cli._lookups import limits, questions
from xinqiao.cli._offline import verify_consent_file, verify_evidence_file
from xinqiao.cli._outcome import tell_outcome
from xinqiao.cli._report import verify_report_command
from xinqiao.cli.deliver.command import deliver
from xinqiao.cli.verify.command import verify

app = typer.Typer(
    name="xinqiao",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def _print_version(*, wanted: bool) -> None:
    if wanted:
        typer.echo(f"xinqiao {__version__}")
        raise typer.Exit


@app.callback()
def options(
    context: typer.Context,
    *,
    lang: Annotated[
        Language | None,
        typer.Option("--lang", help="Language of the output, as after the command."),
    ] = None,
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            help="Print the version.",
            is_eager=True,
            callback=lambda value: _print_version(wanted=value),
        ),
    ] = False,
) -> None:
    """Ask, query and prove, at a Xinqiao (信桥) gateway. Every answer's signature is verified.

    Ends with 0 when it is done, 1 when it was refused or is not authentic (a
    sentence says why and what to do), 2 for wrong options, and `curl` with 22
    when the answer is a refusal; `deliver` and `verify` say their own.
    """
    del version  # printed by its callback
    if lang is not None:
        context.default_map = _defaults(context.command, {"lang": lang.value})
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal without Chinese characters
    # The SDK's warnings on what was typed are printed here, in the reader's language.
    logging.getLogger("xinqiao").addHandler(logging.NullHandler())


def _defaults(command: object, of_each: Mapping[str, str]) -> dict[str, Any]:
    """Defaults of every command, those of a group's too."""
    commands = getattr(command, "commands", None)
    if commands is None:
        return dict(of_each)
    return {name: _defaults(each, of_each) for name, each in commands.items()}


app.command("verify-evidence")(verify_evidence_file)
app.command("verify-consent")(verify_consent_file)
app.command()(ask)
app.command()(query)
app.command("tell-outcome")(tell_outcome)
app.command()(questions)
app.command()(limits)
app.command("curl")(curl_command)
app.command("keygen")(keygen_command)
app.command("verify-report")(verify_report_command)
app.command()(deliver)
app.command()(verify)
app.add_typer(_watch.app, name="watch")
