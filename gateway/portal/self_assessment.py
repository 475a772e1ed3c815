"""Portal page of the self-assessment: computed when it is opened, for the enterprise alone.

Nothing of it is stored, logged or counted.
"""

from collections.abc import Mapping
from typing import Final

from starlette.responses import Response

from gateway.creditfile import labels
from gateway.creditfile.disclosure_class import Audience
from gateway.creditfile.disclosure_policy import context_of, disclosable_fields
from gateway.creditfile.records import Record, registration_of
from gateway.creditfile.repairs import store as repairs
from gateway.creditfile.self_assessment import (
    Basis,
    Procedures,
    Step,
    self_assessment,
    total_points,
)
from gateway.identity.permissions import Permission
from gateway.identity.session_dependency import UsingVisitor
from gateway.pages.i18n import Translated
from gateway.pages.page_route import PageRoute
from gateway.portal.my_record import CreditFile, load_file, renderer
from gateway.prefix_router import PrefixRouter
from gateway.runtime import UsingRuntime

MOST_SHOWN: Final = 5
"""Records that are listed of each side of an indicator."""
BASES: Final[Mapping[str, Translated]] = {
    Basis.DELIVERED: Translated("评价单位提供", "given with the rating"),
    Basis.COMPUTED: Translated(
        "按公布的规则由现有记录计算，并非评价结果",
        "computed from your records by the published rule; not a rating",
    ),
    Basis.NOT_KNOWN: Translated("得分未知", "points not known"),
}
STEPS: Final[Mapping[str, Translated]] = {
    Step.OBJECT: Translated("记录有误的，提出异议", "Object, if it is wrong"),
    Step.OBJECTED: Translated("异议正在办理", "An objection is under way"),
    Step.REPAIR: Translated("现在可以申请信用修复", "Apply for repair now"),
    Step.REPAIR_FROM: Translated("{day} 起可以申请信用修复", "Apply for repair from {day}"),
    Step.APPLIED: Translated("已申请信用修复，等待决定", "Repair applied for, to be decided"),
    Step.WAIT_UNTIL: Translated("不办理的，{day} 后不再计入", "Otherwise it counts until {day}"),
}

router = PrefixRouter(route_class=PageRoute, include_in_schema=False)


@router.get("/portal/enterprises/{uscc}/self-assessment")
async def show_self_assessment(uscc: str, runtime: UsingRuntime, visitor: UsingVisitor) -> Response:
    """Show where the enterprise stands against each indicator of its ratings."""
    visitor.require(Permission.RECORD, uscc)
    async with runtime.engine.connect() as connection:
        file = await load_file(connection, runtime, visitor, uscc)
        applications = await repairs.of_enterprise(connection, uscc)
        changes = await repairs.last_changes(connection, uscc)
    ratings = self_assessment(
        (registration_of(file.enterprise), *file.records),
        runtime.catalogue,
        file.now,
        kind=file.enterprise.kind,
        procedures=Procedures(
            objected=file.objections.keys(),
            applied={each.record_id for each in applications if each.is_open},
            repair_changes=changes,
        ),
    )
    return renderer.visitor_page(
        visitor,
        "portal/self_assessment.html",
        enterprise=file.card,
        tab="record",
        ratings=ratings,
        heads=_Heads(file),
        total_points=total_points,
        bases=BASES,
        steps=STEPS,
        most=MOST_SHOWN,
        labels=labels,
        catalogue=runtime.catalogue,
    )


class _Heads:
    """First lines of the records, as the enterprise sees them."""

    def __init__(self, file: CreditFile) -> None:
        self._file = file
        held = (registration_of(file.enterprise), *file.records)
        self._context = context_of(held, file.runtime.catalogue, file.now)

    def __call__(self, record: Record) -> list[Translated]:
        """The first line of one record."""
        file = self._file
        kind = file.enterprise.kind
        fields = disclosable_fields(
            record,
            Audience.ENTERPRISE,
            file.runtime.catalogue,
            file.now,
            kind=kind,
            context=self._context,
        )
        return labels.headline(record.dataset, fields, file.runtime.catalogue, kind)
