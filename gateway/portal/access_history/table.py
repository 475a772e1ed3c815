"""Who looked as a table: one row for each line, in the reader's language. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from gateway.creditfile.catalogue import Catalogue
from gateway.creditfile.local_dates import SHANGHAI
from gateway.pages.i18n import Language, Translated
from gateway.portal import labels
from gateway.portal.access_history.entries import AccessEntry
from gateway.portal.store import ClientCard

HEAD: Final = (
    Translated("时间（北京时间）", "Time (UTC+8)"),
    Translated("机构", "Organisation"),
    Translated("机构编号", "Client number"),
    Translated("方式", "Kind"),
    Translated("结果", "Outcome"),
    Translated("次数", "Times"),
    Translated("用途", "Purpose"),
    Translated("内容", "What"),
    Translated("原因", "Why"),
    Translated("授权编号", "Consent"),
    Translated("记录编号", "Disclosure"),
)
WITHIN_THE_HOUR: Final = Translated("起一小时内合计", "and the hour from then, in sum")


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """How lines are written for one reader."""

    language: Language
    clients: Mapping[str, ClientCard]
    catalogue: Catalogue

    def head(self) -> list[str]:
        """What the columns are."""
        return [each.to(self.language) for each in HEAD]

    def row(self, look: AccessEntry) -> list[str]:
        """One line."""
        client = self.clients.get(look.client_id)
        at = look.at.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M:%S")
        items = [self._said(labels.item_name(each, self.catalogue)) for each in look.asked]
        return [
            at if look.times is None else f"{at} {self._said(WITHIN_THE_HOUR)}",
            self._said(client.name) if client else look.client_id,
            look.client_id,
            self._said(labels.DISCLOSURE_KINDS[look.kind]),
            self._said(labels.OUTCOMES[look.outcome]),
            str(look.times or 1),
            self._said(labels.purpose_name(look.purpose)) if look.purpose else "",
            "; ".join(items),
            self._said(labels.reason_name(look.reason)) if look.outcome == "refused" else "",
            look.consent_id or "",
            look.ref if look.times is None else "",
        ]

    def _said(self, said: Translated) -> str:
        return said.to(self.language)
