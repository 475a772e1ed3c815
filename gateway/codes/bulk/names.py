"""Sign names of a bulk issue: those given, else registered names that the public page shows whole.

An individual business without a name of its own is registered under its operator's: no list of persons'
names goes to a printer, so it needs a sign that was given.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum

from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.codes.model import is_operators_name
from gateway.codes.sign_text import TextProblem, parse_sign_name
from gateway.creditfile.catalogue import Catalogue
from gateway.creditfile.catalogue.versions import in_force
from gateway.creditfile.disclosure_class import Audience
from gateway.creditfile.disclosure_policy import disclosable_fields
from gateway.creditfile.file_query import read_files
from gateway.creditfile.local_dates import day_of
from gateway.creditfile.records import INDIVIDUAL_BUSINESS, Enterprise, registration_of


class RegisteredNameProblem(StrEnum):
    """Reason, beside those of its text, why a registered name is on no sign."""

    OPERATORS_NAME = "operators_name"


Unsigned = TextProblem | RegisteredNameProblem


async def sign_names(
    connection: AsyncConnection, usccs: Sequence[str], given: Mapping[str, str], *, now: datetime
) -> dict[str, str | Unsigned]:
    """The sign name of each enterprise, or the reason why it gets none."""
    names: dict[str, str | Unsigned] = {uscc: given[uscc] for uscc in usccs if uscc in given}
    lacking, catalogue = [uscc for uscc in usccs if uscc not in names], await in_force(connection)
    for enterprise, _ in await read_files(connection, lacking, ()):
        names[enterprise.uscc] = _registered_name(enterprise, catalogue, now)
    return names


def _registered_name(enterprise: Enterprise, catalogue: Catalogue, now: datetime) -> str | Unsigned:
    is_individual = enterprise.kind == INDIVIDUAL_BUSINESS
    if is_operators_name(
        enterprise.name, enterprise.legal_representative if is_individual else None
    ):
        return RegisteredNameProblem.OPERATORS_NAME
    shown = disclosable_fields(
        registration_of(enterprise), Audience.PUBLIC, catalogue, now, kind=enterprise.kind
    ).get("name", "")
    is_masked = shown not in {"", enterprise.name}
    return TextProblem.PERSONAL_NUMBER if is_masked else parse_sign_name(shown, today=day_of(now))
