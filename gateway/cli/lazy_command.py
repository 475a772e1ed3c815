"""Typer group whose commands are imported when they run; `--help` of the group imports none."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any, cast

import typer
from typer.core import TyperCommand, TyperGroup


@dataclass(frozen=True, slots=True)
class CommandSource:
    """Module and name of a command, and its help text."""

    place: str
    """Module and name, `gateway.cli.keys:app`, of a `typer.Typer` or of a function."""
    summary: str

    def load(self) -> TyperCommand | TyperGroup:
        """Import the command."""
        module, _, name = self.place.partition(":")
        found = getattr(import_module(module), name)
        if isinstance(found, typer.Typer):
            return typer.main.get_group(found)  # `get_command` would add options of completion
        single = typer.Typer(add_completion=False)
        single.command()(found)
        return cast("TyperCommand", typer.main.get_command(single))


class LazyCommand(TyperCommand):
    """Stand-in of a command in its group's list; imports the command when it is called."""

    def __init__(self, name: str, source: CommandSource) -> None:
        """Store where the command is defined."""
        super().__init__(name, help=source.summary)
        self._source = source

    def make_context(
        self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any
    ) -> Any:
        """Parse the arguments as the imported command does; its context runs that command."""
        return self._source.load().make_context(info_name, args, parent, **extra)


def lazy_group(sources: Mapping[str, CommandSource]) -> type[TyperGroup]:
    """A class for `typer.Typer(cls=…)` with these commands before those that it declares itself."""

    class LazyGroup(TyperGroup):
        """Group with commands that are imported when they run."""

        def __init__(self, *, commands: Mapping[str, Any], **options: Any) -> None:
            lazy = {name: LazyCommand(name, source) for name, source in sources.items()}
            super().__init__(commands={**lazy, **commands}, **options)

    return LazyGroup
