"""Accounts of the demo identity provider: made-up people with salted scrypt hashes, in a file."""

import asyncio
import base64
import hashlib
import hmac
import json
import secrets
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self

from gateway.identity.sessions import Mandate
from gateway.settings import SettingsError

# RFC 7914: about 16 MiB and some 40 ms for one guess.
_COST: Final = {"n": 2**14, "r": 8, "p": 1}
_SALT_BYTES: Final = 16
_DIGEST_BYTES: Final = 64
_OTHERS_MAY: Final = stat.S_IRWXG | stat.S_IRWXO


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoPerson:
    """One account of the demo identity provider."""

    username: str
    name: str
    enterprises: Sequence[Mandate]
    password_hash: str = field(repr=False)


class DemoPeople:
    """All accounts, by user name."""

    def __init__(self, people: Mapping[str, DemoPerson]) -> None:
        self._people = people
        self._stand_in = _stored(
            secrets.token_bytes(_SALT_BYTES), secrets.token_bytes(_DIGEST_BYTES)
        )

    @classmethod
    def read(cls, path: Path) -> Self:
        """The accounts in the file at `path`: a JSON array, mode 0600."""
        try:
            if path.stat().st_mode & _OTHERS_MAY:
                raise SettingsError(f"{path} is open to others: chmod 600 it.")
            people = [_person(entry) for entry in json.loads(path.read_text())]
        except (OSError, ValueError, KeyError, TypeError):
            raise SettingsError(
                f"XINQIAO_DEMO_PEOPLE names {path}, which cannot be read as the demo's accounts.",
            ) from None
        return cls({person.username: person for person in people})

    async def authenticate(self, username: str, password: str) -> DemoPerson | None:
        """The account of a user name and password; an unknown name takes the same time."""
        person = self._people.get(username)
        stored = person.password_hash if person else self._stand_in
        fits = await asyncio.to_thread(password_fits, password, stored)
        return person if fits else None


def hash_password(password: str) -> str:
    """The salted hash of a password, for `password_hash` in the accounts file."""
    salt = secrets.token_bytes(_SALT_BYTES)
    return _stored(salt, _scrypt(password, salt))


def password_fits(password: str, stored: str) -> bool:
    """True where `stored` is the hash of `password`, compared in constant time."""
    _, salt, digest = stored.split("$")
    return hmac.compare_digest(_scrypt(password, base64.b64decode(salt)), base64.b64decode(digest))


def _scrypt(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, dklen=_DIGEST_BYTES, **_COST)


def _stored(salt: bytes, digest: bytes) -> str:
    return f"scrypt${_text(salt)}${_text(digest)}"


def _text(value: bytes) -> str:
    return base64.b64encode(value).decode()


def _person(entry: Mapping[str, Any]) -> DemoPerson:
    return DemoPerson(
        username=str(entry["username"]),
        name=str(entry["name"]),
        enterprises=tuple(
            Mandate(uscc=str(each["uscc"]), role=str(each["role"])) for each in entry["enterprises"]
        ),
        password_hash=entry.get("password_hash") or hash_password(str(entry["password"])),
    )
