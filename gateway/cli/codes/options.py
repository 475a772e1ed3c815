"""Options of `code` commands, parsed; what is wrong ends the command with a sentence."""

import re
from datetime import UTC, datetime
from typing import Annotated, Final
from urllib.parse import urlsplit

import typer

from gateway.cli.exit import fail
from gateway.codes.ids import parse_code_id
from gateway.codes.sign_text import (
    MAX_LABEL,
    MAX_SIGN_NAME,
    TextProblem,
    parse_label,
    parse_sign_name,
)
from gateway.creditfile.local_dates import day_of, end_of
from gateway.rfc3339 import parse_date
from gateway.settings import LOOPBACK_HOSTS
from verification import NotACode, enterprise_code

DIVISION: Final = re.compile(r"[0-9]{2,6}", re.ASCII)
TEXT_PROBLEMS: Final = {
    TextProblem.EMPTY: "is empty",
    TextProblem.TOO_LONG: "is too long",
    TextProblem.CHARACTERS: "has characters that are not on signs; leave out symbols, emoji and hidden ones",
    TextProblem.PERSONAL_NUMBER: "holds what looks like a person's ID or phone number",
    TextProblem.CLAIM: "has an address, a claim of an official verdict or a call to pay or chat; "
    "write the shop's name alone",
}

Issuer = Annotated[
    str, typer.Option(envvar="XINQIAO_ISSUER", help="The gateway's own origin, in the address.")
]
Label = Annotated[str, typer.Option(help="Where the sticker hangs, up to 20 characters.")]
LastDay = Annotated[
    str | None, typer.Option("--last-day", help="The last day of its term, as 2027-12-31.")
]


def issuer_origin(typed: str) -> str:
    """The gateway's origin: https, or http to this machine."""
    parts = urlsplit(typed)
    is_local = parts.scheme == "http" and parts.hostname in LOOPBACK_HOSTS
    is_origin = parts.hostname and not (parts.path or parts.query or parts.fragment)
    if not is_origin or not (parts.scheme == "https" or is_local):
        fail("XINQIAO_ISSUER is the gateway's https origin, as https://credit.example.gov.cn.")
    return typed


def division_prefix(typed: str) -> str:
    """A division of GB/T 2260 of two, four or six digits: what its codes begin with."""
    if not DIVISION.fullmatch(typed) or len(typed) % 2:
        fail("--division is a code of GB/T 2260: 33, 3301 or 330106.")
    return typed


def known_uscc(typed: str) -> str:
    """A well-formed unified social credit code."""
    code = enterprise_code(typed)
    if isinstance(code, NotACode):
        fail("This is not a unified social credit code of an enterprise.")
    return code.uscc


def known_code_id(typed: str) -> str:
    """A well-formed number of a code."""
    parsed = parse_code_id(typed)
    if parsed is None:
        fail("A code's number has 26 characters of A-Z and 2-7.")
    return parsed


def sign_name(typed: str) -> str:
    """The name on a sign."""
    parsed = parse_sign_name(typed, today=day_of(datetime.now(UTC)))
    if isinstance(parsed, TextProblem):
        fail(f"--sign-name (1 to {MAX_SIGN_NAME} characters) {TEXT_PROBLEMS[parsed]}.")
    return parsed


def label_text(typed: str) -> str:
    """The place of a sticker."""
    parsed = parse_label(typed, today=day_of(datetime.now(UTC)))
    if isinstance(parsed, TextProblem):
        fail(f"--label (up to {MAX_LABEL} characters) {TEXT_PROBLEMS[parsed]}.")
    return parsed


def term_end(last_day: str | None) -> datetime | None:
    """The end of a term that has this last day."""
    if last_day is None:
        return None
    try:
        end = end_of(parse_date(last_day))
    except ValueError:
        fail("--last-day is a day as 2027-12-31.")
    if end <= datetime.now(UTC):
        fail("--last-day has passed.")
    return end
