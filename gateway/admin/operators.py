"""Operators' identities: two are different only if both their credentials and names differ.

A credential is `client:ID`, proven by a token, or `shell:NAME`, a claim at the operating system's shell.
A name beside a credential is a claim too: it can only make two operators the same.
"""

import re
from dataclasses import dataclass
from typing import Final, Self

NAME: Final = re.compile(r"[A-Za-z0-9_.@-]{1,64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator:
    """An operator: credential and claimed name."""

    credential: str
    name: str | None = None

    @classmethod
    def at_the_shell(cls, name: str) -> Self:
        """The operator at the shell who gives this name."""
        return cls(credential=f"shell:{name}", name=name)

    @classmethod
    def with_token(cls, client_id: str, name: str | None) -> Self:
        """The operator with a token of this client, and the person's name that it gives."""
        return cls(credential=f"client:{client_id}", name=name)

    def may_be(self, credential: str, name: str | None) -> bool:
        """True if this may be the same person as another operator."""
        same_name = self.name and name and self.name.casefold() == name.casefold()
        return self.credential == credential or bool(same_name)
