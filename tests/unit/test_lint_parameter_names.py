"""Lint check of parameter names: reported and accepted names."""

import pytest

from tests.lint.parameter_names import prepositions_in


@pytest.mark.parametrize(
    "source",
    [
        "def f(of): ...",
        "def f(a, /, *, of=1): ...",
        "def f(*of): ...",
        "async def f(**of): ...",
        "lambda of: 1",
        "class C:\n    def f(self, of: int) -> None: ...",
    ],
)
def test_a_preposition_as_a_parameter_is_reported(source: str) -> None:
    """Any kind of parameter."""
    assert [name for _, name in prepositions_in(source)] == ["of"]


def test_its_line_is_named() -> None:
    """The parameter's line, not the function's."""
    assert list(prepositions_in("def f(\n    a: int,\n    at: int,\n): ...")) == [(3, "at")]


@pytest.mark.parametrize(
    "source",
    ["def of(offset): ...", "f(at=1)", "class C:\n    at: int", "def f(client, to_client): ..."],
)
def test_other_names_and_places_are_left_alone(source: str) -> None:
    """Functions, call arguments, fields, longer names."""
    assert not list(prepositions_in(source))
