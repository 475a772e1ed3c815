"""Environment variables of the settings: their names, and sentences on wrong ones. Pure."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, Final

from pydantic.fields import FieldInfo

PREFIX: Final = "XINQIAO_"
# Read by the SDK, the operator's commands and the proxies in `deploy/proxy`.
READ_ELSEWHERE: Final = frozenset(
    {
        "XINQIAO_CA",
        "XINQIAO_CERTIFICATE",
        "XINQIAO_CLIENT_CA",
        "XINQIAO_CLIENT_ID",
        "XINQIAO_DPOP_KEY",
        "XINQIAO_GATEWAY",
        "XINQIAO_KEYS",
        "XINQIAO_MAX_CLOCK_SKEW",
        "XINQIAO_MTLS",
        "XINQIAO_OPERATOR",
        "XINQIAO_PRIVATE_JWKS",
        "XINQIAO_PROXY",
        "XINQIAO_PUBLIC",
        "XINQIAO_REDIRECT_URI",
        "XINQIAO_SCOPE",
        "XINQIAO_SIGN_REQUESTS",
        "XINQIAO_TIMEOUT",
    }
)
DEVELOPMENT_PREFIXES: Final = ("XINQIAO_TEST_", "XINQIAO_BENCH_", "XINQIAO_FUZZ_")
MAX_EDITS: Final = 2
"""Maximum edit distance of a mistyped setting."""


def variable(name: str) -> str:
    """The variable of the setting `name`."""
    return f"{PREFIX}{name.upper()}"


def unknown_names(names: Iterable[str], settings: Iterable[str]) -> list[str]:
    """Those of `names` with our prefix that nothing reads, in upper case."""
    known = READ_ELSEWHERE | set(map(variable, settings))
    ours = (each.upper() for each in names if each.upper().startswith(PREFIX))
    return sorted(
        each for each in ours if each not in known and not each.startswith(DEVELOPMENT_PREFIXES)
    )


def mistyped(unknown: Iterable[str], settings: Iterable[str]) -> Iterator[str]:
    """A sentence for each unknown variable that is within `MAX_EDITS` edits of a setting."""
    variables = list(map(variable, settings))
    for name in unknown:
        edits, nearest = min((edit_distance(name, each), each) for each in variables)
        if edits <= MAX_EDITS:
            yield f"{name} is no setting. Did you mean {nearest}?"


def empty(
    variables: Mapping[str, str], fields: Mapping[str, FieldInfo], names: Collection[str]
) -> Iterator[str]:
    """A sentence for each of the settings `names` whose variable is set and empty."""
    for each, value in variables.items():
        name = each.upper().removeprefix(PREFIX).lower()
        if name in names and each.upper() == variable(name) and not value.strip():
            remedy = "" if fields[name].is_required() else ", or leave it out"
            meaning = fields[name].description
            yield f"{variable(name)} is set and empty. Set it to: {meaning}{remedy}."


def sentence_on(error: Any, fields: Mapping[str, FieldInfo]) -> str:  # pydantic's ErrorDetails
    """A sentence with the variable's name and what it should hold, never its value."""
    reason = error["msg"].removeprefix("Value error, ")
    if not error["loc"]:
        return f"{reason}."
    name = str(error["loc"][0])
    hint = fields[name].description if name in fields else ""
    if error["type"] == "missing":
        return f"{variable(name)} is not set. Set it to: {hint}."
    return f"{variable(name)} cannot be used: {reason}. It should be: {hint}."


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
