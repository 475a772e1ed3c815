"""Builders of mistakes in the set-up of the SDK's fake gateway, and the scene in which they are made."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from xinqiao import Client
from xinqiao.testing import FakeConsent, FakeGateway

USCC: Final = "91330106MA2CXXXX16"
OTHER: Final = "91330106MA2YYYYYY1"
LOAN: Final = "loan_approval"
NOW: Final = datetime(2026, 3, 1, 4, tzinfo=UTC)
RECORD: Final = "rec_of_a_penalty"
ENDS: Final = NOW + timedelta(days=100)
FAR: Final = NOW + timedelta(days=900)


@dataclass(frozen=True, kw_only=True)
class Scene:
    """A fake gateway with an enterprise, its consent, a request for another, and a flow."""

    fake: FakeGateway
    bank: Client
    consent: FakeConsent
    asked: str
    url: str


@dataclass(frozen=True, kw_only=True)
class Mistake:
    """A call with one wrong argument, the value that its error names, and what is right."""

    method: str
    parameter: str
    act: Callable[[Scene], object] = field(repr=False)
    wrong: str
    right: str

    def __str__(self) -> str:
        return f"{self.method}({self.parameter}={self.wrong})"


def on(
    method: str, parameter: str, *arguments: Any, wrong: Any, right: str, **named: Any
) -> Mistake:
    """A mistake in an argument of a method of the gateway; callables are given the scene."""

    def act(scene: Scene) -> object:
        values = [_made(each, scene) for each in arguments]
        members = {name: _made(each, scene) for name, each in named.items()}
        return getattr(scene.fake, method)(*values, **members)

    shown = wrong if isinstance(wrong, str) and wrong.startswith("=") else f"={wrong!r}"
    return Mistake(method=method, parameter=parameter, act=act, wrong=shown[1:], right=right)


def _made(value: Any, scene: Scene) -> Any:
    return value(scene) if inspect.isfunction(value) else value


def held(scene: Scene) -> str:
    return scene.consent.consent_id


def asked(scene: Scene) -> str:
    return scene.asked


def url(scene: Scene) -> str:
    return scene.url


def record(wrong: Any, right: str, **members: Any) -> Mistake:
    """A record with one mistake."""
    given = {"dataset": "penalty", **members}
    return on("add_enterprise", "records", USCC, records=[given], wrong=wrong, right=right)


def fields_of(dataset: str, wrong: Any, right: str, **given: Any) -> Mistake:
    """Fields with one mistake."""
    return record(wrong, right, dataset=dataset, fields=given)


def answers(wrong: Any, right: str, given: Any) -> Mistake:
    """Answers with one mistake."""
    return on("add_enterprise", "answers", USCC, answers=given, wrong=wrong, right=right)


def granted(parameter: str, wrong: Any, right: str, **given: Any) -> Mistake:
    """A consent with one mistake."""
    members: dict[str, Any] = {"purpose": LOAN, "datasets": ["penalty"], **given}
    return on("grant_consent", parameter, USCC, wrong=wrong, right=right, **members)


def constructed(kind: type, parameter: str, value: Any, right: str) -> Mistake:
    """A mistake in an argument of a constructor."""
    needed = {"consent_id": "cst_1", "uscc": USCC, "purpose": LOAN} if kind is FakeConsent else {}
    return Mistake(
        method=kind.__name__,
        parameter=parameter,
        act=lambda _: kind(**{**needed, parameter: value}),
        wrong=repr(_innermost(value)),
        right=right,
    )


def _innermost(value: Any) -> Any:
    """The wrong item in a list, or in a mapping in one."""
    [item] = value if isinstance(value, list) else [value]
    return item["given_by"] if isinstance(item, dict) and "given_by" in item else item


def parts(method: str, place: Callable[[Scene], str]) -> list[Mistake]:
    """Mistakes in the part of a consent that is granted or left."""
    long = NOW + timedelta(days=101)
    return [
        on(method, "datasets", place, datasets=["penaltyy"], wrong="penaltyy", right="'penalty'"),
        on(
            method,
            "datasets",
            place,
            datasets=["pledge"],
            wrong="pledge",
            right="(of penalty, licence)",
        ),
        on(method, "datasets", place, datasets="penalty", wrong="penalty", right="['penalty']"),
        on(
            method,
            "questions",
            place,
            questions=["is_activ.v1"],
            wrong="is_activ.v1",
            right="'is_active.v1'",
        ),
        on(
            method,
            "valid_until",
            place,
            valid_until=long,
            wrong=f"={long}",
            right="the most is 2026-06-09",
        ),
        on(
            method,
            "valid_until",
            place,
            valid_until=FAR,
            wrong=FAR,
            right="the latest is 2028-03-01",
        ),
        on(
            method,
            "valid_until",
            place,
            valid_until="2026-05-01",
            wrong="2026-05-01",
            right="a datetime",
        ),
        on(
            method,
            "valid_until",
            place,
            valid_until=NOW,
            wrong="=nothing of the consent",
            right="instead",
        ),
        on(method, "max_uses", place, max_uses=6, wrong=6, right="the most is 5"),
        on(method, "max_uses", place, max_uses=0, wrong=0, right="the nearest is 1"),
    ]


def records_of(method: str) -> list[Mistake]:
    """Mistakes in the id of a record."""
    return [
        on(method, "record_id", "rec_nope", wrong="rec_nope", right=RECORD),
        on(method, "record_id", 17, wrong=17, right=RECORD),
    ]


def consents_of(method: str, *, status: str | None = None, **named: Any) -> list[Mistake]:
    """Mistakes in the id of a consent, and in its state."""
    found = [on(method, "consent_id", "cst_nope", wrong="cst_nope", right="'cst_", **named)]
    if status is not None:

        def in_another_state(scene: Scene) -> str:
            scene.consent.status = status
            return held(scene)

        found.append(
            on(
                method,
                "consent_id",
                in_another_state,
                wrong=f"= is {status}",
                right="only one that is",
                **named,
            )
        )
    return found


def endpoints(method: str, *arguments: Any) -> list[Mistake]:
    """Mistakes in the endpoint, and in the number of times."""
    return [
        on(method, "endpoint", *arguments, endpoint="tokn", wrong="tokn", right="'token'"),
        on(method, "times", *arguments, times=0, wrong=0, right="the nearest is 1"),
        on(method, "times", *arguments, times=True, wrong=True, right="from 1"),
    ]


def same(_: Any, answer: Any) -> Any:
    """A fault that changes nothing."""
    return answer
