"""Separate consents (PIPL 单独同意) that a consent needs: by field and question, and by whom (R8a).

Computed from the catalogue and the questions. Of an individual business the giver is its operator.
"""

from collections.abc import Iterable

from consent import Giver, SeparateConsent, SeparateConsents
from gateway.creditfile.catalogue import Catalogue
from gateway.creditfile.catalogue.field_definition import FieldDefinition
from gateway.creditfile.catalogue.lookup_tables import derived_table
from gateway.creditfile.disclosure_class import Audience
from verification import find_question


@derived_table
def separated_fields(
    catalogue: Catalogue, key: tuple[str, str]
) -> tuple[tuple[SeparateConsent, FieldDefinition], ...]:
    """The fields of a dataset that need a separate consent, each behind it, by the enterprise's kind."""
    code, kind = key
    return tuple(
        (SeparateConsent(item=f"{code}.{each.name}", giver=Giver(each.separate_consent)), each)
        for each in catalogue.fields_for(code, Audience.AUTHORISED, kind)
        if each.separate_consent is not None
    )


def needed_separate_consents(
    datasets: Iterable[str], questions: Iterable[str], catalogue: Catalogue, kind: str
) -> SeparateConsents:
    """The separate consents without which parts of these datasets and questions are not told.

    `kind` is the enterprise's.
    """
    of_fields = tuple(
        needed for code in datasets for needed, _ in separated_fields(catalogue, (code, kind))
    )
    return of_fields + tuple(
        SeparateConsent(item=tag, giver=giver)
        for tag in questions
        if (giver := question_giver(tag)) is not None
    )


def question_giver(tag: str) -> Giver | None:
    """The giver of the separate consent that a question needs; `None` if it needs none."""
    found = find_question(tag)
    return Giver(found.separate_consent) if found and found.separate_consent else None


def is_separated(tag: str, given: SeparateConsents) -> bool:
    """True for a question that needs no separate consent, or whose one was given."""
    giver = question_giver(tag)
    return giver is None or is_covered(SeparateConsent(item=tag, giver=giver), given)


def is_covered(needed: SeparateConsent, given: SeparateConsents) -> bool:
    """True where it was given, by its giver or by the person."""
    by_person = SeparateConsent(item=needed.item, giver=Giver.PERSON)
    return needed in given or by_person in given
