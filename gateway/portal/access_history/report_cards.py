"""The enterprise's own reports as they stand among the clients of its access history."""

from collections.abc import Collection, Mapping

from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.credit_reports import store
from gateway.credit_reports.labels import ANYONE
from gateway.credit_reports.service import recipient_of
from gateway.pages.i18n import Translated
from gateway.portal.page_queries import ClientCard
from gateway.privacy.field_encryption import Vault


async def report_cards(
    connection: AsyncConnection, vault: Vault, uscc: str, ids: Collection[str]
) -> Mapping[str, ClientCard]:
    """Those of these ids that are reports, each named by whom it was made for."""
    found = await store.recipients(connection, uscc, ids)
    return {
        report_id: ClientCard(
            client_id=report_id,
            kind="report",
            name=_name(recipient_of(vault, uscc, report_id, sealed)),
        )
        for report_id, sealed in found.items()
    }


def _name(recipient: str | None) -> Translated:
    zh, en = (recipient, recipient) if recipient else ANYONE
    return Translated(f"专项信用报告（出具给：{zh}）", f"Credit report for {en}")
