"""The admin API: what one operator may do at once, what takes two, and what was done."""

from fastapi import APIRouter

from gateway.admin import agreement_routes, client_routes, objection_routes

router = APIRouter(prefix="/v1/admin", tags=["admin"])
router.include_router(client_routes.router)
router.include_router(agreement_routes.router)
router.include_router(objection_routes.router)
