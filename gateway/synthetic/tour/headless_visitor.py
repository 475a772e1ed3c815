"""Scripted portal visitor: signs in, fills forms and follows redirects, as a browser would."""

import re
from html import unescape
from typing import Any, Final, Self
from urllib.parse import urljoin, urlsplit

import httpx2

from gateway.credit_reports.ids import report_id_of
from gateway.synthetic.tour.html_forms import HtmlForm, form_with, forms_in

MAX_REDIRECTS: Final = 12
GONE: Final = 410
_SIGN_IN: Final = re.compile(r'href="(/portal/sign-in\?return=[^"]+)"')


class VisitError(Exception):
    """A page did not allow the expected next step."""


class HeadlessVisitor:
    """One person's browser session."""

    def __init__(self, issuer: str, login: dict[str, str] | None = None) -> None:
        self._issuer = issuer
        self._login = login or {}
        self._http = httpx2.AsyncClient(trust_env=False, follow_redirects=False)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    async def decide(self, url: str, *, datasets: list[str], questions: list[str]) -> str:
        """Grant a consent request; returns the redirect to the client."""
        answer = await self._tick(url, datasets, questions)
        return str(answer.headers["location"])

    async def grant(self, url: str, *, datasets: list[str]) -> None:
        """Grant a consent request that came by link."""
        answer = await self._tick(url, datasets, [])
        if "notice=granted" not in str(answer.url):
            raise VisitError("The consent was not granted.")

    async def withdraw(self, consent_id: str) -> None:
        """Withdraw a consent."""
        address = f"{self._issuer}/portal/consents/{consent_id}/withdraw"
        page = await self._signed_in(await self._go("GET", address))
        form = next(form for form in forms_in(page.text) if form.action.endswith("/withdraw"))
        await self._send(page, form, form.filled())

    async def access_history(self, uscc: str) -> str:
        """The HTML of an enterprise's page of who looked."""
        address = f"{self._issuer}/portal/enterprises/{uscc}/looks"
        return (await self._signed_in(await self._go("GET", address))).text

    async def apply_for_repair(
        self, uscc: str, record_id: str, *, statement: str, paper: tuple[str, bytes]
    ) -> str:
        """Apply for the repair of a record with one paper; returns the application's id."""
        address = f"{self._issuer}/portal/enterprises/{uscc}/records/{record_id}/repair"
        page = await self._signed_in(await self._go("GET", address))
        form = form_with(page.text, "commitment")
        fields = form.filled(statement=statement, commitment=["yes"])
        del fields["papers"]
        answer = await self._send(page, form, fields, files={"papers": paper})
        if "notice=applied" not in str(answer.url):
            raise VisitError("The application was not made.")
        return answer.url.path.rpartition("/")[2]

    async def make_report(self, uscc: str, *, datasets: list[str], recipient: str) -> str:
        """Make the enterprise's own credit report, after its preview; returns its number."""
        address = f"{self._issuer}/portal/enterprises/{uscc}/reports/new"
        page = await self._signed_in(await self._go("GET", address))
        chosen: dict[str, str | list[str]] = {
            "dataset": datasets,
            "recipient": recipient,
            "days": "30",
        }
        form = form_with(page.text, "recipient")
        preview = await self._send(page, form, form.filled(**chosen, step="preview"))
        form = form_with(preview.text, "seen")
        made = await self._send(preview, form, form.filled(**chosen, step="make"))
        if "notice=made" not in str(made.url):
            raise VisitError("The report was not made.")
        return made.text.partition('href="/R/')[2].partition('"')[0]

    async def take_back_report(self, number: str) -> None:
        """Take a report back."""
        address = f"{self._issuer}/portal/reports/{report_id_of(number)}/take-back"
        page = await self._signed_in(await self._go("GET", address))
        form = next(form for form in forms_in(page.text) if form.action.endswith("/take-back"))
        await self._send(page, form, form.filled())

    async def scan(self, url: str) -> str:
        """The HTML of the page behind a QR code; of one that is gone too, which says so."""
        return (await self._go("GET", url, allowed=GONE)).text

    async def download(self, url: str) -> bytes:
        """A file."""
        return (await self._go("GET", url)).content

    async def _tick(self, url: str, datasets: list[str], questions: list[str]) -> httpx2.Response:
        """Sign in, tick the items with their separate consents, and grant; the response that follows."""
        page = await self._signed_in(await self._go("GET", url))
        form = form_with(page.text, "behind")
        separate = [
            item
            for item in form.boxes.get("separate", [])
            if item in questions or item.rpartition(".")[0] in datasets
        ]
        plain = [tag for tag in questions if tag not in separate]
        chosen = form.filled(decision="grant", dataset=datasets, question=plain, separate=separate)
        return await self._send(page, form, chosen)

    async def _signed_in(self, page: httpx2.Response) -> httpx2.Response:
        """Sign in if this is the sign-in page, or leads to it; the page that follows."""
        if onward := _SIGN_IN.search(page.text):
            page = await self._go("GET", urljoin(str(page.url), unescape(onward[1])))
        if "/demo-identity/" not in str(page.url):
            return page
        form = form_with(page.text, "password")
        return await self._send(page, form, form.filled(**self._login))

    async def _send(
        self, page: httpx2.Response, form: HtmlForm, fields: dict[str, Any], **more: Any
    ) -> httpx2.Response:
        address = urljoin(str(page.url), form.action)
        headers = {"Origin": self._issuer}
        return await self._go("POST", address, data=fields, headers=headers, **more)

    async def _go(
        self, method: str, url: str, *, allowed: int | None = None, **request: Any
    ) -> httpx2.Response:
        """Send a request and follow redirects, up to one to a client's callback."""
        for _ in range(MAX_REDIRECTS):
            answer = await self._http.request(method, url, **request)
            if not answer.has_redirect_location:
                if answer.is_error and answer.status_code != allowed:
                    raise VisitError(f"{method} {urlsplit(url).path} gave {answer.status_code}.")
                return answer
            url = urljoin(url, answer.headers["location"])
            if "/callback" in urlsplit(url).path:
                return answer
            method, request = "GET", {}
        raise VisitError("Too many redirects.")
