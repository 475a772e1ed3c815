"""The Python program of `http.md`: the key that it verifies an answer with, and its length."""

import ast
from datetime import UTC, datetime
from typing import Any, Final

import pytest

from tests.docs.blocks import blocks
from tests.docs.pages import DOCS

PAGE: Final = DOCS / "integrate" / "http.md"
PROGRAM: Final = next(
    each.code for each in blocks(PAGE) if each.code.startswith('"""One verification without')
)
BEGINS, ENDS = "2026-01-01T00:00:00.5+00:00", "2026-02-01T00:00:00+00:00"
CHOOSES: Final = {"moment", "in_force"}


def chosen(created: str, **key: Any) -> list[Any]:
    """What the program's own statements choose of one published key."""
    statements = [
        each
        for each in ast.parse(PROGRAM).body
        if isinstance(each, ast.Assign)
        and isinstance(each.targets[0], ast.Name)
        and each.targets[0].id in CHOOSES
    ]
    assert len(statements) == len(CHOOSES)
    names: dict[str, Any] = {
        "datetime": datetime,
        "said": {"keyid": '"k"'},
        "created": int(datetime.fromisoformat(created).replace(tzinfo=UTC).timestamp()),
        "published": [{"kid": "k", "xinqiao_use": "response", **key}],
    }
    exec(compile(ast.Module([*statements], []), str(PAGE), "exec"), names)  # noqa: S102 - the page's code
    return list(names["in_force"])


@pytest.mark.parametrize(
    ("created", "is_chosen"),
    [
        ("2025-12-31T23:59:59", False),
        ("2026-01-01T00:00:00", True),
        ("2026-01-31T23:59:59", True),
        ("2026-02-01T00:00:00", False),
    ],
)
def test_a_key_is_chosen_only_while_it_is_in_force(created: str, is_chosen: bool) -> None:
    """In whole seconds, as the page says."""
    assert bool(chosen(created, not_before=BEGINS, retired_at=ENDS)) is is_chosen
    assert chosen("2026-01-15T00:00:00", not_before=BEGINS, retired_at=None)


def test_it_refuses_under_python_minus_o_too() -> None:
    """An assertion would be left out."""
    assert not any(isinstance(each, ast.Assert) for each in ast.walk(ast.parse(PROGRAM)))


def test_the_page_tells_its_length() -> None:
    """In lines."""
    assert f"In Python, {len(PROGRAM.splitlines())} lines" in PAGE.read_text()
