"""Commands `xinqiao ask` and `xinqiao query`: calls about one enterprise."""

# ruff: noqa: FBT002 - typer reads options from the parameters, which it passes by name

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, cast
from uuid import uuid4

import typer

from xinqiao import BundleName, Client, Purpose, QueryPage, QuestionTag, QuestionValue
from xinqiao._core.wire.uscc import warnings_of
from xinqiao.cli import _inputs, _show
from xinqiao.cli._connect import open_client, plain_errors
from xinqiao.cli._errors import InputError
from xinqiao.cli._language import Language, reader_language
from xinqiao.cli._options import As, Force, Json, Keys, Kit, Lang, Save
from xinqiao.cli._saving import check_savable, save_evidence

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
        check_savable(save, force=force)
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
        save_evidence(result.evidence, save, language, force=force)


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
        check_savable(save, force=force)
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
        save_evidence(first.evidence, save, language, force=force)
        seen = list[QueryPage]()
        for page in first.pages():
            _show.json(page.evidence) if as_json else _show.records(page, language)
            seen.append(page)
        if not as_json:
            _show.empty_datasets(seen, language)


@contextmanager
def _key_if_lost(key: str, language: Language) -> Iterator[None]:
    """Print the idempotency key where an answer may have been given and was not delivered."""
    try:
        yield
    except (InputError, OSError, KeyboardInterrupt):  # an error of the SDK names its key itself
        _show.repeat_with(key, language)
        raise


def _warn(uscc: str, language: Language) -> None:
    for code in warnings_of(uscc):
        _show.warning(code, language)
