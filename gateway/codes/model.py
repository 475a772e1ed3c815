"""Enterprise code (企业码): one printed sticker, its state, and its agreement with the registration. Pure."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, Literal

from verification.normalise import strict_name


class CodeState(StrEnum):
    """State of a code; only a valid one leads to a credit summary."""

    VALID = "valid"
    EXPIRED = "expired"
    REVOKED = "revoked"
    REPLACED = "replaced"


_KIND_IN_NAME: Final = "(个体工商户)"
PrintedFact = Literal["name", "division"]


def is_operators_name(name: str, operator: str | None) -> bool:
    """True where an individual business has no name of its own (字号) and is registered as its operator."""
    return operator is not None and strict_name(name).removesuffix(_KIND_IN_NAME) == strict_name(
        operator
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """The facts of an enterprise's registration that a sticker shows or depends on."""

    name: str
    division: str
    status: str
    operator: str | None = None
    """The operator's name, of an individual business."""

    @property
    def printed_name(self) -> str | None:
        """The name for a sticker; `None` where it is the operator's own, which is on the licence alone."""
        return None if is_operators_name(self.name, self.operator) else self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """An enterprise code, printed on one sticker."""

    uscc: str
    code_id: str
    sign_name: str
    label: str = ""
    """The place of the sticker: which door, which counter."""
    check_phrase: str
    printed_name: str | None = None
    """The registered name at issue, as printed; `None` if unknown."""
    printed_division: str | None = None
    issued_at: datetime
    issued_by: str | None = None
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    revoked_by: str | None = None
    replaced_by: str | None = None
    """Id of the code that was issued in its place."""
    batch_id: str | None = None

    def state_at(self, moment: datetime) -> CodeState:
        """The state at `moment`."""
        if self.replaced_by is not None:
            return CodeState.REPLACED
        if self.revoked_at is not None:
            return CodeState.REVOKED
        if self.expires_at is not None and self.expires_at <= moment:
            return CodeState.EXPIRED
        return CodeState.VALID

    def outdated_facts(self, registration: Registration) -> tuple[PrintedFact, ...]:
        """The printed facts that no longer agree with the registration."""
        printed: tuple[tuple[PrintedFact, str | None, str], ...] = (
            ("name", self.printed_name, registration.name),
            ("division", self.printed_division, registration.division),
        )
        return tuple(fact for fact, shown, now in printed if shown not in {None, now})
