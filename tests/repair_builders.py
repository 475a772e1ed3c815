"""Repair builders: applications in a portal, and their decision."""

from typing import Any, Final

from gateway.creditfile.objections.model import Actor, Role
from gateway.creditfile.repairs import service, store
from gateway.creditfile.repairs.model import ApplicationRefusal, Paper, RepairApplication
from tests.portal_fixture import PortalFixture

PAPER: Final = Paper(name="缴款凭证.jpg", size=4, sha256="ab" * 32)
STATEMENT: Final = "罚款已缴清，已整改。"


async def try_apply(
    portal: Any,  # a fixture with a runtime and a clock
    uscc: str,
    record_id: str,
    **changed: Any,
) -> RepairApplication | ApplicationRefusal:
    """Result of an application of the enterprise."""
    async with portal.runtime.engine.begin() as connection:
        return await service.apply_for_repair(
            connection,
            portal.runtime.catalogue,
            **{
                "uscc": uscc,
                "record_id": record_id,
                "statement": STATEMENT,
                "papers": (PAPER,),
                "actor": Actor(role=Role.ENTERPRISE, name="demo:zhang", party=uscc),
                "now": portal.clock(),
                **changed,
            },
        )


async def apply_for_repair(
    portal: Any,  # a fixture with a runtime and a clock
    uscc: str,
    record_id: str,
    **changed: Any,
) -> RepairApplication:
    """An application of the enterprise, which must be possible."""
    made = await try_apply(portal, uscc, record_id, **changed)
    assert isinstance(made, RepairApplication), made
    return made


async def reject_repair(portal: PortalFixture, application_id: str, reason: str) -> None:
    """Let the source reject an application."""
    async with portal.engine.begin() as connection:
        found = await store.by_id(connection, application_id)
        assert found is not None
        done = await service.record_decision(
            connection,
            found,
            actor=Actor(role=Role.SOURCE, name=f"client:{found.source_id}", party=found.source_id),
            accepted=False,
            reason=reason,
            now=portal.clock(),
        )
    assert isinstance(done, RepairApplication), done
