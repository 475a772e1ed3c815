"""Commands `xinqiao watch`: put a list from a file of codes, show, drop and list."""

# ruff: noqa: FBT002 - typer reads options from the parameters, which it passes by name

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer
from rich.text import Text

from xinqiao import Client
from xinqiao.cli import _inputs, _printing, _show
from xinqiao.cli._connect import open_client, plain_errors
from xinqiao.cli._errors import InputError
from xinqiao.cli._language import (
    Language,
    code_label,
    moment_text,
    reader_language,
    with_code,
)
from xinqiao.cli._options import As, Json, Keys, Kit, Lang
from xinqiao.cli.deliver.own_rows import ReadOptions, format_of
from xinqiao.cli.verify.asked import USCC_NAMES, code_place
from xinqiao.cli.verify.verification import open_rows

if TYPE_CHECKING:
    from xinqiao import BundleName, Purpose, QuestionTag, WatchList
    from xinqiao.cli._terminal import Terminal

app = typer.Typer(
    no_args_is_help=True,
    help="Watch lists: enterprises of which `client.changes()` says when to ask again.",
)
Name = Annotated[str, typer.Argument(help="The list's name.")]


@app.command()
def put(
    name: Name,
    file: Annotated[Path, typer.Argument(help="CSV, Excel or NDJSON, with a column of codes.")],
    purpose: Annotated[str, typer.Option(help="What the answers are for, e.g. merchant_review.")],
    question: Annotated[
        list[str] | None,
        typer.Option("-q", "--question", help="A question that needs no consent; repeat."),
    ] = None,
    bundle: Annotated[
        str | None, typer.Option(help="A published bundle in their place, e.g. review.v1.")
    ] = None,
    encoding: Annotated[str, typer.Option(help="utf-8 or gb18030; else by the contents.")] = "auto",
    sheet: Annotated[str | None, typer.Option(help="The sheet of a workbook.")] = None,
    kit: Kit = None,
    who: As = "platform",
    keys: Keys = None,
    as_json: Json = False,
    lang: Lang = None,
) -> None:
    """Put the file's enterprises, each once, in the place of the list of this name."""
    language = lang or reader_language()
    with plain_errors(language):
        _inputs.check_asked("-q", question or (), bundle)
        codes = _codes(
            ReadOptions(
                path=_inputs.check_readable(file),
                format=format_of(file, None),
                encoding=encoding,
                sheet=sheet,
                uscc_names=USCC_NAMES,
            )
        )
    with open_client(Client, kit, who, keys, language) as client:
        held = client.put_watch(
            name,
            purpose=cast("Purpose", purpose),
            questions=cast("list[QuestionTag]", question or []),
            bundle=cast("BundleName | None", bundle),
            enterprises=codes,
        )
    _show.json(held.evidence) if as_json else _print([held], language)


@app.command()
def show(
    name: Name,
    kit: Kit = None,
    who: As = "platform",
    keys: Keys = None,
    as_json: Json = False,
    lang: Lang = None,
) -> None:
    """Show a list; its codes go to stdout, one a line."""
    language = lang or reader_language()
    with open_client(Client, kit, who, keys, language) as client:
        held = client.watch(name)
    if as_json:
        _show.json(held.evidence)
        return
    _print_list(held, language, _printing.notes)
    for code in held.enterprises:
        typer.echo(code)


@app.command()
def drop(
    name: Name, kit: Kit = None, who: As = "platform", keys: Keys = None, lang: Lang = None
) -> None:
    """Delete a list; nothing of it is told any more."""
    language = lang or reader_language()
    with open_client(Client, kit, who, keys, language) as client:
        client.delete_watch(name)
    said = f"名单 {name} 已删除。" if language is Language.ZH else f"The list {name} is deleted."
    _printing.notes.print(Text(said))


@app.command("list")
def list_(
    kit: Kit = None,
    who: As = "platform",
    keys: Keys = None,
    as_json: Json = False,
    lang: Lang = None,
) -> None:
    """List the watch lists."""
    language = lang or reader_language()
    with open_client(Client, kit, who, keys, language) as client:
        found = client.watches()
    _show.json(found.evidence) if as_json else _print(found, language)


def _codes(options: ReadOptions) -> list[str]:
    """The codes in a file, each once, in its order."""
    rows = open_rows(options)
    try:
        place = code_place(rows.columns)
        cells = (rows.cells(item) for item in rows.items)
        codes = [row[place].strip() for row in cells if len(row) > place]
    finally:
        rows.close()
    found = list(dict.fromkeys(filter(None, codes)))
    if not found:
        raise InputError(
            f"{options.path} 中没有统一社会信用代码。", f"{options.path} names no enterprise."
        )
    return found


def _print(lists: Iterable[WatchList], language: Language) -> None:
    for each in lists:
        _print_list(each, language, _printing.out)


def _print_list(held: WatchList, language: Language, terminal: Terminal) -> None:
    """Print a line on a list, and one for each of its questions."""
    outside = held.status != "watching"
    purpose = with_code(code_label("purposes", held.purpose, language), held.purpose)
    at = moment_text(held.replaced_at)
    if language is Language.ZH:
        state = "，合约不再涵盖，不再提示" if outside else ""
        said = f"{held.name}：{held.count:,} 家，{purpose}，{at} 更新{state}"
    else:
        state = ", no longer in your agreement: nothing is told" if outside else ""
        said = f"{held.name}: {held.count:,} enterprises, {purpose}, put {at}{state}"
    asked = (with_code(code_label("questions", each, language), each) for each in held.questions)
    for line in (said, *(f"  {each}" for each in asked)):
        terminal.print(Text(line, style="yellow" if outside else ""), soft_wrap=True)
