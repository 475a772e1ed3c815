"""Idempotency keys: the caller's or a new one for each call that spends a use, and the key on its error."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from xinqiao.errors import ConfigurationError, XinqiaoError

if TYPE_CHECKING:
    from xinqiao._core.session import Session

MAX_KEY_LENGTH: Final = 128


@contextmanager
def key_on_error(session: Session, idempotency_key: str | None) -> Iterator[str]:
    """The caller's idempotency key, or a new one; whatever is raised under it names it."""
    key = session.world.new_id() if idempotency_key is None else idempotency_key
    if not _is_idempotency_key(key):
        raise ConfigurationError(
            f"An idempotency key is 1 to {MAX_KEY_LENGTH} printable ASCII characters, "
            "without spaces or quotation marks at its ends."
        )
    try:
        yield key
    except XinqiaoError as error:
        error.idempotency_key = key
        raise


def _is_idempotency_key(key: str) -> bool:
    bare = key.strip(' "')
    return key == bare and 0 < len(key) <= MAX_KEY_LENGTH and key.isascii() and key.isprintable()
