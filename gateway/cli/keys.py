"""Keys are made here and shown nowhere: the files are for the owner's eyes only."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from gateway.creditfile.vault import Vault
from gateway.signing.keys import new_key_file

app = typer.Typer(no_args_is_help=True, help="Signing keys and the keys of personal data.")


@app.command()
def init(folder: Annotated[Path, typer.Argument(help="Where to write the two files.")]) -> None:
    """Make signing-keys.json and vault-keys.json; existing files are left as they are."""
    folder.mkdir(parents=True, exist_ok=True)
    made: dict[str, Callable[[], str]] = {
        "signing-keys.json": new_key_file,
        "vault-keys.json": Vault.generate_keys,
    }
    for name, make in made.items():
        path = folder / name
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            print(f"{path} is there already; left as it is.")
            continue
        with os.fdopen(descriptor, "w") as file:
            file.write(make())
        print(
            f"{path} written (0600). XINQIAO_{name.removesuffix('.json').replace('-', '_').upper()}={path}"
        )
