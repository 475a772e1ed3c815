"""Sign names of a bulk issue: registered names that the public page shows whole and that signs may have."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.codes.sign_text import TextProblem, parse_sign_name
from gateway.creditfile.catalogue_versions import in_force
from gateway.creditfile.disclosure_class import Audience
from gateway.creditfile.disclosure_policy import disclosable_fields
from gateway.creditfile.file_query import read_files
from gateway.creditfile.local_dates import day_of
from gateway.creditfile.records import registration_of


async def sign_names(
    connection: AsyncConnection, usccs: Sequence[str], *, now: datetime
) -> dict[str, str | TextProblem]:
    """The sign name of each enterprise, or the reason why it gets none."""
    names: dict[str, str | TextProblem] = {}
    catalogue = await in_force(connection)
    for enterprise, _ in await read_files(connection, usccs, ()):
        shown = disclosable_fields(
            registration_of(enterprise), Audience.PUBLIC, catalogue, now, kind=enterprise.kind
        ).get("name", "")
        is_masked = shown not in {"", enterprise.name}
        parsed = parse_sign_name(shown, today=day_of(now))
        names[enterprise.uscc] = TextProblem.PERSONAL_NUMBER if is_masked else parsed
    return names
