"""Objections for tests: valid in everything that a test does not say."""

from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from gateway.creditfile.objections import lifecycle
from gateway.creditfile.objections.model import Actor, Changed, Ground, Objection, Refused, Role
from tests.creditfile_builders import CATALOGUE, NOON, USCC

KINDS: Final = CATALOGUE.objections
GROUND: Final = Ground(
    uscc=USCC,
    dataset="penalty",
    record_id="rec_1",
    record_version=3,
    source_id="source",
    source_name="数源单位",
)
ENTERPRISE: Final = Actor(role=Role.ENTERPRISE, name="demo:zhang", of=USCC)
SOURCE: Final = Actor(role=Role.SOURCE, name="client:source", of="source")
REVIEWER: Final = Actor(role=Role.REVIEWER, name="client:operator", of="operator")


def raised(*, now: datetime = NOON, by: Actor = ENTERPRISE, **ground: Any) -> Changed | Refused:
    """What raising an objection gives; `ground` are members of the record's ground."""
    return lifecycle.raise_(
        replace(GROUND, **ground),
        objection_id="obj_1",
        text="罚款已经撤销，请更正。",
        wanted="撤下这条记录。",
        by=by,
        kinds=KINDS,
        now=now,
    )


def an_objection(*, now: datetime = NOON, **ground: Any) -> Objection:
    """An open objection."""
    return done(raised(now=now, **ground))


def done(outcome: Changed | Refused) -> Objection:
    """The objection after an act that must have been done."""
    assert isinstance(outcome, Changed), outcome
    return outcome.objection
