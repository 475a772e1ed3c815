"""What a guess tells: the page of a code held is public, whether another enterprise has one is not.

What must be alike is compared byte by byte, with the statements that were run; a page and a warning
differ, and may.
"""

import secrets
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final, NamedTuple

import pytest
import pytest_asyncio
from sqlalchemy import text

from gateway.codes.ids import code_id_from
from gateway.codes.national_codes import replace_all
from gateway.codes.store import Code
from tests.creditfile_builders import make_record
from tests.portal_fixture import PortalFixture, open_portal
from tests.statement_recorder import record_statements

PREFIX: Final = "https://qyma.example.gov.cn/c/"
OPAQUE: Final = "k3JvQ9xTz7LmN2pRw8Yb"
ACCEPTED: Final = ("text/html", "application/json")
UNVARYING: Final = frozenset({"signature", "signature-input", "content-digest"})
"""Headers whose value is bound to the address; they are there, and of one length."""


UNCODED: Final = {"Accept-Encoding": "identity"}
"""How far a page can be compressed depends on the guess, which the asker knows."""


class Seen(NamedTuple):
    """An answer as its asker sees it, and its cost."""

    status: int
    content: str
    size: int
    headers: list[tuple[str, str | int]]
    statements: list[str]


@pytest_asyncio.fixture
async def portal(migrated_url: str, tmp_path: Path) -> AsyncIterator[PortalFixture]:
    """A gateway that accepts national codes, with one of the firm's."""
    async with open_portal(migrated_url, tmp_path, national_code_prefix=PREFIX) as made:
        async with made.engine.begin() as connection:
            await replace_all(connection, [(OPAQUE, made.firm)])
        yield made


async def look(portal: PortalFixture, path: str, asked: str, accept: str) -> Seen:
    """The answer to a guess `asked`, with the guess itself struck out."""
    with record_statements(portal.app) as database:
        answer = await portal.browser(**{"Accept": accept} | UNCODED).get(path.format(asked))
        statements = [statement.sql for statement, _ in database.asked]
    headers: list[tuple[str, str | int]] = [
        (name, len(value) if name in UNVARYING else value.replace(asked, "…"))
        for name, value in sorted(answer.headers.items())
    ]
    content = answer.text.replace(asked, "…")
    return Seen(answer.status_code, content, len(answer.content), headers, statements)


def near(code: Code, place: int) -> str:
    """An id that differs from a code's in one character."""
    other = "A" if code.code_id[place] != "A" else "B"
    return code.code_id[:place] + other + code.code_id[place + 1 :]


@pytest.mark.parametrize("accept", ACCEPTED)
async def test_a_near_miss_is_as_unknown_as_any_guess(portal: PortalFixture, accept: str) -> None:
    """Of an enterprise with many records and one with none: one answer, of one size, by one statement."""
    await portal.add_records(make_record(uscc=portal.firm))
    codes = [await portal.add_code(portal.firm), await portal.add_code(portal.elsewhere)]
    await portal.browser().get(f"/E/{codes[0].code_id}")  # kept in memory
    guesses = [near(code, place) for code in codes for place in (0, 12, 24)]
    guesses += [code_id_from(secrets.token_bytes(16)) for _ in range(3)]
    seen = [await look(portal, "/E/{}", guess, accept) for guess in guesses]
    assert seen == seen[:1] * len(seen)
    assert seen[0].status == 404
    assert len(seen[0].statements) == 1


@pytest.mark.parametrize("accept", ACCEPTED)
@pytest.mark.parametrize(
    "state",
    [
        "revoked_at = now()",
        "replaced_by = 'another', revoked_at = now()",
        "expires_at = '2020-01-01T00:00:00Z'",
    ],
)
async def test_a_code_that_is_no_longer_valid_says_nothing_of_its_enterprise(
    portal: PortalFixture, state: str, accept: str
) -> None:
    """In business or deregistered, with records or without: the sticker shows its state alone."""
    await portal.add_records(make_record(uscc=portal.firm))
    codes = [await portal.add_code(each) for each in (portal.firm, portal.shop, portal.elsewhere)]
    async with portal.engine.begin() as connection:
        await connection.execute(
            text("UPDATE enterprise SET status = 'deregistered' WHERE uscc = :uscc"),
            {"uscc": portal.elsewhere},
        )
        await connection.execute(
            text(f"UPDATE enterprise_code SET {state} WHERE code_id = ANY(:ids)"),  # noqa: S608  # constants
            {"ids": [each.code_id for each in codes]},
        )
    seen = [await look(portal, "/E/{}", each.code_id, accept) for each in codes]
    assert seen == seen[:1] * len(seen)
    assert seen[0].status == 410
    for uscc in (portal.firm, portal.shop, portal.elsewhere):
        assert uscc not in seen[0].content


@pytest.mark.parametrize("accept", ACCEPTED)
async def test_the_typed_look_up_reads_nothing(portal: PortalFixture, accept: str) -> None:
    """A number that exists and one that does not lead to their pages by the same redirect."""
    code = await portal.add_code(portal.firm)
    guesses = [code.code_id, near(code, 3), code_id_from(secrets.token_bytes(16))]
    seen = [await look(portal, "/E/?code={}", guess, accept) for guess in guesses]
    assert seen == seen[:1] * len(seen)
    assert (seen[0].status, seen[0].statements) == (303, [])


@pytest.mark.parametrize("path", ["/E/{}", "/E/?code={}"])
@pytest.mark.parametrize("accept", ACCEPTED)
async def test_a_credit_code_opens_no_page(portal: PortalFixture, path: str, accept: str) -> None:
    """With codes, without one, or of nobody: the USCC is no way in, and nothing is read for it."""
    await portal.add_code(portal.firm)
    asked = (portal.firm, portal.elsewhere, portal.unknown)
    seen = [await look(portal, path, uscc, accept) for uscc in asked]
    assert seen == seen[:1] * len(seen)
    assert (seen[0].status, seen[0].statements) == (404, [])


@pytest.mark.parametrize("accept", ACCEPTED)
async def test_a_near_miss_of_a_national_identifier_is_as_unknown_as_any_guess(
    portal: PortalFixture, accept: str
) -> None:
    """By the same two statements as a known one."""
    guesses = [OPAQUE[:-1] + "c", "Z" + OPAQUE[1:], "Q" * len(OPAQUE)]
    seen = [await look(portal, f"/E/?code={PREFIX}{{}}", guess, accept) for guess in guesses]
    assert seen == seen[:1] * len(seen)
    assert seen[0].status == 404
    known = await look(portal, f"/E/?code={PREFIX}{{}}", OPAQUE, accept)
    assert known.status == 200
    assert known.statements == seen[0].statements


async def test_ids_tell_nothing_of_their_enterprise_or_of_each_other(portal: PortalFixture) -> None:
    """128 random bits each: of one enterprise's many codes no two share more than chance gives."""
    ids = [(await portal.add_code(portal.firm)).code_id for _ in range(50)]
    shared = [
        sum(a == b for a, b in zip(one, other, strict=True))
        for place, one in enumerate(ids)
        for other in ids[:place]
    ]
    assert max(shared) < 10  # of 26; by chance once in 10^7 pairs
    assert not any(portal.firm[:8] in each for each in ids)
