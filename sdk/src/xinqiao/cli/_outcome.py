"""Command `xinqiao tell-outcome`: what became of the application behind a query."""

# ruff: noqa: FBT002 - typer reads options from the parameters, which it passes by name

from __future__ import annotations

from typing import Annotated, cast

import typer

from xinqiao import ApplicationOutcome, Client, OutcomeReason
from xinqiao.cli import _show
from xinqiao.cli._connect import open_client
from xinqiao.cli._language import reader_language
from xinqiao.cli._options import As, Json, Keys, Kit, Lang


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
