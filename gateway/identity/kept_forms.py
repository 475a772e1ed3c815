"""A form posted after its session had ended, kept for the same person to continue after sign-in.

It is encrypted in the row of the ended session, which only that browser's cookie names. The next sign-in
of the browser carries it into the new session if it is the same person's, and deletes it otherwise. It is
shown once, on the page that it came from, and only where its CSRF token is the old session's for that form.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import orjson
from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col

from gateway.identity import sessions
from gateway.identity.sessions import is_live
from gateway.identity.tables import SessionRow
from gateway.pages.forms import Fields
from gateway.privacy.field_encryption import SealBrokenError, Vault
from gateway.settings import Settings
from gateway.signing.keyed_digests import KeyedDigests

_WITHOUT_PAGE: Final = re.compile(
    r"/consents/[^/]+(/pause|/resume|/end-cool-down)|/delegates/[^/]+(/end)|/delegates/new(/[^/]+)|/notices(/[^/]+/remove)"
)
"""Forms whose own path has no page; what is to be left off is in a group."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptForm:
    """A kept form: the path that it was posted to, the cookie of its session, its fields."""

    path: str
    cookie: str
    fields: Fields


@dataclass(frozen=True, slots=True, kw_only=True)
class EndedSession:
    """A session that has ended; `has_form` where it keeps a form already."""

    digest: bytes
    has_form: bool


def page_of(path: str) -> str:
    """The path of the page that shows the form posted to `path`."""
    found = _WITHOUT_PAGE.search(path)
    if found is None or found.end() != len(path):
        return path
    return path.removesuffix(found[found.lastindex or 0])


async def ended_session(
    connection: AsyncConnection,
    digests: KeyedDigests,
    settings: Settings,
    cookies: Mapping[str, str],
    *,
    now: datetime,
) -> EndedSession | None:
    """The browser's session if it ended by itself a short while ago."""
    digest = digests.of("session", cookies.get(sessions.cookie_name(settings), ""))
    found = await connection.execute(
        select(
            col(SessionRow.digest), col(SessionRow.kept_form).is_not(None).label("has_form")
        ).where(col(SessionRow.digest) == digest, ~is_live(now))
    )
    row = found.mappings().one_or_none()
    return EndedSession(**row) if row else None


async def keep(connection: AsyncConnection, vault: Vault, digest: bytes, form: KeptForm) -> None:
    """Store the form in the row of its ended session; the latest one counts."""
    page = page_of(form.path)
    plain = orjson.dumps({"path": form.path, "cookie": form.cookie, "fields": form.fields})
    await connection.execute(
        update(SessionRow)
        .where(col(SessionRow.digest) == digest)
        .values(kept_page=page, kept_form=vault.seal(plain, **_cell(page)))
    )


async def carry_over(
    connection: AsyncConnection,
    digests: KeyedDigests,
    settings: Settings,
    cookies: Mapping[str, str],
    *,
    cookie: str,
    subject: str,
) -> None:
    """Delete the browser's former session; its form goes to the session of `cookie` if it is `subject`'s."""
    former = cookies.get(sessions.cookie_name(settings), "")
    found = await connection.execute(
        delete(SessionRow)
        .where(col(SessionRow.digest) == digests.of("session", former))
        .returning(col(SessionRow.subject), col(SessionRow.kept_page), col(SessionRow.kept_form))
    )
    row = found.one_or_none()
    if row is None or row.kept_form is None or row.subject != subject:
        return
    await connection.execute(
        update(SessionRow)
        .where(col(SessionRow.digest) == digests.of("session", cookie))
        .values(kept_page=row.kept_page, kept_form=row.kept_form)
    )


async def take(
    connection: AsyncConnection, vault: Vault, digest: bytes, page: str
) -> KeptForm | None:
    """The form kept for this page, once."""
    held = (
        select(col(SessionRow.digest), col(SessionRow.kept_form))
        .where(col(SessionRow.digest) == digest, col(SessionRow.kept_page) == page)
        .with_for_update()
        .cte("held")
    )
    found = await connection.execute(
        update(SessionRow)
        .where(col(SessionRow.digest) == held.c.digest)
        .values(kept_page=None, kept_form=None)
        .returning(held.c.kept_form)
    )
    sealed = found.scalar_one_or_none()
    if sealed is None:
        return None
    try:
        return KeptForm(**orjson.loads(vault.open(sealed, **_cell(page))))
    except SealBrokenError:  # its key is gone
        return None


def _cell(page: str) -> dict[str, str]:
    return {"table": "session", "column": "kept_form", "row": page}
