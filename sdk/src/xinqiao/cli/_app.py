"""Commands of `xinqiao` (typer): each reads its arguments, makes one call and prints the result."""

# ruff: noqa: FBT002 - typer reads options from the parameters, which it passes by name

from __future__ import annotations

import io
import logging
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final, cast
from uuid import uuid4

import typer

from xinqiao import (
    ApplicationOutcome,
    BundleName,
    Client,
    Evidence,
    OutcomeReason,
    Purpose,
    QueryPage,
    QuestionTag,
    QuestionValue,
    __version__,
    verify_consent_record,
    verify_evidence,
)
from xinqiao._core.uscc import warnings_of
from xinqiao.cli import _curl, _inputs, _keygen, _show, _watch
from xinqiao.cli._connect import open_client, plain_errors
from xinqiao.cli._errors import InputError
from xinqiao.cli._language import Language, reader_language
from xinqiao.cli._options import As, Json, Keys, Kit, Lang
from xinqiao.cli._report import verify_report_command
from xinqiao.cli.deliver.command import deliver
from xinqiao.cli.verify.command import verify
from xinqiao.errors import EvidenceExists

CURL_TIMEOUT: Final = 60  # seconds; an endpoint may hold a call for 30 (`wait`)


class KeyKind(StrEnum):
    """Key types of RFC 7518 that the gateway accepts."""

    EC = "EC"
    OKP = "OKP"
    RSA = "RSA"


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

    Ends with 0 when it is done, 1 when it was refused or is not authentic (a sentence says why and
    what to do), 2 for wrong options, and `curl` with 22 when the answer is a refusal; `deliver` and
    `verify` say their own.
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


Save = Annotated[Path | None, typer.Option("--save", help="Keep the evidence in this file.")]
Force = Annotated[bool, typer.Option("--force", help="Let --save overwrite a file.")]
Key = Annotated[
    str | None,
    typer.Option(
        "--idempotency-key", help="The same call with the same key spends nothing again (24 hours)."
    ),
]
Uscc = Annotated[str, typer.Argument(help="The enterprise's unified social credit code.")]
PurposeOption = Annotated[
    str, typer.Option("--purpose", help="What the answer is for, e.g. loan_approval.")
]

BundleOption = Annotated[
    str | None,
    typer.Option("--bundle", help="What the purpose usually needs instead, e.g. pre_loan.v1."),
]


@app.command("verify-evidence")
def verify_evidence_command(
    file: Annotated[Path, typer.Argument(help="The evidence.")],
    keys: Annotated[
        Path, typer.Option("--keys", help="The gateway's keys (JWK set), from a source you trust.")
    ],
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


@app.command("verify-consent")
def verify_consent_command(
    file: Annotated[Path, typer.Argument(help="The consent's record, or evidence of it.")],
    keys: Annotated[
        Path, typer.Option("--keys", help="The gateway's keys (JWK set), from a source you trust.")
    ],
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


@app.command()
def ask(
    uscc: Uscc,
    purpose: PurposeOption,
    question: Annotated[
        list[str] | None,
        typer.Option("-q", "--question", help="TAG, TAG=VALUE or TAG=JSON object; repeat."),
    ] = None,
    bundle: BundleOption = None,
    kit: Kit = None,
    who: As = "bank",
    keys: Keys = None,
    key: Key = None,
    save: Save = None,
    force: Force = False,
    as_json: Json = False,
    lang: Lang = None,
) -> None:
    """Ask yes/no questions about an enterprise."""
    language = lang or reader_language()
    key = key or str(uuid4())
    with plain_errors(language):
        _check_savable(save, force=force)
        asked: list[tuple[QuestionTag, QuestionValue]] = [
            (cast("QuestionTag", tag), value)
            for tag, value in map(_inputs.parse_question, question or ())
        ]
        _inputs.check_asked("-q", question or (), bundle)
    with open_client(Client, kit, who, keys, language) as client, _key_if_lost(key, language):
        _warn(uscc, language)
        result = client.verify(
            uscc,
            purpose=cast("Purpose", purpose),
            questions=asked,
            bundle=cast("BundleName | None", bundle),
            idempotency_key=key,
        )
        _show.json(result.evidence) if as_json else _show.verification(result, language)
        _save(result.evidence, save, language, force=force)


@app.command()
def query(
    uscc: Uscc,
    purpose: PurposeOption,
    dataset: Annotated[
        list[str] | None, typer.Option("--dataset", help="What to read; repeat.")
    ] = None,
    bundle: BundleOption = None,
    consent: Annotated[
        str | None, typer.Option(help="The consent, where there are several.")
    ] = None,
    kit: Kit = None,
    who: As = "bank",
    keys: Keys = None,
    key: Key = None,
    save: Save = None,
    force: Force = False,
    as_json: Json = False,
    lang: Lang = None,
) -> None:
    """Read the records that the enterprise's consent allows. Of many pages the first is kept."""
    language = lang or reader_language()
    key = key or str(uuid4())
    with plain_errors(language):
        _check_savable(save, force=force)
        _inputs.check_asked("--dataset", dataset or (), bundle)
    with open_client(Client, kit, who, keys, language) as client, _key_if_lost(key, language):
        _warn(uscc, language)
        first = client.query(
            uscc,
            purpose=cast("Purpose", purpose),
            datasets=dataset or (),
            bundle=cast("BundleName | None", bundle),
            consent_id=consent,
            idempotency_key=key,
        )
        _save(first.evidence, save, language, force=force)
        seen = list[QueryPage]()
        for page in first.pages():
            _show.json(page.evidence) if as_json else _show.records(page, language)
            seen.append(page)
        if not as_json:
            _show.empty_datasets(seen, language)


@app.command("tell-outcome")
def tell_outcome(
    disclosure_id: Annotated[str, typer.Argument(help="The id of your query.")],
    outcome: Annotated[str, typer.Argument(help="approved, approved_less, refused or withdrawn.")],
    reason: Annotated[
        list[str] | None, typer.Option("--reason", help="E.g. live_penalty; repeat.")
    ] = None,
    kit: Kit = None,
    who: As = "bank",
    keys: Keys = None,
    as_json: Json = False,
    lang: Lang = None,
) -> None:
    """Tell the enterprise what became of the application for which you made a query."""
    language = lang or reader_language()
    with open_client(Client, kit, who, keys, language) as client:
        told = client.tell_outcome(
            disclosure_id,
            cast("ApplicationOutcome", outcome),
            reasons=cast("list[OutcomeReason]", reason or []),
        )
    _show.json(told.evidence) if as_json else _show.told_outcome(told, language)


@app.command()
def questions(
    kit: Kit = None, who: As = "bank", keys: Keys = None, as_json: Json = False, lang: Lang = None
) -> None:
    """List the questions that can be asked."""
    language = lang or reader_language()
    with open_client(Client, kit, who, keys, language) as client:
        catalogue = client.questions()
    _show.json(catalogue.evidence) if as_json else _show.questions(catalogue, language)


@app.command()
def limits(
    kit: Kit = None, who: As = "bank", keys: Keys = None, as_json: Json = False, lang: Lang = None
) -> None:
    """Show what is left of each limit, and which one refused a call last."""
    language = lang or reader_language()
    with open_client(Client, kit, who, keys, language) as client:
        found = client.limits()
    _show.json(found.evidence) if as_json else _show.limits(found, language)


@app.command()
def curl(
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
        _check_savable(save, force=force)
    options: dict[str, Any] = {"sign_requests": True} if sign else {}
    with open_client(Client, kit, who, keys, language, timeout=CURL_TIMEOUT, **options) as client:
        typed = _curl.CurlCall.read(
            url, method=method, data=data, headers=header or [], scope=scope
        )
        if print_headers:
            for name, value in _curl.headers(client, typed).items():
                typer.echo(f"{name}: {value}")
            return
        answer = _curl.call(client, typed)
        _show.answer(answer, language)
        _save(answer, save, language, force=force)
    if answer.status >= 400:  # noqa: PLR2004 - as curl --fail
        raise typer.Exit(22)


@app.command()
def keygen(
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
        _keygen.write_key(out, kind.value)
    _show.key_files(out / _keygen.PRIVATE, out / _keygen.PUBLIC, language)


app.command("verify-report")(verify_report_command)
app.command()(deliver)
app.command()(verify)
app.add_typer(_watch.app, name="watch")


def _check_savable(path: Path | None, *, force: bool) -> None:
    if path is not None:
        _inputs.check_savable(path, force=force)


@contextmanager
def _key_if_lost(key: str, language: Language) -> Iterator[None]:
    """Print the idempotency key where an answer may have been given and was not delivered."""
    try:
        yield
    except (InputError, OSError, KeyboardInterrupt):  # an error of the SDK names its key itself
        _show.repeat_with(key, language)
        raise


def _save(evidence: Evidence, path: Path | None, language: Language, *, force: bool) -> None:
    if path is None:
        return
    try:
        _show.saved(evidence.save(path, overwrite=force), language)
    except EvidenceExists:
        raise _inputs.existing_file(path) from None
    except OSError as error:
        raise _inputs.unusable_file(str(path), error) from None


def _warn(uscc: str, language: Language) -> None:
    for code in warnings_of(uscc):
        _show.warning(code, language)
