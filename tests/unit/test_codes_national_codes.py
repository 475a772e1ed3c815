"""National enterprise codes: their addresses, and identifiers that can be guessed."""

from base64 import b32encode, b64encode
from hashlib import sha256

import pytest

from gateway.codes.guessable_identifiers import are_counted
from gateway.codes.national_codes import NationalCodeError, check_identifier, identifier_in

PREFIX = "https://qyma.example.gov.cn/c?id="
OPAQUE = "k3JvQ9xTz7LmN2pRw8Yb"
USCC = "91330106MAHD08319M"


@pytest.mark.parametrize(
    "written",
    [
        PREFIX + OPAQUE,
        f" {PREFIX}{OPAQUE} ",
        f"{PREFIX}{OPAQUE}。",
        f"HTTPS://QYMA.EXAMPLE.GOV.CN/c?id={OPAQUE}",
        f"http://qyma.example.gov.cn/c?id={OPAQUE}/",
    ],
)
def test_an_address_of_the_national_platform_is_recognised(written: str) -> None:
    """Whatever scanners change about it; the identifier keeps its case."""
    assert identifier_in(written, PREFIX) == OPAQUE


@pytest.mark.parametrize(
    "written",
    [
        OPAQUE,
        PREFIX,
        f"{PREFIX}{USCC}",
        f"{PREFIX}short",
        f"{PREFIX}{OPAQUE}/../{OPAQUE}",
        f"{PREFIX}{OPAQUE}&next=//evil.example",
        f"{PREFIX}{'A' * 300}",
        f"https://qyma.example.gov.cn.evil.example/c?id={OPAQUE}",
        f"https://evil.example/{PREFIX}{OPAQUE}",
        f"https://u@qyma.example.gov.cn/c?id={OPAQUE}",
        f"https://qyma.example.gov.cn/C?id={OPAQUE}",
        f"javascript:{PREFIX}{OPAQUE}",
    ],
)
def test_anything_else_is_not(written: str) -> None:
    """No other host or path, no USCC, nothing behind the identifier."""
    assert identifier_in(written, PREFIX) is None


@pytest.mark.parametrize(
    ("identifier", "why"),
    [
        (USCC, "20 to 256"),
        (f"code-{USCC.lower()}-x", "own USCC"),
        (f"00000000000{USCC[8:17]}", "own USCC"),
        (f"ab{USCC[::-1]}", "own USCC"),
        (USCC.encode().hex(), "own USCC"),
        (b64encode(USCC.encode()).decode(), "own USCC"),
        (f"c-{b64encode(USCC.lower().encode()).decode().rstrip('=')}", "own USCC"),
        (f"abc{b64encode(b'x' + USCC.encode()).decode()}", "own USCC"),
        (b64encode(USCC.encode()).decode()[::-1], "own USCC"),
        (b32encode(USCC.encode()).decode().rstrip("="), "own USCC"),
        (b32encode(USCC[8:17].encode()).decode().rstrip("=").lower() + "-0000", "own USCC"),
        (sha256(USCC.encode()).hexdigest()[:32], "own USCC"),
        (f"{OPAQUE}.", "20 to 256"),
        ("12345678901234567890", "can be guessed"),
        (f"{OPAQUE} {OPAQUE}", "20 to 256"),
    ],
)
def test_what_can_be_made_up_is_not_loaded(identifier: str, why: str) -> None:
    """A number in a row, or an identifier that is made of the enterprise's own code."""
    check_identifier(OPAQUE, USCC)
    with pytest.raises(NationalCodeError, match=why):
        check_identifier(identifier, USCC)


@pytest.mark.parametrize(
    "pattern", ["ZJ-{:018}", "{:010}-abcdefghijk", "ZJ{:x<18x}", "330106-2026-{:09}-q"]
)
def test_counters_are_told_from_opaque_identifiers(pattern: str) -> None:
    """In a row or shuffled, in whatever base and place; a file of a few tells nothing."""
    counters = [pattern.format(number) for number in range(17, 517)]
    assert are_counted(counters)
    assert are_counted(counters[::7])
    assert not are_counted(counters[:2])
    opaque = [sha256(each.encode()).hexdigest()[:20] for each in counters]
    assert not are_counted(opaque)
    assert not are_counted([f"ZJ-{each}" for each in opaque[:60]])
