"""A code as the portal shows it: its state, and the printed facts that differ from the registration."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from gateway.codes.model import Code, CodeState, PrintedFact, Registration
from gateway.pages.i18n import Translated, WarningText

STATES: Final[Mapping[CodeState, Translated]] = {
    CodeState.VALID: Translated("有效", "Valid"),
    CodeState.EXPIRED: Translated("已过有效期", "Expired"),
    CodeState.REPLACED: Translated("已换发", "Replaced"),
    CodeState.REVOKED: Translated("已作废", "Revoked"),
}
FACTS: Final[Mapping[PrintedFact, Translated]] = {
    "name": Translated("登记名称", "registered name"),
    "division": Translated("行政区划", "district"),
}
NOTICES: Final = {
    "issued": Translated("已签发，可以打印。", "Issued. It can be printed now."),
    "reissued": Translated(
        "已换发。请换上新贴纸，旧贴纸已不能使用。",
        "Reissued. Please put up the new sticker; the old one is no longer valid.",
    ),
    "revoked": Translated(
        "已作废。扫描此码的人会看到红色提示。",
        "Revoked. Anyone who scans it is warned in red.",
    ),
    "too_late": WarningText("这个企业码此前已经作废。", "This code had already been revoked."),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeView:
    """A code with its state at the time of the page."""

    code: Code
    state: CodeState
    outdated: tuple[PrintedFact, ...] = ()

    @property
    def name(self) -> Translated:
        """The state in words."""
        return STATES[self.state]

    @property
    def outdated_names(self) -> Translated:
        """The outdated facts in words."""
        facts = [FACTS[each] for each in self.outdated]
        return Translated(
            "、".join(each.zh for each in facts), " and ".join(each.en for each in facts)
        )

    @property
    def may_be_reissued(self) -> bool:
        """True for a code that is valid or has expired."""
        return self.state in {CodeState.VALID, CodeState.EXPIRED}


def view_of(code: Code, registration: Registration, now: datetime) -> CodeView:
    """The view of a code; only one in use can be out of date."""
    state = code.state_at(now)
    outdated = code.outdated_facts(registration) if state is CodeState.VALID else ()
    return CodeView(code=code, state=state, outdated=outdated)
