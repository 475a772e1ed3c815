"""Parts of verified evidence in the reader's language: about whom, for what, to whom, under which consent."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from xinqiao._core.wire import parsing
from xinqiao._core.wire.results import QueryResult
from xinqiao.cli._language import Language, code_label, moment_text, text, with_code

if TYPE_CHECKING:
    from datetime import datetime

    from xinqiao import Evidence

OK: Final = 200
QUERIES: Final = "/v1/queries"
VERIFICATIONS: Final = "/v1/verifications"
_CONSENT: Final = re.compile(r"/v1/consents/[^/]+")


def path_of(evidence: Evidence) -> str:
    """Path of the address that answered."""
    return urlsplit(evidence.exchange.target_uri).path


def evidence_facts(evidence: Evidence, language: Language) -> dict[str, str]:
    """Labels and values; none of an answer that is no disclosure and no consent."""
    return {text(name, language): value for name, value in _facts(evidence, language)}


def _facts(evidence: Evidence, language: Language) -> Iterator[tuple[str, str]]:
    path = path_of(evidence)
    if evidence.status != OK:
        return
    if path in {QUERIES, VERIFICATIONS}:
        yield from _of_disclosure(evidence, language)
    elif _CONSENT.fullmatch(path) and evidence.exchange.method == "GET":
        yield from _of_consent(evidence, language)


def _of_disclosure(evidence: Evidence, language: Language) -> Iterator[tuple[str, str]]:
    told = parsing.result(evidence)
    yield "enterprise", told.uscc
    yield "purpose", with_code(code_label("purposes", told.purpose, language), told.purpose)
    query = told if isinstance(told, QueryResult) else None
    yield "recipient", query.recipient if query else text("not_named", language)
    yield "disclosure", told.disclosure_id
    yield "as_of", moment_text(told.as_of)
    if query and query.consent:
        yield "consent", query.consent.consent_id
        yield from _terms(query.consent.valid_until, query.consent.uses_left, language)
    yield "since", text("see_feed", language)


def _of_consent(evidence: Evidence, language: Language) -> Iterator[tuple[str, str]]:
    held = parsing.consent(evidence)
    yield "consent", held.consent_id
    yield "status", with_code(text(held.status, language), held.status)
    yield "enterprise", held.uscc or "-"
    purpose = held.purpose or "-"
    yield "purpose", with_code(code_label("purposes", purpose, language), purpose)
    yield from _terms(held.valid_until, held.uses_left, language)
    yield "since", text("see_feed", language)


def _terms(
    valid_until: datetime | None, uses_left: int | None, language: Language
) -> Iterator[tuple[str, str]]:
    yield "valid_until", "-" if valid_until is None else moment_text(valid_until)
    yield "uses_left", text("unlimited", language) if uses_left is None else str(uses_left)
