"""What questions may be answered from: only what may still be told, with the clocks applied."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from gateway.creditfile.audience import Audience
from gateway.creditfile.catalogue import Catalogue
from gateway.creditfile.records import REGISTRATION, Enterprise, Record, registration_of
from gateway.creditfile.telling import Told, tell
from verification.facts import Facts, LiveRecord

_RATING: Final = "public_rating"


def facts_of(
    enterprise: Enterprise,
    records: Iterable[Record],
    catalogue: Catalogue,
    now: datetime,
    *,
    datasets: Iterable[str] | None = None,
) -> Facts:
    """The facts on `enterprise` at `now`, from `records`.

    `datasets` are those that were read (all, where left out): of the others nothing is known, and
    neither is it of those whose source cannot be asked.
    """
    held = (registration_of(enterprise), *records)
    read = {REGISTRATION, *(catalogue.codes if datasets is None else datasets)}
    return Facts(
        name=enterprise.name,
        former_names=enterprise.former_names,
        legal_representative=enterprise.legal_representative,
        address=enterprise.address,
        status=enterprise.status,
        established_on=enterprise.established_on,
        digests={name: bytes.fromhex(digest) for name, digest in enterprise.digests.items()},
        records=tuple(
            _live(each)
            for each in tell(held, Audience.VERIFICATION, catalogue, now, kind=enterprise.kind)
        ),
        available=frozenset(read - set(enterprise.unavailable)),
    )


def _live(told: Told) -> LiveRecord:
    of = told.record
    rated_on = {"rated_on": told.fields.get("date")} if of.dataset == _RATING else {}
    return LiveRecord(
        dataset=of.dataset,
        record_id=of.record_id,
        version=of.version,
        fields={**told.fields, **rated_on},
    )
