"""Names of delegates: as the representative gave them, and of the persons who accepted; encrypted."""

from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Literal

from gateway.identity.delegations import StoredDelegation
from gateway.identity.permissions import Delegation, DelegationState, state_of
from gateway.pages.i18n import Translated
from gateway.privacy.field_encryption import SealBrokenError
from gateway.runtime import Runtime

SHOWN_OF_ACCOUNT: Final = 4
"""Characters at the end of an account that are shown, of a longer one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DelegateView:
    """A delegation with the delegate's names and current state."""

    delegation: Delegation
    name: str
    accepted_by: Translated | None
    """The person who accepted: the name, or the masked account where none is stored."""
    state: DelegationState

    @property
    def full_name(self) -> Translated:
        """The name as given, with the person who accepted: 会计小王（彭行雨）."""
        by = self.accepted_by
        if by is None or by == (self.name, self.name):
            return Translated(self.name, self.name)
        return Translated(f"{self.name}（{by.zh}）", f"{self.name} ({by.en})")


def delegate_view(runtime: Runtime, stored: StoredDelegation) -> DelegateView:
    """A delegation with the names decrypted."""
    own = stored.delegation
    cell = _vault_cell(own.uscc, own.delegation_id, "name")
    accepted_by = None
    if own.subject is not None:
        accepted_by = masked_account(own.subject)
    if stored.accepted_name:
        known = _vault_cell(own.uscc, own.delegation_id, "accepted_name")
        with suppress(SealBrokenError):  # its key is gone
            name = runtime.vault.open(stored.accepted_name, **known).decode()
            accepted_by = Translated(name, name) if name else accepted_by
    return DelegateView(
        delegation=own,
        name=runtime.vault.open(stored.name, **cell).decode(),
        accepted_by=accepted_by,
        state=state_of(own, runtime.now()),
    )


def seal_name(runtime: Runtime, uscc: str, delegation_id: str, name: str) -> bytes:
    """The name as the representative gave it, encrypted."""
    return runtime.vault.seal(name.encode(), **_vault_cell(uscc, delegation_id, "name"))


def seal_accepted_name(runtime: Runtime, accepted: Delegation, name: str) -> bytes:
    """The name of the person who accepts, encrypted."""
    cell = _vault_cell(accepted.uscc, accepted.delegation_id, "accepted_name")
    return runtime.vault.seal(name.encode(), **cell)


def masked_account(subject: str) -> Translated:
    """An account by its last characters."""
    shown = SHOWN_OF_ACCOUNT if len(subject) > 2 * SHOWN_OF_ACCOUNT else 1
    return Translated(f"账号 …{subject[-shown:]}", f"account …{subject[-shown:]}")


def _vault_cell(
    uscc: str, delegation_id: str, column: Literal["name", "accepted_name"]
) -> dict[str, str]:
    return {"table": "delegation", "column": column, "row": f"{uscc}/{delegation_id}"}
