"""All doors of the portal."""

from fastapi import APIRouter

from gateway.pages import static
from gateway.portal import (
    asked,
    decide,
    delegates,
    home,
    invitations,
    my_consents,
    my_objections,
    my_record,
    narrowing,
    notice_places,
    objecting,
    predecessors,
    records,
    sign_in,
    who_looked,
)

router = APIRouter(include_in_schema=False)
for room in (
    static,
    sign_in,
    home,
    invitations,
    decide,
    delegates,
    asked,
    narrowing,
    notice_places,
    records,
    predecessors,
    my_consents,
    who_looked,
    my_record,
    objecting,
    my_objections,
):
    router.include_router(room.router)
