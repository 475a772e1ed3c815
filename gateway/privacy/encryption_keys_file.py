"""Rotation steps of the encryption key file: add a key, use it, remove the old one.

Between adding and using, every worker must reload the file: without a key it cannot decrypt.
"""

import base64
import secrets
from collections.abc import Callable
from typing import Any

from gateway.privacy.field_encryption import KEY_BYTES

MAX_KEY_ID = 255


class VaultFileError(ValueError):
    """The change was refused; the argument is the reason as a sentence."""


def with_new_key(
    file: dict[str, Any], random: Callable[[int], bytes] = secrets.token_bytes
) -> dict[str, Any]:
    """The file with one more key, not yet in use."""
    new = max(map(int, file["keys"])) + 1
    if new > MAX_KEY_ID:
        raise VaultFileError("There are no ids left for another key: 255 is the highest.")
    fresh = base64.b64encode(random(KEY_BYTES)).decode()
    return {**file, "keys": {**file["keys"], str(new): fresh}}


def using_key(file: dict[str, Any], key_id: int) -> dict[str, Any]:
    """The file with this key as the current one."""
    if str(key_id) not in file["keys"]:
        raise VaultFileError(f"There is no key {key_id} in the file.")
    return {**file, "current": str(key_id)}


def without_key(file: dict[str, Any], key_id: int) -> dict[str, Any]:
    """The file without this key; the current one cannot be removed."""
    if str(key_id) not in file["keys"]:
        raise VaultFileError(f"There is no key {key_id} in the file.")
    if int(file["current"]) == key_id:
        raise VaultFileError(f"Key {key_id} is the one that seals: use another one first.")
    return {**file, "keys": {id_: key for id_, key in file["keys"].items() if id_ != str(key_id)}}
