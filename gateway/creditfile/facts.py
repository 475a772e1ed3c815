"""Facts for verification questions: the disclosable records of one enterprise, clocks applied."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from gateway.creditfile.catalogue import Catalogue
from gateway.creditfile.catalogue.lookup_tables import derived_table
from gateway.creditfile.disclosed_fields import FieldSelection
from gateway.creditfile.disclosure_class import Audience
from gateway.creditfile.disclosure_policy import DisclosableRecord, disclosable_records
from gateway.creditfile.personal_fields import ID_NUMBER
from gateway.creditfile.records import REGISTRATION, Enterprise, Record, registration_of
from verification.facts import (
    LEGAL_REPRESENTATIVE_ID,
    READ_FIELDS,
    Facts,
    LiveRecord,
    as_date,
)

_RATING: Final = "public_rating"
_OF_REGISTRATION: Final = frozenset(
    {"name", "former_names", "legal_representative", "address", "status", "established_on"}
)
_NEEDED: Final = FieldSelection(
    {
        **READ_FIELDS,
        REGISTRATION: READ_FIELDS[REGISTRATION] | _OF_REGISTRATION,
        _RATING: READ_FIELDS[_RATING] - {"rated_on"} | {"date"},
    }
)
"""The fields that become facts, by dataset: no other is looked at."""
_DIGEST_OF: Final = {LEGAL_REPRESENTATIVE_ID: ID_NUMBER}


def facts_of(
    enterprise: Enterprise,
    records: Iterable[Record],
    catalogue: Catalogue,
    now: datetime,
    *,
    datasets: Iterable[str] | None = None,
) -> Facts:
    """Facts on `enterprise` at `now`, from `records`.

    `datasets` are those that were read (default: all). Facts of other datasets, of unavailable
    sources, and of datasets that the catalogue lacks or does not open to questions are unknown.
    """
    held = (registration_of(enterprise), *records)
    disclosed = disclosable_records(
        held, Audience.VERIFICATION, catalogue, now, kind=enterprise.kind, only=_NEEDED
    )
    registered = next(
        (each.fields for each in disclosed if each.record.dataset == REGISTRATION), {}
    )
    compared = _compared_digests(catalogue, None)
    read = _datasets_read(catalogue, None if datasets is None else tuple(datasets))
    return Facts(
        name=registered.get("name", ""),
        former_names=tuple(registered.get("former_names", ())),
        legal_representative=registered.get("legal_representative"),
        address=registered.get("address"),
        status=registered.get("status"),
        established_on=as_date(registered.get("established_on")),
        digests={
            name: bytes.fromhex(digest)
            for name, digest in enterprise.digests.items()
            if name in compared
        },
        records=tuple(map(_live, disclosed)),
        available=read.difference(enterprise.unavailable),
    )


@derived_table
def _datasets_read(catalogue: Catalogue, datasets: tuple[str, ...] | None) -> frozenset[str]:
    """The datasets of which questions may know something, where these (default: all) were read."""
    read = {REGISTRATION, *(catalogue.codes if datasets is None else datasets)}
    return frozenset(
        each
        for each in read & set(catalogue.codes)
        if catalogue.fields_for(each, Audience.VERIFICATION)
    )


@derived_table
def _compared_digests(catalogue: Catalogue, _: None) -> frozenset[str]:
    """The names of digests whose fields questions may be told."""
    told = {each.name for each in catalogue.fields_for(REGISTRATION, Audience.VERIFICATION)}
    return frozenset(name for name, field in _DIGEST_OF.items() if field in told)


def _live(disclosable: DisclosableRecord) -> LiveRecord:
    record = disclosable.record
    rated_on = {"rated_on": disclosable.fields.get("date")} if record.dataset == _RATING else {}
    return LiveRecord(
        dataset=record.dataset,
        record_id=record.record_id,
        version=record.version,
        fields={**disclosable.fields, **rated_on},
        counts_as_bad=disclosable.counts_as_bad,
    )
