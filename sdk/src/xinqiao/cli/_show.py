"""Terminal output of results. Notes go to stderr, so that stdout can be piped."""

from __future__ import annotations

import json as jsonlib
from typing import TYPE_CHECKING, Final, cast

import typer
from rich.cells import cell_len
from rich.text import Text

from xinqiao._core.wire import parsing
from xinqiao._core.wire.json_reader import Reader
from xinqiao._core.wire.strict import parse_json, parse_time
from xinqiao.cli import _printing
from xinqiao.cli._errors import InputError, repeat_sentence, what_happened, what_to_do
from xinqiao.cli._evidence import OK, QUERIES, VERIFICATIONS, evidence_facts, path_of
from xinqiao.cli._language import (
    Language,
    code_label,
    dataset_label,
    duration_text,
    field_label,
    moment_text,
    nothing_found,
    text,
    with_code,
)
from xinqiao.errors import EvidenceUnreadable, ReceiptInvalid, SignatureInvalid, XinqiaoError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from xinqiao import (
        Answer,
        ConsentRecord,
        Evidence,
        Limits,
        QueryPage,
        Questions,
        Record,
        ToldOutcome,
        Verification,
    )
    from xinqiao._core.wire.results import ConsentUse

_ANSWER_STYLES: Final = {"yes": "bold green", "no": "bold red", "not_determined": "yellow"}


def verification(result: Verification, language: Language) -> None:
    """Print the answers of a verification."""
    _print_answers(result, language)
    moment = moment_text(result.as_of)
    _printing.note(text("answered", language, moment=moment, disclosure_id=result.disclosure_id))
    _print_signature(result.evidence, language)


def told_outcome(told: ToldOutcome, language: Language) -> None:
    """Print the outcome of an application as the enterprise sees it now."""
    for indent, code in (("", told.outcome), *(("  ", each) for each in told.reasons)):
        _printing.line(f"{indent}{with_code(code_label('outcomes', code, language), code)}")
    moment = moment_text(told.told_at)
    _printing.note(text("told", language, moment=moment, disclosure_id=told.disclosure_id))
    _print_signature(told.evidence, language)


def records(page: QueryPage, language: Language) -> None:
    """Print one page of records, a line for each field: a terminal wraps them, nothing is cut."""
    for record in page.records:
        name = dataset_label(record.dataset, language)
        _printing.heading(
            f"{with_code(name, record.dataset)}  {record.record_id} v{record.version}"
        )
        told = {name: each for name, each in record.fields.items() if each not in (None, "", [])}
        labels = {each: _label(record.dataset, each, language) for each in told}
        width = max(map(cell_len, labels.values()), default=0)
        for each, value in told.items():
            _printing.row(labels[each], Text(_plain(value, language)), width=width)
        _printing.line(f"  {record.source.name}, {moment_text(record.source_time)}", style="dim")
        _printing.line(f"  {_term(record, language)}", style="dim")
        if record.objection is not None:
            _printing.line(f"  {text('objection', language)}", style="yellow")
    for item in page.withheld:
        name = with_code(dataset_label(item.dataset, language), item.dataset)
        fields = ", ".join(_label(item.dataset, each, language) for each in item.fields)
        reason = with_code(text(item.reason, language), item.reason)
        parts = (text("withheld", language), name, fields, reason)
        _printing.note(": ".join(filter(None, parts)), style="yellow")
    moment = moment_text(page.as_of)
    _printing.note(text("answered", language, moment=moment, disclosure_id=page.disclosure_id))
    if page.consent is not None:
        _printing.note(_consent_use(page.consent, language))
    _print_signature(page.evidence, language)


def empty_datasets(pages: Sequence[QueryPage], language: Language) -> None:
    """Print a line for each dataset of a query that was given and has no record on any page."""
    first = pages[0]
    request = parse_json(first.evidence.exchange.request_body)
    asked = first.bundle_datasets or request["datasets"]
    found = {record.dataset for page in pages for record in page.records}
    closed = {item.dataset for item in first.withheld if not item.fields}
    for name in asked:
        if name not in found | closed:
            said = nothing_found(name, first.as_of, language)
            _printing.out.print(
                f"{dataset_label(name, language)} ({name}): {said}",
                soft_wrap=True,
                highlight=False,
            )


def questions(catalogue: Questions, language: Language) -> None:
    """Print the catalogue of questions: tag, value to compare, whether it needs consent, title."""
    version = catalogue.catalogue_version or ""
    _printing.out.print(
        text("catalogue", language, version=version), style="italic", highlight=False
    )
    for q in catalogue:
        wanted = _value_hint(q.details.get("value"), language)
        if q.details.get("needs_consent"):
            wanted += f"  ({text('needs_consent', language)})"
        _printing.out.print(
            Text(q.question, style="bold").append(wanted, style="cyan"), soft_wrap=True
        )
        if title := q.details.get("title"):
            shown = title.get(language, title) if isinstance(title, dict) else title
            _printing.out.print(Text(f"  {_plain(shown, language)}"), soft_wrap=True)
    _print_signature(catalogue.evidence, language)


def limits(found: Limits, language: Language) -> None:
    """Print what is left of each limit, and the last refusal."""
    labels = [f"{each.name} {each.endpoint or ''}".rstrip() for each in found]
    width = max(map(cell_len, labels), default=0)
    for label, each in zip(labels, found, strict=True):
        kind = "limit_left" if each.refill else "limit_full"
        kind = "limit_of_each" if each.remaining is None else kind
        told = text(
            kind,
            language,
            remaining=f"{each.remaining:,}" if each.remaining is not None else "",
            quota=f"{each.quota:,}",
            window=duration_text(each.window, language),
            refill=duration_text(each.refill or 0, language),
        )
        style = "red" if each.remaining == 0 else ""
        _printing.row(label, Text(told, style=style), width=width)
    if (last := found.last_refusal) is not None:
        refused, fits = moment_text(last.refused_at), moment_text(last.fits_at)
        _printing.note(text("last_refusal", language, limit=last.limit, refused=refused, fits=fits))
    _print_signature(found.evidence, language)


def evidence(verified: Evidence, language: Language) -> None:
    """Print what verified evidence proves."""
    exchange = verified.exchange
    moment = moment_text(verified.signed_at)
    _printing.line(text("authentic", language, moment=moment), style="bold green")
    _printing.line(f"  {exchange.method} {exchange.target_uri} → {exchange.status}")
    _printing.line(f"  {text('signed_by', language, keyid=verified.keyid)}")
    if verified.request_key is not None:
        _printing.line(
            f"  {text('request_signed_by', language, keyid=verified.request_key['kid'])}"
        )
    _printing.rows(evidence_facts(verified, language))
    if verified.status == OK and path_of(verified) == QUERIES:
        _print_terms(parsing.records(Reader.body(verified)), language)
    elif verified.status == OK and path_of(verified) == VERIFICATIONS:
        _print_answers(cast("Verification", parsing.result(verified)), language)
    _printing.line(f"  {text('relied_on', language)}", style="dim")


def consent_record(verified: ConsentRecord, language: Language) -> None:
    """Print which events of a consent the log proves."""
    moment = moment_text(verified.issued_at)
    _printing.line(text("consent_record", language, moment=moment), style="bold green")
    for event in verified.record["xq:events"]:
        number = event["dct:identifier"]
        moment = moment_text(parse_time(event["dct:date"]))
        said = f"  {number} {moment} {text(event['xq:act'], language)}: "
        _print_event(said, language, proven=number in verified.proven)
    if verified.kept_proven is not None:
        moment = moment_text(parse_time(verified.record["xq:kept"]["dct:date"]))
        said = f"  · {moment} {text('kept', language)}: "
        _print_event(said, language, proven=verified.kept_proven)


def _consent_use(use: ConsentUse, language: Language) -> str:
    return text(
        "under_consent",
        language,
        consent_id=use.consent_id,
        until="-" if use.valid_until is None else moment_text(use.valid_until),
        uses=text("unlimited", language) if use.uses_left is None else use.uses_left,
    )


def _print_terms(found: Iterable[Record], language: Language) -> None:
    """Print until when records may be used, a line for those of a dataset that end together."""
    together: dict[tuple[str, str], list[str]] = {}
    for record in found:
        together.setdefault((record.dataset, _term(record, language)), []).append(record.record_id)
    for (dataset, term), ids in together.items():
        which = ids[0] if len(ids) == 1 else text("report_records", language, count=len(ids))
        _printing.line(f"  {with_code(dataset_label(dataset, language), dataset)} {which}: {term}")


def _term(record: Record, language: Language) -> str:
    if record.use_until is None or record.delete_by is None:
        return text("no_term", language)
    ends = {"use_until": record.use_until, "delete_by": record.delete_by}
    return text("term", language, **{name: moment_text(each) for name, each in ends.items()})


def _print_event(said: str, language: Language, *, proven: bool) -> None:
    name, style = ("in_the_log", "green") if proven else ("not_proven", "yellow")
    _printing.out.print(Text(said).append(text(name, language), style=style), soft_wrap=True)


def answer(evidence: Evidence, language: Language) -> None:
    """Print an answer as received."""
    style = "green" if evidence.status < 400 else "red"  # noqa: PLR2004
    _printing.notes.print(f"HTTP {evidence.status}", style=style)
    _print_signature(evidence, language)
    json(evidence)


def key_files(private: Path, public: Path, language: Language) -> None:
    """Print what to do with the two files of `keygen`."""
    for name, path in (("private_key", private), ("public_key", public)):
        _printing.line(text(name, language, path=path))


def warning(code: str, language: Language) -> None:
    """Print a warning on what was typed."""
    _printing.note(f"! {text(code, language)}", style="yellow")


def json(evidence: Evidence) -> None:
    """Print a body unchanged, to the byte, so that a saved copy still verifies."""
    typer.echo(evidence.body, nl=not evidence.body.endswith(b"\n") and evidence.body != b"")


def saved(path: Path, language: Language) -> None:
    """Print where evidence was kept."""
    _printing.note(text("saved", language, path=path))


def repeat_with(key: str, language: Language) -> None:
    """Print how to get an answer again that was not delivered."""
    _printing.note(repeat_sentence(key, language), style="yellow")


def error(error: XinqiaoError | InputError, language: Language) -> None:
    """Print what happened in one line, and below it what to do."""
    mark = _verdict(error) if language is Language.EN else ""
    said = f"✘ {mark}{what_happened(error, language)}"
    _printing.notes.print(Text(said, style="bold red"), soft_wrap=True)
    for advice in what_to_do(error, language):
        _printing.notes.print(Text(f"  {advice}"), soft_wrap=True)


def _verdict(error: XinqiaoError | InputError) -> str:
    if isinstance(error, EvidenceUnreadable):
        return "Cannot be read as evidence: "
    return "NOT AUTHENTIC: " if isinstance(error, SignatureInvalid | ReceiptInvalid) else ""


def _print_signature(evidence: Evidence, language: Language) -> None:
    moment = moment_text(evidence.signed_at)
    _printing.note(text("signature", language, keyid=evidence.keyid, moment=moment))


def _print_answers(result: Verification, language: Language) -> None:
    purpose = with_code(code_label("purposes", result.purpose, language), result.purpose)
    _printing.heading(f"{result.uscc}  {purpose}")
    labels = [_question_label(each, language) for each in result.answers]
    width = max(map(cell_len, labels), default=0)
    for label, each in zip(labels, result.answers, strict=True):
        said = Text(text(each.answer, language), style=_ANSWER_STYLES[each.answer])
        match = f"  ({text(each.match, language)})" if each.match else ""
        _printing.row(label, said.append(match, style="dim"), width=width)


def _question_label(answer: Answer, language: Language) -> str:
    return with_code(code_label("questions", answer.question, language), answer.question)


def _label(dataset: str, name: str, language: Language) -> str:
    """Name of a field in the reader's language, and as on the wire."""
    return with_code(field_label(dataset, name, language), name)


def _value_hint(value: object, language: Language) -> str:
    """Format of the value after `=` in `ask`: a text, a closed list, an object, or none."""
    if not isinstance(value, dict) or value.get("type") == "none":
        return ""
    choices = value.get("one_of")
    wanted = " | ".join(map(str, choices)) if isinstance(choices, list) else "…"
    if isinstance(members := value.get("members"), list):
        wanted = "'{" + ", ".join(f'"{each}": "…"' for each in members) + "}'"
    if value.get("required"):
        return f"={wanted}"
    consent = f", {text('value_needs_consent', language)}" if value.get("needs_consent") else ""
    return f"[={wanted}{consent}]"


def _plain(value: object, language: Language) -> str:
    """A value in the reader's language, and its code beside it."""
    if isinstance(value, bool):
        return text("true" if value else "false", language)
    if isinstance(value, dict):
        return " · ".join(_plain(part, language) for part in value.values() if part is not True)
    if isinstance(value, list):
        return " / ".join(_plain(each, language) for each in value)
    if isinstance(value, str):
        return with_code(code_label("values", value, language), value)
    return jsonlib.dumps(value, ensure_ascii=False)
