"""On-device district check: the page, its one script, and the policy that lets it send nothing.

The phone's position is compared with the county's bounding box in the page; it leaves the phone nowhere.
"""

import hashlib
from importlib.resources import files
from typing import Final

from fastapi import Request
from starlette.responses import Response

from gateway.codes import store
from gateway.codes.ids import parse_code_id
from gateway.codes.model import CodeState
from gateway.codes.network_limits import unknown_wait
from gateway.codes.public_page.invalid_code import invalid_code_page
from gateway.codes.public_page.page_html import render_page
from gateway.codes.reports.display import display_query
from gateway.creditfile.division_boxes import MARGIN, division_box
from gateway.creditfile.divisions import division_label
from gateway.pages.page_route import PageRoute, see_other
from gateway.pages.security_headers import security_headers
from gateway.prefix_router import PrefixRouter
from gateway.runtime import UsingRuntime

router = PrefixRouter(route_class=PageRoute, include_in_schema=False)

KM_PER_DEGREE: Final = 111.2
SCRIPT: Final = (files("gateway.codes") / "scripts" / "nearby.js").read_bytes()
SCRIPT_URL: Final = f"/E/nearby.js?v={hashlib.sha256(SCRIPT).hexdigest()[:12]}"
POLICY: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; "
        "connect-src 'none'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "Permissions-Policy": "camera=(), geolocation=(self), microphone=()",
}


@router.get("/E/nearby")
async def compare_place(request: Request, runtime: UsingRuntime, code: str = "") -> Response:
    """Show the page that compares the phone's position with the registered district."""
    code_id = parse_code_id(code)
    async with runtime.engine.connect() as connection:
        found = await store.find_code(connection, code_id) if code_id else None
        registered = await store.find_registration(connection, found.uscc) if found else None
    box = division_box(registered.division) if registered else None
    wait = await unknown_wait(request, runtime) if found is None else None
    if wait is not None:
        return invalid_code_page(request, "too_many", retry_after=wait)
    is_valid = found is not None and found.state_at(runtime.now()) is CodeState.VALID
    if found is None or registered is None or box is None or not is_valid:
        return see_other(f"/E/{code_id or ''}{display_query(request)}")
    page = render_page(
        request,
        "codes/reports/nearby.html",
        carried={"code": found.code_id},
        code_id=found.code_id,
        display=display_query(request),
        district=division_label(registered.division),
        box=box,
        margin_km=round(MARGIN * KM_PER_DEGREE, 1),
        script=SCRIPT_URL,
    )
    page.headers.update(POLICY)
    return page


@router.get("/E/nearby.js")
async def serve_script() -> Response:
    """Serve the script; its address changes with it."""
    headers = security_headers(form_action=()) | {
        "Cache-Control": "public, max-age=31536000, immutable"
    }
    return Response(SCRIPT, media_type="text/javascript; charset=utf-8", headers=headers)
