"""The file of vault keys changes in three steps, each safe by itself: add a key, use it, drop the old.

Between adding and using, every worker must have read the file anew: one that does not know a key
opens nothing that was sealed under it.
"""

import base64
import secrets
from collections.abc import Callable
from typing import Any

from gateway.privacy.field_encryption import KEY_BYTES

HIGHEST_ID = 255


class VaultFileError(ValueError):
    """The change was refused; the one argument is the sentence that says why."""


def with_new_key(
    file: dict[str, Any], random: Callable[[int], bytes] = secrets.token_bytes
) -> dict[str, Any]:
    """The file with one more key, which seals nothing yet."""
    new = max(map(int, file["keys"])) + 1
    if new > HIGHEST_ID:
        raise VaultFileError("There are no ids left for another key: 255 is the highest.")
    fresh = base64.b64encode(random(KEY_BYTES)).decode()
    return {**file, "keys": {**file["keys"], str(new): fresh}}


def using_key(file: dict[str, Any], key_id: int) -> dict[str, Any]:
    """The file in which this key seals from now on."""
    if str(key_id) not in file["keys"]:
        raise VaultFileError(f"There is no key {key_id} in the file.")
    return {**file, "current": str(key_id)}


def without_key(file: dict[str, Any], key_id: int) -> dict[str, Any]:
    """The file without this key; the current one cannot go."""
    if str(key_id) not in file["keys"]:
        raise VaultFileError(f"There is no key {key_id} in the file.")
    if int(file["current"]) == key_id:
        raise VaultFileError(f"Key {key_id} is the one that seals: use another one first.")
    return {**file, "keys": {id_: key for id_, key in file["keys"].items() if id_ != str(key_id)}}
