"""Retention of own credit reports."""

import json
from dataclasses import replace
from datetime import timedelta

from sqlalchemy import text

from gateway.background.housekeeping import delete_expired, delete_report_files
from gateway.privacy.encryption_keys_file import using_key, with_new_key, without_key
from gateway.privacy.field_encryption import Vault, VaultKeys
from gateway.privacy.reencryption import reencrypt
from tests.credit_report_builders import make_own_report
from tests.portal_fixture import PortalFixture


async def has_file(portal: PortalFixture) -> list[bool]:
    """True if the file is there, of each report of the firm."""
    async with portal.engine.connect() as connection:
        found = await connection.execute(
            text("SELECT file IS NOT NULL FROM credit_report WHERE uscc = :uscc"),
            {"uscc": portal.firm},
        )
        return list(found.scalars())


async def test_the_file_goes_a_month_after_the_term_and_the_row_after_two_years(
    portal: PortalFixture,
) -> None:
    """Until then its page can say that it has expired; afterwards it is unknown."""
    number = await make_own_report(
        portal, await portal.signed_in(), dataset=["registration"], days="7"
    )
    portal.clock.advance(timedelta(days=36))
    await delete_report_files(portal.runtime)
    assert await has_file(portal) == [True]
    portal.clock.advance(timedelta(days=3))
    await delete_report_files(portal.runtime)
    assert await has_file(portal) == [False]
    page = await portal.browser().get(f"/R/{number}")
    assert (page.status_code, "已过有效期" in page.text) == (410, True)
    portal.clock.advance(timedelta(days=730))
    await delete_expired(portal.runtime)
    assert await has_file(portal) == []
    assert (await portal.browser().get(f"/R/{number}")).status_code == 404


async def test_recipient_and_file_are_not_readable_in_the_database(portal: PortalFixture) -> None:
    """R17: a dump holds neither."""
    await make_own_report(portal, await portal.signed_in(), dataset=["registration"])
    async with portal.engine.connect() as connection:
        found = await connection.execute(
            text("SELECT recipient, file FROM credit_report WHERE uscc = :uscc"),
            {"uscc": portal.firm},
        )
        recipient, file = found.one()
    assert "示例银行".encode() not in bytes(recipient)
    assert b"credit_report.v1" not in bytes(file)


async def test_a_report_outlives_the_rotation_of_keys(portal: PortalFixture) -> None:
    """Number, recipient and file are encrypted anew; the old key is needed no more."""
    number = await make_own_report(portal, await portal.signed_in(), dataset=["registration"])
    runtime = portal.runtime
    assert runtime.settings.vault_keys is not None
    first = json.loads(runtime.settings.vault_keys.read_text())
    second = using_key(with_new_key(first), 2)
    async for _ in reencrypt(portal.engine, Vault(VaultKeys.parse(json.dumps(second)))):
        pass
    alone = Vault(VaultKeys.parse(json.dumps(without_key(second, 1))))
    portal.app.state.runtime = replace(runtime, vault=alone)
    page = await portal.browser().get(f"/R/{number}")
    portal.app.state.runtime = runtime
    assert page.status_code == 200
    assert "示例银行" in page.text
