"""All doors of the portal."""

from fastapi import APIRouter

from gateway.pages import static
from gateway.portal import asked, decide, home, my_consents, narrowing, records, sign_in, who_looked

router = APIRouter(include_in_schema=False)
for room in (static, sign_in, home, decide, asked, narrowing, records, my_consents, who_looked):
    router.include_router(room.router)
