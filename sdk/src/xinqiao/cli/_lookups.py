"""Commands `xinqiao questions` and `xinqiao limits`: lists that name no enterprise."""

# ruff: noqa: FBT002 - typer reads options from the parameters, which it passes by name

from __future__ import annotations

from xinqiao import Client
from xinqiao.cli import _show
from xinqiao.cli._connect import open_client
from xinqiao.cli._language import reader_language
from xinqiao.cli._options import As, Json, Keys, Kit, Lang


def questions(
    kit: Kit = None, who: As = "bank", keys: Keys = None, as_json: Json = False, lang: Lang = None
) -> None:
    """List the questions that can be asked."""
    language = lang or reader_language()
    with open_client(Client, kit, who, keys, language) as client:
        catalogue = client.questions()
    _show.json(catalogue.evidence) if as_json else _show.questions(catalogue, language)


def limits(
    kit: Kit = None, who: As = "bank", keys: Keys = None, as_json: Json = False, lang: Lang = None
) -> None:
    """Show what is left of each limit, and which one refused a call last."""
    language = lang or reader_language()
    with open_client(Client, kit, who, keys, language) as client:
        found = client.limits()
    _show.json(found.evidence) if as_json else _show.limits(found, language)
