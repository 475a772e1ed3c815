"""Names of environment variables: which are known, and which look like a mistyped setting. Pure."""

from collections.abc import Iterable
from typing import Final

PREFIX: Final = "XINQIAO_"
# Known here, and read elsewhere: by the SDK, the operator's commands and the proxies in `deploy/proxy`.
READ_ELSEWHERE: Final = frozenset(
    {
        "XINQIAO_CERTIFICATE",
        "XINQIAO_CLIENT_CA",
        "XINQIAO_CLIENT_ID",
        "XINQIAO_GATEWAY",
        "XINQIAO_MTLS",
        "XINQIAO_OPERATOR",
        "XINQIAO_PRIVATE_JWKS",
        "XINQIAO_PUBLIC",
    }
)
OF_DEVELOPMENT: Final = ("XINQIAO_TEST_", "XINQIAO_BENCH_", "XINQIAO_FUZZ_")
NEAR: Final = 2
"""Edits within which an unknown name is taken for a setting's."""


def unknown(names: Iterable[str], settings: Iterable[str]) -> list[str]:
    """Those of `names` that begin as ours do and that nothing reads; they count in any case."""
    known = READ_ELSEWHERE | set(settings)
    ours = (each.upper() for each in names if each.upper().startswith(PREFIX))
    return sorted(
        each for each in ours if each not in known and not each.startswith(OF_DEVELOPMENT)
    )


def meant(name: str, settings: Iterable[str]) -> str | None:
    """The setting whose name is nearest to `name`, if it is within `NEAR` edits."""
    nearest = min((distance(name, each), each) for each in settings)
    return nearest[1] if nearest[0] <= NEAR else None


def distance(one: str, other: str) -> int:
    """The Levenshtein distance: insertions, deletions and substitutions of a character."""
    before = list(range(len(other) + 1))
    for row, left in enumerate(one, 1):
        now = [row]
        for column, right in enumerate(other, 1):
            changed = before[column - 1] + (left != right)
            now.append(min(before[column] + 1, now[-1] + 1, changed))
        before = now
    return before[-1]
