"""All SQL statements that the gateway's modules hold, by name."""

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from types import ModuleType
from typing import Final

import consent
import gateway
from gateway.db.statements import SetStatement, Statement

_NOT_IMPORTED: Final = ("gateway.migrations.", "gateway.__main__")
_DEEPEST: Final = 4


def statements() -> dict[str, Statement]:
    """The statements in module variables, and in tuples, mappings and dataclasses there."""
    found: dict[str, Statement] = {}
    seen: set[int] = set()
    for module in _modules():
        for variable, value in vars(module).items():
            for name, statement in _in(value, f"{module.__name__}.{variable}", _DEEPEST):
                if id(statement) not in seen:
                    seen.add(id(statement))
                    found[name] = statement
    return found


def _modules() -> Iterator[ModuleType]:
    for package in (gateway, consent):
        for each in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not each.name.startswith(_NOT_IMPORTED):
                yield importlib.import_module(each.name)


def _in(value: object, name: str, depth: int) -> Iterator[tuple[str, Statement]]:
    """The statements in a value; of one with a set form the single one."""
    if isinstance(value, Statement):
        yield name, value
    elif isinstance(value, SetStatement):
        yield name, value.single
    elif depth == 0:
        return
    elif is_dataclass(value) and not isinstance(value, type):
        for each in fields(value):
            yield from _in(getattr(value, each.name, None), f"{name}.{each.name}", depth - 1)
    elif isinstance(value, tuple | list):
        for number, each in enumerate(value):
            yield from _in(each, f"{name}[{number}]", depth - 1)
    elif isinstance(value, Mapping):
        for key, each in value.items():
            yield from _in(each, f"{name}[{key}]", depth - 1)
