"""`keys`: create, list and rotate the key files; private keys are written with mode 0600 and never shown."""

import json
import os
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Final

import typer

from gateway.access.serializers.timestamps import format_time
from gateway.cli.exit import fail
from gateway.cli.printing import print_table
from gateway.identity.provider_client_auth import new_client_key
from gateway.privacy.field_encryption import Vault
from gateway.signing.decryption_keys import GRACE, DecryptionKey, read_decryption_keys
from gateway.signing.jwk import without_private
from gateway.signing.keys import (
    ID_NUMBER_USE,
    KEY_USES,
    FileUse,
    KeysUnreadableError,
    KeyUse,
    SigningKey,
    new_key_file,
    read_keys,
)
from gateway.signing.rotation import RotationError, rewrite_key_file, rotate_keys

FILE_USES: Final[tuple[FileUse, ...]] = (*KEY_USES, ID_NUMBER_USE)
# Without the log's key, which monitors of the log have pinned: it is rotated only on request.
DEFAULT_USES: Final[tuple[KeyUse, ...]] = ("token", "response")
DEFAULT_HOURS: Final = 24.0
MIN_HOURS: Final = 1.0
MAX_HOURS: Final = 24.0 * 90

SigningKeys = Annotated[
    Path, typer.Option("--file", envvar="XINQIAO_SIGNING_KEYS", help="The file of signing keys.")
]

app = typer.Typer(no_args_is_help=True, help="Signing keys and the keys of personal data.")


@app.command()
def init(folder: Annotated[Path, typer.Argument(help="Where to write the two files.")]) -> None:
    """Make signing-keys.json and vault-keys.json; existing files are left as they are."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        fail(f"{folder} cannot be made ({error.strerror}).")
    made: dict[str, Callable[[], str]] = {
        "signing-keys.json": new_key_file,
        "vault-keys.json": Vault.generate_keys,
    }
    for name, make in made.items():
        path, variable = folder / name, name.removesuffix(".json").replace("-", "_").upper()
        if _create_file(path, make):
            print(f"{path} written (0600). XINQIAO_{variable}={path}")
        else:
            print(f"{path} is there already; left as it is.")


@app.command()
def identity(file: Annotated[Path, typer.Argument(help="Where to write the private key.")]) -> None:
    """Make the key by which the gateway is known at the identity provider; show its public half."""
    jwk = new_client_key()
    if not _create_file(file, lambda: json.dumps(jwk, indent=1)):
        fail(f"{file} is there already; left as it is.")
    print(json.dumps({"keys": [without_private(jwk)]}, indent=1))


@app.command("list")
def list_keys(file: SigningKeys) -> None:
    """Show every key of the file with its dates: coming, current and retired ones."""
    now = datetime.now(UTC)
    keys = sorted(_read(file), key=lambda key: (FILE_USES.index(key.use), key.not_before))
    print_table(
        ("use", "state", "signs from", "retired at", "kid"),
        (
            (
                key.use,
                _state(key, now),
                format_time(key.not_before),
                key.retired_at and format_time(key.retired_at),
                key.kid,
            )
            for key in keys
        ),
    )


@app.command()
def rotate(
    file: SigningKeys,
    use: Annotated[
        list[str] | None,
        typer.Option(
            help="token, response, log or id_number; may be repeated. Default: token and response."
        ),
    ] = None,
    hours: Annotated[
        float,
        typer.Option(
            "--in", help="Hours until the new key signs; it is published at once. At least 1."
        ),
    ] = DEFAULT_HOURS,
    at_once: Annotated[
        bool, typer.Option("--at-once", help="The new key signs now: only if the old one leaked.")
    ] = False,
) -> None:
    """Publish the next key now, use it later, keep the old one for verification."""
    uses = _uses(use or DEFAULT_USES)
    if not at_once and not MIN_HOURS <= hours <= MAX_HOURS:
        fail("--in is from 1 to 2160 hours: others need that time to fetch the new key.")
    _read(file)
    now = datetime.now(UTC)
    begins = now if at_once else now + timedelta(hours=hours)
    try:
        rewrite_key_file(
            file,
            lambda found: rotate_keys(found, uses, begins=begins, now=now),
            check=lambda path: (read_keys(path), read_decryption_keys(path)),
        )
    except (RotationError, KeysUnreadableError) as error:
        fail(str(error))
    except OSError as error:
        fail(f"{file} was left as it is: it cannot be replaced ({error.strerror}).")
    for key in _read(file):
        if key.use in uses and key.not_before >= begins.replace(microsecond=0):
            print(_begins(key))
    if "log" in uses:
        print("Tell those who watch the log: they have pinned its key and must add the new one.")


def _create_file(path: Path, make: Callable[[], str]) -> bool:
    """Write a new file, mode 0600, whole or not at all; `False` if it exists."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return False
    except OSError as error:
        fail(f"{path} cannot be written ({error.strerror}).")
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(make())
            file.flush()
            os.fsync(descriptor)
    except OSError as error:
        path.unlink(missing_ok=True)
        fail(f"{path} could not be written ({error.strerror}); nothing is left of it.")
    return True


def _begins(key: SigningKey | DecryptionKey) -> str:
    """A sentence on when a new key is used."""
    moment = format_time(key.not_before)
    if isinstance(key, DecryptionKey):
        return f"{key.kid} is published from {moment} on; the one before opens for {GRACE.days} days more."
    return f"{key.kid} is published now and signs from {moment} on."


def _read(file: Path) -> tuple[SigningKey | DecryptionKey, ...]:
    try:
        return *read_keys(file), *read_decryption_keys(file)
    except KeysUnreadableError as error:
        fail(str(error))


def _uses(wanted: Iterable[str]) -> list[FileUse]:
    known = [use for use in FILE_USES if use in set(wanted)]
    if set(wanted) - set(known):
        fail("--use is token, response, log or id_number.")
    return known


def _state(key: SigningKey | DecryptionKey, now: datetime) -> str:
    if now < key.not_before:
        return "coming"
    return "current" if key.active(now) else "retired"
