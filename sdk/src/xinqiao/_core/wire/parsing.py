"""Parsers from verified evidence to result objects; nothing unverified is parsed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, cast
from urllib.parse import urlsplit

from xinqiao._core.wire.json_reader import Reader
from xinqiao.errors import ConfigurationError, ProtocolError

from .closed_lists import (
    ANSWER_CHANGE_KINDS,
    CONSENT_CHANGE_KINDS,
    RECORD_CHANGE_KINDS,
    QuestionTag,
)
from .results import (
    Answer,
    AnswerChange,
    AnswerValue,
    Change,
    Changes,
    Consent,
    ConsentChange,
    ConsentRequest,
    Consents,
    ConsentUse,
    LogPromise,
    Objection,
    QueryResult,
    Question,
    Questions,
    Record,
    RecordChange,
    SeparateConsent,
    Source,
    Verification,
    Withheld,
)
from .serialization import ReadOnlyDict
from .strict import parse_json

if TYPE_CHECKING:
    from xinqiao._core.evidence.answer import Evidence

_OK: Final = 200
_ANSWERS: Final = ("yes", "no", "not_determined")

#: Class of a notice by its kind, and the members that it must have.
_CHANGES: Final[Mapping[str, tuple[type[Change], tuple[str, ...]]]] = {
    **dict.fromkeys(RECORD_CHANGE_KINDS, (RecordChange, ("dataset", "record_id"))),
    **dict.fromkeys(CONSENT_CHANGE_KINDS, (ConsentChange, ("consent_id",))),
    **dict.fromkeys(ANSWER_CHANGE_KINDS, (AnswerChange, ("uscc",))),
}


def result(evidence: Evidence) -> Verification | QueryResult:
    """Parse the answer of a verification or a query by its evidence alone."""
    exchange = evidence.exchange
    path = urlsplit(exchange.target_uri).path
    if evidence.status == _OK and path == "/v1/queries":
        return query_result(evidence)
    if evidence.status == _OK and path == "/v1/verifications":
        request = Reader.of(parse_json(exchange.request_body), "the request")
        tags = tuple(item.text("question") for item in request.optional_objects("questions"))
        return verification(evidence, tags if request.optional_text("bundle") is None else None)
    raise ConfigurationError("This is no evidence of a verification or a query: read its json().")


def verification(evidence: Evidence, asked: tuple[str, ...] | None) -> Verification:
    """Parse a verification; its answers must be in the order of the questions (None: of a bundle)."""
    body = Reader.body(evidence)
    answers = tuple(read_answer(item) for item in body.objects("answers"))
    check_answered(answers, asked)
    return Verification(
        verification_id=body.text("verification_id"),
        disclosure_id=body.text("disclosure_id"),
        uscc=body.object("enterprise").text("uscc"),
        purpose=body.text("purpose"),
        as_of=body.time("as_of"),
        catalogue_version=body.text("catalogue_version"),
        answers=answers,
        warnings=body.texts("warnings"),
        log_promise=read_log_promise(body),
        evidence=evidence,
    )


def query_result(evidence: Evidence) -> QueryResult:
    """Parse one page of records."""
    body = Reader.body(evidence)
    bundle, page = body.optional_object("bundle"), body.optional_object("page")
    cursor = page.optional_text("cursor") if page else None
    return QueryResult(
        disclosure_id=body.text("disclosure_id"),
        uscc=body.object("enterprise").text("uscc"),
        purpose=body.text("purpose"),
        recipient=body.text("recipient"),
        as_of=body.time("as_of"),
        consent=_consent_use(body),
        bundle_datasets=bundle.texts("datasets") if bundle else (),
        records=records(body),
        withheld=tuple(_withheld(item) for item in body.objects("withheld")),
        cursor=cursor,
        warnings=body.texts("warnings"),
        log_promise=read_log_promise(body),
        evidence=evidence,
    )


def records(body: Reader) -> tuple[Record, ...]:
    """Parse the records of an answer."""
    return tuple(_record(item) for item in body.objects("records"))


def changes(evidence: Evidence) -> Changes:
    """Parse a page of the feed."""
    body = Reader.body(evidence)
    return Changes(
        changes=tuple(_change(item) for item in body.objects("changes")),
        cursor=body.text("cursor"),
        evidence=evidence,
    )


def consent(evidence: Evidence) -> Consent:
    """Parse one consent."""
    return _consent(Reader.body(evidence), evidence)


def consents(pages: tuple[Evidence, ...]) -> Consents:
    """Parse a list of consents from its pages."""
    found = (
        _consent(item, page) for page in pages for item in Reader.body(page).objects("consents")
    )
    return Consents(consents=tuple(found), evidence=pages[0], further_evidence=pages[1:])


def next_consents(evidence: Evidence) -> str | None:
    """Cursor of the page of consents that follows, or None after the last."""
    return Reader.body(evidence).optional_text("after")


def consent_request(evidence: Evidence) -> ConsentRequest:
    """Parse the answer to a consent request by link."""
    body = Reader.body(evidence)
    return ConsentRequest(
        consent_id=body.text("consent_id"),
        status=body.text("status"),
        capture_url=body.text("capture_url"),
        expires_at=body.optional_time("expires_at"),
        evidence=evidence,
    )


def questions(evidence: Evidence) -> Questions:
    """Parse the catalogue of questions."""
    body = Reader.body(evidence)
    return Questions(
        catalogue_version=body.optional_text("catalogue_version"),
        questions=tuple(
            Question(
                question=cast("QuestionTag", item.text("question")),
                details=ReadOnlyDict(item.members),
            )
            for item in body.objects("questions")
        ),
        evidence=evidence,
    )


def check_answered(answers: tuple[Answer, ...], asked: tuple[str, ...] | None) -> None:
    """Refuse answers to other questions than those asked; of a bundle each is answered once."""
    tags = tuple(answer.question for answer in answers)
    fits = len(set(tags)) == len(tags) > 0 if asked is None else tags == asked
    if not fits:
        raise ProtocolError("The answers are not to the questions that were asked.")


def read_answer(item: Reader) -> Answer:
    value = item.text("answer")
    if value not in _ANSWERS:
        raise ProtocolError(f"In the answer, {item.where}.answer is none of {', '.join(_ANSWERS)}.")
    return Answer(
        question=item.text("question"),
        answer=cast("AnswerValue", value),
        match=item.optional_text("match"),
    )


def _record(item: Reader) -> Record:
    source, objection = item.object("source"), item.optional_object("objection")
    return Record(
        dataset=item.text("dataset"),
        record_id=item.text("record_id"),
        version=item.integer("version"),
        source=Source(name=source.text("name"), uscc=source.optional_text("uscc")),
        source_time=item.time("source_time"),
        catalogue_version=item.text("catalogue_version"),
        use_until=item.optional_time("use_until"),
        delete_by=item.optional_time("delete_by"),
        objection=Objection(since=objection.optional_time("since")) if objection else None,
        fields=item.mapping("fields"),
    )


def _change(item: Reader) -> Change:
    kind = item.text("kind")
    shape, required = _CHANGES.get(kind, (Change, ()))
    for name in required:
        item.text(name)
    return shape(
        change_id=item.text("change_id"),
        kind=kind,
        occurred_at=item.time("occurred_at"),
        dataset=item.optional_text("dataset"),
        record_id=item.optional_text("record_id"),
        consent_id=item.optional_text("consent_id"),
        disclosure_ids=item.texts("disclosure_ids"),
        uscc=item.optional_text("uscc"),
        questions=item.texts("questions"),
    )


def _withheld(item: Reader) -> Withheld:
    return Withheld(
        dataset=item.text("dataset"), reason=item.text("reason"), fields=item.texts("fields")
    )


def _consent_use(body: Reader) -> ConsentUse | None:
    item = body.optional_object("consent")
    if item is None:
        return None
    return ConsentUse(
        consent_id=item.text("consent_id"),
        valid_until=item.optional_time("valid_until"),
        uses_left=item.optional_integer("uses_left"),
        separate_consents=separate_consents(item),
    )


def separate_consents(body: Reader) -> tuple[SeparateConsent, ...]:
    """Member `separate_consents`; empty in answers of before there was one."""
    return tuple(
        SeparateConsent(
            given_by=item.text("given_by"),
            dataset=item.optional_text("dataset"),
            fields=item.texts("fields"),
            question=item.optional_text("question"),
        )
        for item in body.optional_objects("separate_consents")
    )


def read_log_promise(body: Reader) -> LogPromise | None:
    item = body.optional_object("log_promise")
    if item is None:
        return None
    return LogPromise(
        leaf_hash=item.text("leaf_hash"),
        log=item.optional_text("log"),
        merge_by=item.optional_time("merge_by"),
    )


def _consent(body: Reader, evidence: Evidence) -> Consent:
    enterprise = body.optional_object("enterprise")
    return Consent(
        consent_id=body.text("consent_id"),
        status=body.text("status"),
        uscc=enterprise.optional_text("uscc") if enterprise else None,
        purpose=body.optional_text("purpose"),
        datasets=body.texts("datasets"),
        questions=body.texts("questions"),
        valid_until=body.optional_time("valid_until"),
        max_uses=body.optional_integer("max_uses"),
        uses_left=body.optional_integer("uses_left"),
        separate_consents=separate_consents(body),
        requested_at=body.optional_time("requested_at"),
        decided_at=body.optional_time("decided_at"),
        evidence=evidence,
    )
