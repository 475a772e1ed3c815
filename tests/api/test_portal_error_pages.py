"""Errors that a person meets in a browser are pages: unknown addresses, methods, large forms, faults."""

from dataclasses import replace
from datetime import datetime
from typing import Final

import httpx2
import pytest

from tests.portal_fixture import PortalFixture, hidden_fields
from tests.portal_gallery import page_routes

BROWSER: Final = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
SHAPES: Final = {"uscc": "91330106MA02662360", "verb": "withdraw", "name": "portal.css"}
"""Path parameters that have to have a shape."""


def assert_page(answer: httpx2.Response, status: int, *words: str) -> None:
    """Assert a page of this status with the words, a way on and the request's id, in both languages."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == "no-store"
    for each in (*words, answer.headers["x-request-id"], 'href="/portal"'):
        assert each in answer.text, each
    for word in ("Traceback", "Error", "asyncpg", ".py"):
        assert word not in answer.text, word


@pytest.mark.parametrize(
    ("method", "path", "status", "zh", "en"),
    [
        ("GET", "/portal/nothing-here", 404, "没有找到这个页面", "Page not found"),
        ("GET", "/portal/consents/cst_x/y/z", 404, "没有找到这个页面", "Page not found"),
        ("GET", "/portal/static/nothing.css", 404, "没有找到这个页面", "Page not found"),
        ("GET", "/portal/decide", 404, "没有找到这个页面", "Page not found"),
        ("GET", "/demo-identity/nothing", 404, "没有找到这个页面", "Page not found"),
        ("GET", "/nothing-here", 404, "没有找到这个页面", "Page not found"),
        ("GET", "/portal/sign-out", 405, "这个页面不能这样打开", "cannot be opened like this"),
        ("DELETE", "/portal", 405, "这个页面不能这样打开", "cannot be opened like this"),
        ("POST", "/E/ABCDEFGHIJKLMNOP", 405, "这个页面不能这样打开", "cannot be opened like this"),
        ("POST", "/oauth/authorize", 405, "这个页面不能这样打开", "cannot be opened like this"),
        ("GET", "/portal/%zz", 400, "网址不正确", "address is not correct"),
        ("GET", "/portal?before=%00", 400, "网址不正确", "address is not correct"),
    ],
)
async def test_a_made_up_address_is_a_page(
    portal: PortalFixture, method: str, path: str, status: int, zh: str, en: str
) -> None:
    """In the reader's language; a 405 names the methods that there are."""
    answer = await portal.browser(**BROWSER).request(method, path)
    assert_page(answer, status, zh)
    assert ("allow" in answer.headers) == (status == 405)
    english = portal.browser(**BROWSER, Cookie="xinqiao-lang=en")
    assert_page(await english.request(method, path), status, en)


@pytest.mark.parametrize("path", ["/v1/x", "/oauth/x", "/log/x", "/.well-known/x", "/oauth/token"])
async def test_the_api_answers_problems_to_browsers_too(portal: PortalFixture, path: str) -> None:
    """Its callers read JSON, whatever their `Accept` names."""
    answer = await portal.browser(**BROWSER).get(path)
    assert answer.status_code in {404, 405}
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["request_id"] == answer.headers["x-request-id"]


async def test_a_program_gets_a_problem_at_a_page_address(portal: PortalFixture) -> None:
    """`Accept: application/json` without `text/html`."""
    program = portal.browser(Accept="application/json")
    answer = await program.get("/portal/nothing-here")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


async def test_a_form_that_is_too_large_is_not_called_out_of_date(portal: PortalFixture) -> None:
    """413 with what to do; nothing is written."""
    browser = await portal.signed_in()
    at = f"/portal/enterprises/{portal.firm}/notices"
    form = hidden_fields((await browser.get(at)).text, at)
    answer = await browser.post(at, data=form | {"address": "a" * 40_000, "channel": "email"})
    assert_page(answer, 413, "没有提交成功", "减少文字")
    assert "a***" not in (await browser.get(at)).text


async def test_a_fault_is_a_page_at_every_page_address(portal: PortalFixture) -> None:
    """500 with what to do and the request's id, without a trace; programs get a problem."""

    def broken_clock() -> datetime:
        raise RuntimeError("a secret of the database")

    browser = await portal.signed_in()
    portal.app.state.runtime = replace(portal.runtime, now=broken_clock)
    failed = 0
    for path in sorted(page_routes(portal.app)):
        address = path
        for name in ("uscc", "verb", "name"):
            address = address.replace(f"{{{name}}}", SHAPES[name])
        address = address.replace("{code_id}", "ABCDEFGHIJKLMNOP").replace("{", "").replace("}", "")
        answer = await browser.get(address, headers=BROWSER)
        if answer.status_code < 500:
            continue
        failed += 1
        assert_page(answer, 500, "系统出错了", "请重新打开页面查看")
        assert "secret" not in answer.text
    assert failed > 30, "faults were not met"
    told = await browser.get("/portal", headers={"Accept": "application/json"})
    assert (told.status_code, told.json()["code"]) == (500, "internal_error")
    assert "secret" not in told.text
