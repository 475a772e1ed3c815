"""`catalogue`: show, check, load and approve catalogue versions; workers switch within seconds."""

import difflib
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from gateway.access.serializers.timestamps import format_time
from gateway.admin import catalogue_service
from gateway.cli.exit import fail
from gateway.cli.operator_session import query, run_act
from gateway.cli.printing import print_table
from gateway.creditfile.catalogue import (
    PUBLISHED_CATALOGUE,
    CatalogueError,
    load_catalogue,
    require_separate_consents,
)
from gateway.creditfile.catalogue.disclosure_diff import widenings
from gateway.creditfile.catalogue.markdown_page import markdown_of
from gateway.creditfile.catalogue.versions import (
    CatalogueVersion,
    all_versions,
    digest_of,
    document_in_force,
    find_version,
)

app = typer.Typer(no_args_is_help=True, help="The catalogue of datasets and fields (信用信息目录).")


class OutputFormat(StrEnum):
    """Output format of a catalogue."""

    YAML = "yaml"
    MARKDOWN = "markdown"


@app.command()
def show(
    form: Annotated[
        OutputFormat, typer.Option("--format", help="As it is, or as a page.")
    ] = OutputFormat.YAML,
    version: Annotated[
        str | None,
        typer.Option(help="A version that was loaded, or `in-force`; else this release's."),
    ] = None,
) -> None:
    """Show the catalogue of this release, or one that was loaded."""
    document = PUBLISHED_CATALOGUE.read_text(encoding="utf-8")
    if version == "in-force":
        document = query(document_in_force)
    elif version is not None:
        document = _held(version).document
    if form is OutputFormat.YAML:
        print(document, end="")
    else:
        print(markdown_of(load_catalogue(document)), end="")


@app.command("list")
def list_versions() -> None:
    """List every version that was loaded, and who did it."""
    found = query(all_versions)
    if not found:
        print("None was loaded: the one of this release counts.")
        return
    print_table(
        ("version", "place", "loaded at", "loaded by", "approved by", "digest"),
        (
            (
                each.version,
                "waits" if each.place is None else each.place,
                format_time(each.loaded_at),
                each.loaded_by,
                each.approved_by,
                each.digest.hex(),
            )
            for each in found
        ),
    )


@app.command()
def check(file: Annotated[Path, typer.Argument(help="A catalogue in YAML.")]) -> None:
    """Say whether a catalogue is well formed, and what it changes; nothing is loaded."""
    _compare(query(document_in_force), _read(file))


@app.command()
def load(
    file: Annotated[Path, typer.Argument(help="A catalogue in YAML.")],
    allow_widening: Annotated[
        bool,
        typer.Option("--allow-widening", help="Let it wait for a second operator if it widens."),
    ] = False,
) -> None:
    """Bring a catalogue into force; one that widens disclosure waits for another operator."""
    document = _read(file)
    _compare(query(document_in_force), document)
    done = run_act(
        lambda context: catalogue_service.load(context, document, allow_widening=allow_widening)
    )
    if done.place is None:
        print(f"Catalogue {done.version} waits for another operator:")
        print(f"xinqiao-gateway catalogue approve {done.version} {done.digest.hex()}")
    else:
        print(f"Catalogue {done.version} is in force; workers follow within seconds.")


@app.command()
def approve(
    version: Annotated[str, typer.Argument(help="The version that waits.")],
    digest: Annotated[str, typer.Argument(help="The digest of what you have read.")],
) -> None:
    """Bring a catalogue that widens disclosure into force, as another operator than its loader."""
    try:
        read = bytes.fromhex(digest)
    except ValueError:
        fail("The digest is 64 hexadecimal digits, as `catalogue list` shows it.")
    done = run_act(lambda context: catalogue_service.approve(context, version, read))
    print(f"Catalogue {done.version} is in force; workers follow within seconds.")


def _compare(current: str, new_document: str) -> None:
    present, new = load_catalogue(current), load_catalogue(new_document)
    before, after = current.splitlines(), new_document.splitlines()
    for line in difflib.unified_diff(before, after, present.version, new.version, lineterm="", n=1):
        print(line)
    for sentence in widenings(present, new):
        print(f"widens: {sentence}")
    print(f"Catalogue {new.version} is well formed; its digest is {digest_of(new_document).hex()}.")


def _held(version: str) -> CatalogueVersion:
    held = query(partial(find_version, version=version))
    if held is None:
        fail(f"No catalogue {version} was loaded.")
    return held


def _read(file: Path) -> str:
    try:
        document = file.read_text(encoding="utf-8")
        require_separate_consents(load_catalogue(document))
    except (OSError, UnicodeDecodeError):
        fail(f"{file} cannot be read as text in UTF-8.")
    except CatalogueError as error:
        fail(str(error))
    return document
