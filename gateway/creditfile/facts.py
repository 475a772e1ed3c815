"""What questions may be answered from: only what may still be told, with the clocks applied."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from gateway.creditfile.audience import Audience
from gateway.creditfile.catalogue import Catalogue
from gateway.creditfile.records import REGISTRATION, Enterprise, Record, registration_of
from gateway.creditfile.telling import is_on_serious_list, tellable, told_fields
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
    listed = is_on_serious_list(held, catalogue, now)
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
            _live(each, enterprise.kind, catalogue, now, listed=listed)
            for each in held
            if tellable(each, Audience.VERIFICATION, catalogue, now, on_serious_list=listed)
        ),
        available=frozenset(read - set(enterprise.unavailable)),
    )


def _live(
    record: Record, kind: str, catalogue: Catalogue, now: datetime, *, listed: bool,
) -> LiveRecord:
    told: Mapping[str, Any] = told_fields(
        record, Audience.VERIFICATION, catalogue, now, kind=kind, on_serious_list=listed,
    )
    if record.dataset == _RATING:
        told = {**told, "rated_on": told.get("date")}
    return LiveRecord(
        dataset=record.dataset, record_id=record.record_id, version=record.version, fields=told,
    )
