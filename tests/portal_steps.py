"""Steps of people and attackers in the portal, and what its tables hold."""

from collections.abc import Iterable
from typing import Any

import httpx2
from sqlalchemy import text

from gateway.identity import sessions
from tests.consent_builders import stored_consents
from tests.portal_fixture import PortalFixture, hidden_fields


async def grant_consent(portal: PortalFixture, browser: httpx2.AsyncClient) -> str:
    """Id of a consent granted on the page."""
    address = f"/portal/decide/{await portal.ask()}"
    form = hidden_fields((await browser.get(address)).text, address)
    await browser.post(address, data=form | {"decision": "grant", "dataset": "penalty"})
    async with portal.engine.connect() as connection:
        return (await stored_consents(connection, portal.firm))[0].consent_id


async def forged_token(
    portal: PortalFixture, browser: httpx2.AsyncClient, purpose: str
) -> dict[str, str]:
    """A form token of the attacker's session for another address."""
    cookie = browser.cookies[sessions.cookie_name(portal.runtime.settings)]
    return {"csrf": sessions.csrf_token(portal.runtime.digests, cookie, purpose)}


async def rows_of(portal: PortalFixture, tables: Iterable[str]) -> list[Any]:
    """All rows of these tables."""
    found = []
    async with portal.engine.connect() as connection:
        for table in tables:
            rows = await connection.execute(
                text(f"SELECT to_jsonb(t)::text FROM {table} t ORDER BY 1")  # noqa: S608
            )
            found.append(rows.scalars().all())
    return found
