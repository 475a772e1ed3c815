"""The demo kit's subjects: two enterprises of each trait, with accounts."""

import asyncio
import secrets
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from gateway.identity.demo_accounts import hash_password
from gateway.synthetic.generator.delivered_rows import SyntheticEnterprise

SUBJECTS_PER_TRAIT: Final = 2
MAX_SUBJECTS: Final = 80
PASSWORD_BYTES: Final = 6


@dataclass(slots=True)
class SubjectChoice:
    """Collects the first few enterprises of each trait from a stream."""

    chosen: list[SyntheticEnterprise] = field(default_factory=list)
    _seen: Counter[str] = field(default_factory=Counter)

    def watch(self, stream: Iterable[SyntheticEnterprise]) -> Iterator[SyntheticEnterprise]:
        """Yield the same stream while collecting."""
        for entity in stream:
            wanted = [trait for trait in entity.traits if self._seen[trait] < SUBJECTS_PER_TRAIT]
            if wanted and len(self.chosen) < MAX_SUBJECTS:
                self._seen.update(entity.traits)
                self.chosen.append(entity)
            yield entity


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """The demo login for one subject."""

    username: str
    password: str = field(repr=False)
    password_hash: str = field(repr=False)


async def accounts(count: int) -> list[Account]:
    """New accounts with random passwords, hashed in threads."""
    return list(
        await asyncio.gather(
            *(asyncio.to_thread(_account, number) for number in range(1, count + 1))
        )
    )


def _account(number: int) -> Account:
    password = secrets.token_hex(PASSWORD_BYTES)
    return Account(
        username=f"enterprise-{number:02}", password=password, password_hash=hash_password(password)
    )


def subject_entry(entity: SyntheticEnterprise, account: Account, code_url: str) -> dict[str, Any]:
    """A subject's entry in the kit."""
    return {
        "uscc": entity.enterprise.uscc,
        "name": entity.enterprise.name,
        "legal_representative": entity.enterprise.legal_representative,
        "login": {"username": account.username, "password": account.password},
        "code_url": code_url,
        "traits": sorted(entity.traits),
    }


def person_entry(entity: SyntheticEnterprise, account: Account) -> dict[str, Any]:
    """The account's entry in the demo identity provider."""
    return {
        "username": account.username,
        "password_hash": account.password_hash,
        "name": entity.enterprise.legal_representative,
        "enterprises": [{"uscc": entity.enterprise.uscc, "role": "legal_representative"}],
    }
