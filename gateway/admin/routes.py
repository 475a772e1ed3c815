"""The admin API's routes: clients, agreements, objections, repairs, reports on codes, data quality."""

from gateway.admin import (
    agreement_routes,
    client_routes,
    code_report_routes,
    objection_routes,
    quality_routes,
    repair_routes,
)
from gateway.prefix_router import PrefixRouter

router = PrefixRouter(prefix="/v1/admin", tags=["admin"])
router.include_router(client_routes.router)
router.include_router(agreement_routes.router)
router.include_router(objection_routes.router)
router.include_router(repair_routes.router)
router.include_router(code_report_routes.router)
router.include_router(quality_routes.router)
