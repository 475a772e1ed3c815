"""Commands of `xinqiao-gateway`: each is imported when it is called, and has one help text."""

import subprocess
import sys

import pytest
from typer.testing import CliRunner

from gateway.cli.main import COMMANDS, app
from gateway.environment import PREFIX


def test_the_list_of_commands_imports_none_of_them() -> None:
    """Help is there at once, without the database's and the web's libraries."""
    program = (
        "import sys; from typer.testing import CliRunner; from gateway.cli.main import app\n"
        "said = CliRunner().invoke(app, ['--help']).output\n"
        "print('retention' in said, {'sqlalchemy', 'fastapi', 'pydantic'} & sys.modules.keys())"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)  # noqa: PLW1510
    assert (ended.stdout.strip(), ended.stderr) == ("True set()", "")


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_says_of_itself_what_the_list_says(name: str) -> None:
    """The text stands beside the command too, and is the same."""
    help_text = COMMANDS[name].load().help
    assert help_text is not None
    assert help_text.partition("\n\n")[0] == COMMANDS[name].summary


def test_a_command_that_was_imported_late_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """With its own options, its usage line and its exit status."""
    monkeypatch.delenv(f"{PREFIX}SIGNING_KEYS", raising=False)
    shown = CliRunner().invoke(app, ["keys", "rotate", "--help"])
    assert (shown.exit_code, "--at-once" in shown.output) == (0, True)
    assert (
        "xinqiao-gateway keys rotate"
        in CliRunner().invoke(app, ["keys", "rotate", "--help"], prog_name="xinqiao-gateway").output
    )
    assert CliRunner().invoke(app, ["keys", "list"]).exit_code == 2
    assert CliRunner().invoke(app, ["nothing"]).exit_code == 2


@pytest.mark.parametrize("name", ["keys", "client", "catalogue"])
def test_a_group_s_help_offers_no_completion_of_the_shell(name: str) -> None:
    """It would be that of the group alone, and the whole command has none."""
    assert "completion" not in CliRunner().invoke(app, [name, "--help"]).stdout
