"""Environment variable names: known ones, and detection of mistyped settings. Pure."""

from collections.abc import Iterable
from typing import Final

PREFIX: Final = "XINQIAO_"
# Read by the SDK, the operator's commands and the proxies in `deploy/proxy`.
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
DEVELOPMENT_PREFIXES: Final = ("XINQIAO_TEST_", "XINQIAO_BENCH_", "XINQIAO_FUZZ_")
MAX_EDITS: Final = 2
"""Maximum edit distance of a mistyped setting."""


def unknown_names(names: Iterable[str], settings: Iterable[str]) -> list[str]:
    """Those of `names` with our prefix that nothing reads, in upper case."""
    known = READ_ELSEWHERE | set(settings)
    ours = (each.upper() for each in names if each.upper().startswith(PREFIX))
    return sorted(
        each for each in ours if each not in known and not each.startswith(DEVELOPMENT_PREFIXES)
    )


def nearest_setting(name: str, settings: Iterable[str]) -> str | None:
    """The setting whose name is nearest to `name`, if it is within `MAX_EDITS` edits."""
    nearest = min((edit_distance(name, each), each) for each in settings)
    return nearest[1] if nearest[0] <= MAX_EDITS else None


def edit_distance(left: str, right: str) -> int:
    """The Levenshtein distance: insertions, deletions and substitutions of a character."""
    previous = list(range(len(right) + 1))
    for row, one in enumerate(left, 1):
        current = [row]
        for column, other in enumerate(right, 1):
            changed = previous[column - 1] + (one != other)
            current.append(min(previous[column] + 1, current[-1] + 1, changed))
        previous = current
    return previous[-1]
