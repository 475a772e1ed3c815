"""The demo's identity provider (演示身份提供方), for made-up people; refuses to start elsewhere.

It is separate from the portal: its own pages under `/demo-identity`, its own key; they share only
the return address.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlencode

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from gateway.identity.demo_accounts import DemoPeople
from gateway.identity.demo_tickets import Tickets
from gateway.identity.identity_provider import Attempt
from gateway.identity.return_url import SIGN_IN_RETURN
from gateway.identity.sessions import Identity
from gateway.pages.forms import is_same_origin, read_form, single_value
from gateway.pages.page_route import STALE, PageRoute, message_page
from gateway.pages.rendering import PageRenderer
from gateway.settings import Settings, SettingsError

SIGN_IN: Final = "/demo-identity/sign-in"
LONGEST_VALUE: Final = 200

ATTEMPTS: Final = 5
ATTEMPTS_WITHIN: Final = timedelta(minutes=5)
MOST_NAMES: Final = 10_000


class DemoProvider:
    """The demo's identity provider; `router` serves its pages."""

    def __init__(self, settings: Settings, *, now: Callable[[], datetime]) -> None:
        if not settings.demo or settings.demo_people is None:
            raise SettingsError(
                "The demo identity provider needs XINQIAO_DEMO=true and XINQIAO_DEMO_PEOPLE; elsewhere "
                "people sign in at XINQIAO_IDENTITY_ISSUER."
            )
        if settings.workers > 1:
            raise SettingsError(
                "XINQIAO_WORKERS is 1 in the demo: its identity provider keeps its key in one process."
            )
        self._issuer = settings.issuer
        self._people = DemoPeople.read(settings.demo_people)
        self._tickets = Tickets(
            issuer=f"{settings.issuer}/demo-identity",
            audience=f"{settings.issuer}/portal",
            now=now(),
        )
        self._throttle = Throttle()
        self.now = now
        self._renderer = PageRenderer("gateway.identity")
        self.router = APIRouter(route_class=PageRoute, include_in_schema=False)
        self.router.add_api_route(SIGN_IN, self._show, methods=["GET"])
        self.router.add_api_route(SIGN_IN, self._sign_in, methods=["POST"])

    async def sign_in_url(self, attempt: Attempt, *, now: datetime) -> str:  # noqa: ARG002
        """The address of the sign-in page."""
        return f"{SIGN_IN}?{urlencode({'state': attempt.state, 'nonce': attempt.nonce})}"

    async def identity_of(
        self, back: Mapping[str, str], attempt: Attempt, *, now: datetime
    ) -> Identity:
        """The identity in the ticket; raises `IdentityRefusedError`."""
        return self._tickets.take(back.get("ticket", ""), nonce=attempt.nonce, now=now)

    async def _show(self, request: Request, state: str, nonce: str) -> Response:
        return self._page(request, state=state, nonce=nonce)

    async def _sign_in(self, request: Request) -> Response:
        fields = await read_form(request)
        if fields is None or not is_same_origin(request, self._issuer):
            return message_page(request, STALE)
        state, nonce, username, password = (
            single_value(fields, name) for name in ("state", "nonce", "username", "password")
        )
        username, now = username.strip(), self.now()
        if not self._throttle.admits(username, now=now):
            return self._page(request, state=state, nonce=nonce, trouble="throttled", status=429)
        person = await self._people.authenticate(username[:LONGEST_VALUE], password[:LONGEST_VALUE])
        if person is None:
            return self._page(
                request, state=state, nonce=nonce, username=username, trouble="wrong", status=422
            )
        self._throttle.forget(username)
        ticket = self._tickets.issue(person, nonce=nonce, now=now)
        back = urlencode({"ticket": ticket, "state": state})
        return RedirectResponse(f"{SIGN_IN_RETURN}?{back}", status_code=303)

    def _page(
        self,
        request: Request,
        *,
        state: str,
        nonce: str,
        username: str = "",
        trouble: str = "",
        status: int = 200,
    ) -> Response:
        return self._renderer.page(
            request,
            "identity/sign_in.html",
            status=status,
            address={"state": state, "nonce": nonce},
            state=state,
            nonce=nonce,
            username=username,
            trouble=trouble,
        )


class Throttle:
    """Throttle of password guesses: five for a name in five minutes, counted in this process."""

    def __init__(self) -> None:
        self._attempts: dict[str, list[datetime]] = {}

    def admits(self, username: str, *, now: datetime) -> bool:
        """Count one more attempt for this name; false where it is too many."""
        earlier = self._attempts.pop(username, [])
        recent = [moment for moment in earlier if now - moment < ATTEMPTS_WITHIN]
        admitted = len(recent) < ATTEMPTS
        if len(self._attempts) >= MOST_NAMES:
            self._attempts.pop(next(iter(self._attempts)))
        self._attempts[username] = [*recent, now] if admitted else recent
        return admitted

    def forget(self, username: str) -> None:
        """Forget the attempts for a name that has signed in."""
        self._attempts.pop(username, None)
