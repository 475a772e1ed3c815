"""Two operators are two only if neither their credentials nor their names are the same.

A credential is what was authenticated: the operating-system side's `shell:NAME`, which only says who
claims to sit there, or `client:ID`, which a token proves. A name beside a credential is a claim: it
can make two operators one, never one two.
"""

import re
from dataclasses import dataclass
from typing import Final, Self

NAME: Final = re.compile(r"[A-Za-z0-9_.@-]{1,64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator:
    """Who acts."""

    credential: str
    name: str | None = None

    @classmethod
    def at_the_shell(cls, name: str) -> Self:
        """Whoever runs the command and gives this name."""
        return cls(credential=f"shell:{name}", name=name)

    @classmethod
    def with_token(cls, client_id: str, name: str | None) -> Self:
        """Whoever holds a token of this client, and the name that it gives for the person."""
        return cls(credential=f"client:{client_id}", name=name)

    def may_be(self, credential: str, name: str | None) -> bool:
        """Whether this may be the same person as the one who acted before."""
        same_name = self.name and name and self.name.casefold() == name.casefold()
        return self.credential == credential or bool(same_name)
