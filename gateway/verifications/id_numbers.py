"""ID numbers that arrive encrypted to the gateway's key (JWE), each bound to who asks, about whom, and here.

The claims are `iss` (the client), `aud` (the gateway's issuer), `sub` (the enterprise's code) and
`id_number`, and no others. So one that was captured is of no use to another client, for another
enterprise or at another gateway; for its own client it says what that client had said before.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from gateway import strict_json
from gateway.access.errors import InvalidRequestError, NotInAgreementError, Refusal
from gateway.signing.decryption_keys import DecryptionKeys
from gateway.signing.jwe import decrypt, is_compact_jwe
from verification import QUESTIONS, Asked, problem_with
from verification.asked_question import elements_of
from verification.question import ID_NUMBER
from verification.uscc import normalise_uscc

TYP: Final = "id-number+jwe"
PLACEHOLDER: Final = "0" * 18
_ELEMENTS: Final = {
    each.tag: element.name
    for each in QUESTIONS
    for element in each.elements
    if element.question == ID_NUMBER
}
"""The member that is an ID number, of each group that has one."""
_CANNOT_BE_READ: Final = "An encrypted ID number cannot be read; see the documentation of its form."
_ENCRYPTED_ONLY: Final = (
    "Your agreement takes ID numbers only if they are encrypted to the key of use enc at "
    "/.well-known/jwks.json."
)


def id_number_in(asked: Asked) -> str | None:
    """The ID number that a question asserts, as it was sent."""
    if asked.value is None or isinstance(asked.value, str):
        return asked.value if asked.tag == ID_NUMBER else None
    name = _ELEMENTS.get(asked.tag)
    return None if name is None else dict(asked.value).get(name)


def without_ciphertext(asked: Asked) -> Asked:
    """The question with a number in place of an encrypted one, to be checked like any other."""
    number = id_number_in(asked)
    return with_id_number(asked, PLACEHOLDER) if number and is_compact_jwe(number) else asked


def with_id_number(asked: Asked, number: str) -> Asked:
    """The question with another ID number."""
    if isinstance(asked.value, str):
        return asked._replace(value=number)
    members = dict(asked.value or ()) | {_ELEMENTS[asked.tag]: number}
    return asked._replace(value=elements_of(members))


def open_id_numbers(
    asked: Iterable[Asked],
    keys: DecryptionKeys,
    bound_to: tuple[str, str, str],
    *,
    encrypted_only: bool,
    now: datetime,
) -> tuple[Asked, ...] | Refusal:
    """The questions with their ID numbers in clear, or one refusal whatever is wrong with any.

    `bound_to` are client, issuer and enterprise.
    """
    opened, trouble = [], None
    for each in asked:
        number = id_number_in(each)
        if number is None:
            opened.append(each)
        elif is_compact_jwe(number):
            found = _opened(number, keys, bound_to, now)
            clear = with_id_number(each, found or PLACEHOLDER)
            if found is None or problem_with(clear):
                trouble = trouble or Refusal(InvalidRequestError, _CANNOT_BE_READ)
            opened.append(clear)
        elif encrypted_only:
            trouble = Refusal(NotInAgreementError, _ENCRYPTED_ONLY)
        else:
            opened.append(each)
    return trouble or tuple(opened)


def _opened(
    token: str, keys: DecryptionKeys, bound_to: tuple[str, str, str], now: datetime
) -> str | None:
    plaintext = decrypt(token, lambda kid: keys.find(kid, now), typ=TYP)
    try:
        claims: Any = strict_json.parse(plaintext or b"{}")
    except strict_json.StrictJsonError:
        return None
    if not isinstance(claims, dict) or claims.keys() != {"iss", "aud", "sub", "id_number"}:
        return None
    issued_by, audience, subject, number = (
        claims[name] for name in ("iss", "aud", "sub", "id_number")
    )
    if not isinstance(subject, str) or not isinstance(number, str):
        return None
    is_bound = (issued_by, audience, normalise_uscc(subject)) == bound_to
    return number if is_bound else None
