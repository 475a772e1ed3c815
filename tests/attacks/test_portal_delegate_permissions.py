"""Permissions of delegates: each page and form with every permission but the required one."""

import re
import secrets
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import httpx2
import pytest
from fastapi import APIRouter
from sqlalchemy import text

import gateway.codes.portal.portal_pages
import gateway.credit_reports.portal_pages
import gateway.portal
import gateway.portal.routes
from gateway.credit_reports.ids import report_id_of
from gateway.creditfile.objections import service
from gateway.creditfile.objections.model import Actor, Objection, Role
from gateway.identity import sessions
from gateway.identity.permissions import DELEGABLE, Permission
from tests.api.test_portal_delegates import make_delegate
from tests.api.test_portal_link_requests import request_by_link
from tests.credit_report_builders import make_own_report
from tests.creditfile_builders import make_record
from tests.portal_fixture import PortalFixture
from tests.portal_steps import rows_of
from tests.repair_builders import apply_for_repair

README: Final = Path(gateway.portal.__file__).with_name("README.md").read_text()
TABLE: Final = {
    (method, path): Permission(power)
    for method, path, power in re.findall(
        r"^\| `(GET|POST) (\S+)` \| (\w+) \|$", README, re.MULTILINE
    )
}
FOR_EVERYBODY: Final = {
    ("GET", "/"),
    ("GET", "/portal"),
    ("GET", "/portal/static/{name}"),
    ("GET", "/portal/sign-in"),
    ("GET", "/portal/sign-in/return"),
    ("POST", "/portal/sign-out"),
    ("GET", "/portal/signed-out"),
    ("GET", "/portal/invitations/{invitation}"),
    ("GET", "/portal/receipts/{consent_id}/{version}/{proof}"),
    ("POST", "/portal/invitations/{invitation}"),
}
WRITTEN: Final = (
    "consent",
    "consent_event",
    "objection_event",
    "repair_application",
    "delegation",
    "enterprise_code",
    "credit_report",
    "consent_kept",
    "notice_place",
)
FORMS: Final = {  # what the hidden token of each form is for
    "/portal/decide/{interaction_id}": "decide {interaction_id}",
    "/portal/asked/{consent_id}": "asked {consent_id}",
    "/portal/consents/{consent_id}/{verb}": "{verb} {consent_id}",
    "/portal/consents/{consent_id}/narrow": "narrow {consent_id}",
    "/portal/consents/{consent_id}/end-cool-down": "end-cool-down {consent_id}",
    "/portal/consents/{consent_id}/keep": "keep {consent_id}",
    "/portal/enterprises/{uscc}/records/{record_id}/object": "object {uscc} {record_id}",
    "/portal/objections/{objection_id}/{verb}": "{verb} {objection_id}",
    "/portal/enterprises/{uscc}/records/{record_id}/repair": "repair {uscc} {record_id}",
    "/portal/repairs/{application_id}/withdraw": "withdraw {application_id}",
    "/portal/codes/{code_id}/revoke": "revoke {code_id}",
    "/portal/codes/{code_id}/reissue": "reissue {code_id}",
    "/portal/enterprises/{uscc}/codes/new": "issue {uscc}",
    "/portal/enterprises/{uscc}/reports/new": "report {uscc}",
    "/portal/reports/{report_id}/take-back": "take back {report_id}",
    "/portal/enterprises/{uscc}/delegates/new/{delegation_id}": "appoint {uscc} {delegation_id}",
    "/portal/enterprises/{uscc}/notices": "add place {uscc}",
    "/portal/enterprises/{uscc}/notices/{place_id}/{secret}": "confirm {uscc} {place_id}",
    "/portal/enterprises/{uscc}/notices/{place_id}/remove": "remove {uscc} {place_id}",
    "/portal/enterprises/{uscc}/delegates/{delegation_id}/end": "end {uscc} {delegation_id}",
}


def routes(router: APIRouter) -> Iterator[tuple[str, str]]:
    """Method and path of a router's routes."""
    for each in router.routes:
        if hasattr(each, "methods"):
            yield from ((method, each.path) for method in each.methods - {"HEAD"})  # type: ignore[attr-defined]
        elif hasattr(each, "original_router"):
            yield from routes(each.original_router)


async def things(portal: PortalFixture) -> dict[str, str]:
    """An object of the firm for each kind of page."""
    await portal.add_records(make_record(uscc=portal.firm, record_id="rec_p"))
    await portal.add_records(make_record("public_rating", uscc=portal.firm, record_id="rec_r"))
    async with portal.engine.begin() as connection:
        raised = await service.raise_objection(
            connection,
            portal.runtime.catalogue,
            uscc=portal.firm,
            record_id="rec_r",
            text="评价指标有误，请核实。",
            wanted="",
            actor=Actor(role=Role.ENTERPRISE, name="demo:zhang", party=portal.firm),
            now=portal.clock(),
        )
    assert isinstance(raised, Objection)
    await portal.add_records(
        make_record(uscc=portal.firm, record_id="rec_s", document_number="浙市监罚〔2026〕0002号")
    )
    applied = await apply_for_repair(portal, portal.firm, "rec_s")
    return {
        "uscc": portal.firm,
        "application_id": applied.application_id,
        "interaction_id": await portal.ask(),
        "consent_id": await request_by_link(portal, portal.firm),
        "record_id": "rec_p",
        "objection_id": raised.objection_id,
        "code_id": (await portal.add_code(portal.firm)).code_id,
        "report_id": report_id_of(await make_own_report(portal, await portal.signed_in())),
        "place_id": "plc_1",
        "secret": "s",
        "piece": "a6",
        "delegation_id": f"dlg_{secrets.token_hex(8)}",
    }


async def try_route(
    portal: PortalFixture,
    browser: httpx2.AsyncClient,
    method: str,
    path: str,
    values: dict[str, str],
) -> httpx2.Response:
    """GET, or POST with a valid form token."""
    verb = "review" if "objections" in path else "pause"
    named = values | {"verb": verb}
    address = path.format(**named)
    if method == "GET":
        return await browser.get(address)
    cookie = browser.cookies[sessions.cookie_name(portal.runtime.settings)]
    token = sessions.csrf_token(portal.runtime.digests, cookie, FORMS[path].format(**named))
    form: dict[str, Any] = {
        "csrf": token,
        "text": "请复核这一条。",
        "statement": "罚款已缴清，已整改。",
        "commitment": "yes",
        "decision": "refuse",
        "uscc": values["uscc"],
        "sign_name": "云栖小店",
    }
    return await browser.post(address, data=form)


def test_the_table_names_every_page_and_form() -> None:
    """A new route must be added to the table."""
    every = {
        *routes(gateway.portal.routes.router),
        *routes(gateway.codes.portal.portal_pages.router),
        *routes(gateway.credit_reports.portal_pages.router),
    }
    assert every == TABLE.keys() | FOR_EVERYBODY
    assert {path for method, path in TABLE if method == "POST"} == FORMS.keys()


@pytest.mark.parametrize("lacking", [*DELEGABLE, Permission.MANAGE])
async def test_a_page_without_its_permission_is_a_404(
    portal: PortalFixture, lacking: Permission
) -> None:
    """404, or 403 without details; nothing is written."""
    of = await things(portal)
    wang = await make_delegate(portal, *(each for each in DELEGABLE if each is not lacking))
    before = await rows_of(portal, WRITTEN)
    for (method, path), power in TABLE.items():
        if power is lacking:
            answer = await try_route(portal, wang, method, path, of)
            decides = path.startswith(("/portal/decide", "/portal/asked"))
            assert answer.status_code == (403 if decides else 404), (method, path)
    assert await rows_of(portal, WRITTEN) == before


async def test_with_all_that_can_be_passed_on_the_rest_is_open(portal: PortalFixture) -> None:
    """Control for the test above."""
    of = await things(portal)
    wang = await make_delegate(portal, *DELEGABLE)
    for (method, path), power in TABLE.items():
        if method == "GET" and power in DELEGABLE and "receipt.pdf" not in path:
            answer = await try_route(portal, wang, method, path, of)
            assert answer.status_code in {200, 303}, path


async def test_a_stranger_can_open_no_page_of_another_enterprise(portal: PortalFixture) -> None:
    """IDOR over every id by another enterprise's representative."""
    of = await things(portal)
    wang = await portal.signed_in("wang")
    before = await rows_of(portal, WRITTEN)
    for method, path in TABLE:
        answer = await try_route(portal, wang, method, path, of)
        assert answer.status_code in {403, 404}, (method, path)
    assert await rows_of(portal, WRITTEN) == before


async def test_an_ended_delegation_is_no_way_in_through_an_old_form(portal: PortalFixture) -> None:
    """A form rendered while the delegation was active."""
    of = await things(portal)
    wang = await make_delegate(portal, *DELEGABLE)
    async with portal.engine.begin() as connection:
        await connection.execute(
            text(
                "UPDATE delegation SET ended_at = :now, ended_by = 'demo:zhang' WHERE uscc = :uscc"
            ),
            {"now": portal.clock() + timedelta(seconds=1), "uscc": portal.firm},
        )
    before = await rows_of(portal, WRITTEN)
    for method, path in TABLE:
        answer = await try_route(portal, wang, method, path, of)
        assert answer.status_code in {403, 404}, (method, path)
    assert await rows_of(portal, WRITTEN) == before
