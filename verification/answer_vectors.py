"""The published vectors of name answers (`vectors/answers-*.json`), as requests and expected replies."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Final

VERSIONS: Final = ("names.v1", "names.v2")
FORMS: Final = ("strict", "loose", "also")


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerVector:
    """One case by the rules of one version: a held and an asserted name, and the expected reply."""

    id: str
    kind: str
    reason: str
    version: str
    attribute: str
    held: Mapping[str, Any]
    asserted: str
    expected: Mapping[str, str]

    def request(self) -> dict[str, Any]:
        """Request to an implementation."""
        return {
            "id": self.id,
            "version": self.version,
            "attribute": self.attribute,
            "held": self.held,
            "asserted": self.asserted,
        }


def answer_vectors(versions: tuple[str, ...] = VERSIONS) -> tuple[AnswerVector, ...]:
    """Every published case, by each of these versions."""
    return tuple(
        AnswerVector(
            id=f"{case['id']}/{version}",
            version=version,
            expected=case[version],
            **{name: case[name] for name in ("kind", "reason", "attribute", "held", "asserted")},
        )
        for case in _cases()
        for version in versions
    )


def difference(vector: AnswerVector, reply: Mapping[str, Any]) -> str | None:
    """The first member of a reply that is not as expected, in words; `None` if all are.

    Forms count where the reply has any; `match` counts beside a yes.
    """
    expected = vector.expected
    wanted, told = (_answer(each) for each in (expected, reply))
    if told != wanted:
        return f"answer {told}, expected {wanted}"
    if not any(name in reply for name in FORMS):
        return None
    for name in FORMS:
        if reply.get(name) != expected.get(name):
            return f"{name} {_short(reply.get(name))}, expected {_short(expected.get(name))}"
    return None


def _answer(reply: Mapping[str, Any]) -> str:
    answer, match = reply.get("answer"), reply.get("match")
    return f"yes ({match})" if answer == "yes" else _short(answer).strip('"')


def _short(value: object) -> str:
    return json.dumps(value)[:120]


def _cases() -> Iterator[dict[str, Any]]:
    folder = files("verification").joinpath("vectors")
    names = (each.name for each in folder.iterdir())
    for name in sorted(each for each in names if each.startswith("answers-")):
        yield from json.loads(folder.joinpath(name).read_text(encoding="utf-8"))["cases"]
