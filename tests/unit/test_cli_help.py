"""Help of every command of both programs at 80 columns: nothing is cut, no paragraph is torn."""

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

import pytest
import typer
from typer.testing import CliRunner

from gateway.cli.main import app as gateway_app
from xinqiao.cli._app import app as sdk_app

WIDTH: Final = 80
MARGIN: Final = 10
COMMANDS: Final = re.compile(r"─ Commands ─.*?╮\n(.*?)╰", re.DOTALL)
NAME: Final = re.compile(r"^│ ([a-z][a-z-]*) ", re.MULTILINE)
CUT: Final = re.compile(r"[a-z]…")
PARAGRAPH: Final = re.compile(r"^ \n((?: \S.*\n)+)", re.MULTILINE)


def helps(app: typer.Typer, *path: str) -> Iterator[tuple[str, str]]:
    """The help of a command and of all below it, by name."""
    shown = CliRunner().invoke(app, [*path, "--help"], env={"COLUMNS": f"{WIDTH}"})
    assert shown.exit_code == 0, path
    text = re.sub(r" +$", " ", shown.stdout, flags=re.MULTILINE)
    yield " ".join(path), text
    for listed in COMMANDS.findall(text):
        for name in NAME.findall(listed):
            yield from helps(app, *path, name)


def torn(text: str) -> list[str]:
    """Lines of a paragraph after which the first word of the next one would have fitted."""
    return [
        line
        for paragraph in PARAGRAPH.findall(text)
        for line, after in pairwise(paragraph.splitlines())
        if len(line.rstrip()) + len(after.split()[0]) + MARGIN < WIDTH
    ]


@pytest.mark.parametrize("app", [gateway_app, sdk_app], ids=["xinqiao-gateway", "xinqiao"])
def test_help_fits_eighty_columns(app: typer.Typer) -> None:
    """No value is cut by an ellipsis, and no line is broken in the middle."""
    found = dict(helps(app))
    assert len(found) > 10
    assert {name: CUT.findall(text) for name, text in found.items() if CUT.search(text)} == {}
    assert {name: torn(text) for name, text in found.items() if torn(text)} == {}
