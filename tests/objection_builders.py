"""Objection builders: valid objections and disputed records."""

import secrets
from dataclasses import fields, replace
from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import insert

from gateway.creditfile.objections import lifecycle, service
from gateway.creditfile.objections.model import (
    Actor,
    Contested,
    Objection,
    ObjectionChanged,
    ObjectionGround,
    ObjectionRefused,
    Role,
)
from gateway.creditfile.records import Record
from gateway.creditfile.tables import record
from tests.creditfile_builders import CATALOGUE, NOON, USCC, make_record
from tests.gateway_fixture import Caller, GatewayFixture
from verification.uscc import check_character

KINDS: Final = CATALOGUE.objections
GROUND: Final = ObjectionGround(
    uscc=USCC,
    dataset="penalty",
    record_id="rec_1",
    record_version=3,
    source_id="source",
    source_name="数源单位",
)
ENTERPRISE: Final = Actor(role=Role.ENTERPRISE, name="demo:zhang", party=USCC)
SOURCE: Final = Actor(role=Role.SOURCE, name="client:source", party="source")
REVIEWER: Final = Actor(role=Role.REVIEWER, name="client:operator", party="operator")


def try_raise(
    *,
    now: datetime = NOON,
    actor: Actor = ENTERPRISE,
    contests: Contested | None = None,
    **ground: Any,
) -> ObjectionChanged | ObjectionRefused:
    """Result of raising an objection; `ground` are members of the record's ground."""
    return lifecycle.create(
        replace(GROUND, **ground),
        objection_id="obj_1",
        text="罚款已经撤销，请更正。",
        wanted="撤下这条记录。",
        actor=actor,
        kinds=KINDS,
        now=now,
        contests=contests,
    )


def make_objection(*, now: datetime = NOON, **ground: Any) -> Objection:
    """An open objection."""
    return must_succeed(try_raise(now=now, **ground))


def must_succeed(outcome: ObjectionChanged | ObjectionRefused) -> Objection:
    """The objection after an act, which must have succeeded."""
    assert isinstance(outcome, ObjectionChanged), outcome
    return outcome.objection


async def make_fresh_enterprise(gateway: GatewayFixture) -> str:
    """USCC of a new enterprise with an empty file."""
    first17 = "91330106MA2" + "".join(secrets.choice("ABCDEFGH2345678") for _ in range(6))
    uscc = first17 + check_character(first17)
    await gateway.rows(
        """
        INSERT INTO enterprise SELECT (jsonb_populate_record(e, jsonb_build_object(
            'uscc', CAST(:uscc AS text), 'registration_id', CAST(:id AS text), 'personal', NULL))).*
        FROM enterprise e WHERE e.uscc = :model RETURNING 1""",
        uscc=uscc,
        id=f"reg_{secrets.token_hex(8)}",
        model=gateway.uscc("clean"),
    )
    return uscc


async def make_disputed_record(
    gateway: GatewayFixture,
    source: Caller,
    *,
    dataset: str = "penalty",
    uscc: str | None = None,
    **changed: Any,
) -> Record:
    """A disclosable record of this source in an enterprise's file."""
    made = make_record(
        dataset,
        uscc=uscc or await make_fresh_enterprise(gateway),
        record_id=f"rec_{secrets.token_hex(8)}",
        source_id=source.client_id,
        **_FRESH.get(dataset, {}) | changed,
    )
    made = replace(made, natural_key=f"{made.natural_key}-{made.record_id}")
    row = {each.name: getattr(made, each.name) for each in fields(made)}
    known = {column.name for column in record.columns}
    row = {name: value for name, value in row.items() if name in known and value is not None}
    async with gateway.runtime.engine.begin() as connection:
        await connection.execute(insert(record).values(row | {"fields": dict(made.fields)}))
    return made


async def object_to(gateway: GatewayFixture, made: Record, **changed: Any) -> Objection:
    """An objection of the record's enterprise to it."""
    async with gateway.runtime.engine.begin() as connection:
        outcome = await service.raise_objection(
            connection,
            gateway.runtime.catalogue,
            **{
                "uscc": made.uscc,
                "record_id": made.record_id,
                "text": "罚款已经撤销，请更正。",
                "wanted": "撤下这条记录。",
                "actor": replace(ENTERPRISE, party=made.uscc),
                "now": gateway.clock(),
                **changed,
            },
        )
    assert isinstance(outcome, Objection), outcome
    return outcome


async def marked_since(gateway: GatewayFixture, made: Record) -> datetime | None:
    """The record's mark."""
    found = await gateway.rows(
        "SELECT objection_since FROM record WHERE uscc = :uscc AND record_id = :record_id",
        uscc=made.uscc,
        record_id=made.record_id,
    )
    since: datetime | None = found[0]["objection_since"]
    return since


async def corrected_record(gateway: GatewayFixture, made: Record) -> None:
    """A newer version of the record, as its source would deliver it."""
    await gateway.rows(
        "UPDATE record SET version = version + 1 WHERE uscc = :uscc AND record_id = :record_id",
        uscc=made.uscc,
        record_id=made.record_id,
    )


_FRESH: Final[dict[str, dict[str, Any]]] = {
    # Whatever day the tests run on, it is beyond its time of appeal and inside its publicity.
    "penalty": {
        "decided_on": (date.today() - timedelta(days=90)).isoformat(),  # noqa: DTZ011
        "determined_on": (date.today() - timedelta(days=90)).isoformat(),  # noqa: DTZ011
        "published_on": (date.today() - timedelta(days=85)).isoformat(),  # noqa: DTZ011
        "fine": "9.000000",
    },
}
