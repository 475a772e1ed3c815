"""Access history entries as table rows in the reader's language. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from gateway.creditfile.catalogue import Catalogue
from gateway.creditfile.local_dates import SHANGHAI
from gateway.pages.i18n import Language, Translated
from gateway.portal import labels
from gateway.portal.access_history.entries import AccessEntry
from gateway.portal.access_history.told_items import told_items
from gateway.portal.access_history.told_outcomes import ShownOutcome
from gateway.portal.page_queries import ClientCard

COLUMN_HEADINGS: Final = (
    Translated("时间（北京时间）", "Time (UTC+8)"),
    Translated("机构", "Organisation"),
    Translated("机构编号", "Client number"),
    Translated("方式", "Kind"),
    Translated("结果", "Outcome"),
    Translated("次数", "Times"),
    Translated("用途", "Purpose"),
    Translated("内容", "Content"),
    Translated("逐项结果", "Result of each"),
    Translated("原因", "Reason"),
    Translated("授权编号", "Consent"),
    Translated("记录编号", "Disclosure"),
    Translated("办理结果", "Outcome of the application"),
    Translated("办理结果的原因", "Reasons of the outcome"),
    Translated("告知时间（北京时间）", "Outcome told at (UTC+8)"),
)
WITHIN_THE_HOUR: Final = Translated("起一小时内合计", "and the following hour, in sum")


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryTable:
    """Formats entries in one language."""

    language: Language
    clients: Mapping[str, ClientCard]
    catalogue: Catalogue

    def heading(self) -> list[str]:
        """The column headings."""
        return [each.text(self.language) for each in COLUMN_HEADINGS]

    def row(self, entry: AccessEntry, outcome: ShownOutcome | None = None) -> list[str]:
        """The cells of one entry, and the outcome that was told of it."""
        client = self.clients.get(entry.client_id)
        moment = _written(entry.moment)
        items = told_items(entry, self.catalogue, {})
        return [
            moment if entry.times is None else f"{moment} {self._text(WITHIN_THE_HOUR)}",
            self._text(client.name) if client else entry.client_id,
            entry.client_id,
            self._text(labels.DISCLOSURE_KINDS[entry.kind]),
            self._text(labels.outcome_name(entry.kind, entry.outcome)),
            str(entry.times or 1),
            self._text(labels.purpose_name(entry.purpose)) if entry.purpose else "",
            "; ".join(self._text(each.name) for each in items),
            "; ".join(self._text(each.outcome) for each in items if each.outcome),
            self._text(labels.reason_name(entry.reason)) if entry.outcome == "refused" else "",
            entry.consent_id or "",
            entry.ref if entry.times is None else "",
            *self._outcome(outcome),
        ]

    def _outcome(self, outcome: ShownOutcome | None) -> list[str]:
        if outcome is None:
            return ["", "", ""]
        reasons = "; ".join(self._text(each) for each in outcome.reasons)
        return [self._text(outcome.name), reasons, _written(outcome.moment)]

    def _text(self, label: Translated) -> str:
        return label.text(self.language)


def _written(moment: datetime) -> str:
    return moment.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M:%S")
