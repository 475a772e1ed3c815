"""`personal`: status and rotation of the encryption keys of personal fields."""

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from gateway.cli.exit import fail
from gateway.cli.operator_session import long_work, plain_errors, query
from gateway.cli.printing import print_table
from gateway.ingest.job_store import count_running
from gateway.privacy.encryption_keys_file import (
    VaultFileError,
    using_key,
    with_new_key,
    without_key,
)
from gateway.privacy.field_encryption import Vault, VaultKeys, VaultKeysError
from gateway.privacy.reencryption import (
    BATCH_ROWS,
    count_by_key,
    reencrypt,
    total_under_key,
)
from gateway.signing.rotation import rewrite_key_file

VaultFile = Annotated[
    Path, typer.Option("--file", envvar="XINQIAO_VAULT_KEYS", help="The file of vault keys.")
]
KeyId = Annotated[int, typer.Argument(min=1, max=255, help="The key's id in the file.")]

app = typer.Typer(no_args_is_help=True, help="The keys of personal data at rest.")


@app.command()
def status(file: VaultFile) -> None:
    """Count the sealed values by table and key."""
    _show(keys_in(file), query(count_by_key))


@app.command("new-key")
def new_key(file: VaultFile) -> None:
    """Add a key that seals nothing yet; restart every worker before it is used."""
    _change(file, with_new_key)
    print(f"Key {max(keys_in(file).keys)} is in the file. Restart every worker, then: use-key.")


@app.command("use-key")
def use_key(file: VaultFile, key_id: KeyId) -> None:
    """Seal with this key from now on: in each worker, once it was restarted."""
    _change(file, lambda found: using_key(found, key_id))
    print(f"Key {key_id} seals from now on. Restart every worker, then: rotate.")


@app.command()
def rotate(
    file: VaultFile,
    batch: Annotated[
        int, typer.Option(min=1, max=5000, help="Rows in a transaction.")
    ] = BATCH_ROWS,
) -> None:
    """Seal everything anew under the current key; can be interrupted and run again."""
    keys = keys_in(file)
    with plain_errors():
        moved, broken = asyncio.run(_rotate(Vault(keys), batch))
    print(f"{moved:,} values sealed anew under key {keys.current}.")
    if broken:
        print(f"{broken:,} values were left: no key in the file opens them.")
    _show(keys, query(count_by_key))


@app.command("drop-key")
def drop_key(file: VaultFile, key_id: KeyId) -> None:
    """Remove a key from the file, once nothing lies under it."""
    taken = query(count_running)  # first: an ingest that starts later reads the file anew
    if taken:
        fail(
            f"{taken:,} files are being taken, which may still seal with key {key_id}: "
            "wait for them, then run `xinqiao-gateway personal rotate` again."
        )
    left = total_under_key(query(count_by_key), key_id)
    if left:
        fail(
            f"{left:,} values lie under key {key_id}: run `xinqiao-gateway personal rotate` first."
        )
    _change(file, lambda found: without_key(found, key_id))
    print(f"Key {key_id} is gone from the file.")


async def _rotate(vault: Vault, batch: int) -> tuple[int, int]:
    moved = broken = 0
    async with long_work("Sealing anew …") as (engine, shown):
        async for done in reencrypt(engine, vault, batch=batch):
            moved, broken = moved + done.moved, broken + done.broken
            shown.update(f"{done.table}: {moved:,} sealed anew …")
    return moved, broken


def _show(keys: VaultKeys, found: Mapping[str, Mapping[int, int]]) -> None:
    print_table(
        ("table", "key", "state", "values"),
        (
            (table, key_id, _state_of(keys, key_id), rows)
            for table, by_key in found.items()
            for key_id, rows in sorted(by_key.items())
        ),
        figures=1,
    )


def _state_of(keys: VaultKeys, key_id: int) -> str:
    state = "current" if key_id == keys.current else "old"
    return state if key_id in keys.keys else f"{state}, not in the file"


def keys_in(file: Path) -> VaultKeys:
    """Keys in the file; exits with a sentence if it is unreadable."""
    try:
        return VaultKeys.parse(file.read_text())
    except (OSError, VaultKeysError):
        fail(f"{file} cannot be read as a file of vault keys.")


def _change(file: Path, change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    try:
        rewrite_key_file(file, change, check=lambda path: VaultKeys.parse(path.read_text()))
    except (VaultFileError, VaultKeysError) as error:
        fail(str(error))
    except OSError as error:
        fail(f"{file} was left as it is: it cannot be replaced ({type(error).__name__}).")
