"""Terminal output of results (rich). Notes go to stderr, so that stdout can be piped."""

from __future__ import annotations

import json as jsonlib
from typing import TYPE_CHECKING, Final

import typer
from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from xinqiao._core import parsing
from xinqiao._core.json_reader import Reader
from xinqiao._core.strict import parse_json
from xinqiao.cli._language import Language, dataset_label, field_label, nothing_found, text
from xinqiao.errors import (
    ProtocolError,
    ReceiptInvalid,
    ServerUnavailable,
    SignatureInvalid,
    XinqiaoError,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from xinqiao import Answer, ConsentRecord, Evidence, QueryPage, Questions, Record, Verification

out: Final = Console(emoji=False, markup=False)
notes: Final = Console(stderr=True, emoji=False, markup=False)

_ANSWER_STYLES: Final = {"yes": "bold green", "no": "bold red", "not_determined": "yellow"}


def verification(result: Verification, language: Language) -> None:
    """Print the answers of a verification."""
    _print_heading(f"{result.uscc}  {result.purpose}")
    for answer in result.answers:
        said = Text(text(answer.answer, language), style=_ANSWER_STYLES[answer.answer])
        match = f"  ({answer.match})" if answer.match else ""
        _print_row(answer.question, said.append(match, style="dim"), width=_width(result.answers))
    moment = result.as_of.isoformat()
    _note(text("answered", language, moment=moment, disclosure_id=result.disclosure_id))
    _print_signature(result.evidence, language)


def records(page: QueryPage, language: Language) -> None:
    """Print one page of records, a line for each field: a terminal wraps them, nothing is cut."""
    for record in page.records:
        name = dataset_label(record.dataset, language)
        _print_heading(f"{name} ({record.dataset})  {record.record_id} v{record.version}")
        labels = {each: _label(record.dataset, each, language) for each in record.fields}
        width = max(map(cell_len, labels.values()), default=0)
        for each, value in record.fields.items():
            _print_row(labels[each], Text(_plain(value)), width=width)
        _note(f"{record.source.name}, {record.source_time.isoformat()}")
        _note(_term(record, language))
        if record.objection is not None:
            _note(text("objection", language), style="yellow")
    for item in page.withheld:
        name = f"{dataset_label(item.dataset, language)} ({item.dataset})"
        fields = ", ".join(_label(item.dataset, each, language) for each in item.fields)
        parts = (text("withheld", language), name, fields, text(item.reason, language))
        _note(": ".join(filter(None, parts)), style="yellow")
    _print_signature(page.evidence, language)


def empty_datasets(pages: Sequence[QueryPage], language: Language) -> None:
    """Print a line for each dataset of a query that was given and has no record on any page."""
    first = pages[0]
    asked = parse_json(first.evidence.exchange.request_body)["datasets"]
    found = {record.dataset for page in pages for record in page.records}
    closed = {item.dataset for item in first.withheld if not item.fields}
    for name in asked:
        if name not in found | closed:
            said = nothing_found(name, first.as_of, language)
            out.print(
                f"{dataset_label(name, language)} ({name}): {said}",
                soft_wrap=True,
                highlight=False,
            )


def questions(catalogue: Questions, language: Language) -> None:
    """Print the catalogue of questions: tag, value to compare, whether it needs consent, title."""
    out.print(f"catalogue {catalogue.catalogue_version or ''}", style="italic", highlight=False)
    for q in catalogue:
        wanted = _value_hint(q.details.get("value"))
        if q.details.get("needs_consent"):
            wanted += "  (needs consent)"
        out.print(Text(q.question, style="bold").append(wanted, style="cyan"))
        if title := q.details.get("title"):
            shown = title.get(language, title) if isinstance(title, dict) else title
            out.print(Text(f"  {_plain(shown)}"), soft_wrap=True)
    _print_signature(catalogue.evidence, language)


def evidence(verified: Evidence) -> None:
    """Print what verified evidence proves."""
    exchange = verified.exchange
    out.print(
        f"✔ authentic as of {verified.signed_at.isoformat()}", style="bold green", highlight=False
    )
    out.print(f"  {exchange.method} {exchange.target_uri} → {exchange.status}", highlight=False)
    out.print(f"  signed by key {verified.keyid}", highlight=False)
    if exchange.target_uri.endswith("/v1/queries") and verified.status == 200:  # noqa: PLR2004
        for record in parsing.records(Reader.body(verified)):
            line = f"  {record.dataset} {record.record_id}: {_term(record)}"
            out.print(line, highlight=False, soft_wrap=True)
    out.print("  Whether it may still be relied on, only the gateway can say.", style="dim")


def consent_record(verified: ConsentRecord) -> None:
    """Print which events of a consent the log proves."""
    out.print(
        f"✔ consent record authentic as of {verified.issued_at.isoformat()}",
        style="bold green",
        highlight=False,
    )
    for event in verified.record["xq:events"]:
        number = event["dct:identifier"]
        line = f"  {number} {event['dct:date']} {event['xq:act']}: "
        _print_event(line, proven=number in verified.proven)
    if verified.kept_proven is not None:
        line = f"  · {verified.record['xq:kept']['dct:date']} kept by a new legal representative: "
        _print_event(line, proven=verified.kept_proven)


def _term(record: Record, language: Language = Language.EN) -> str:
    if record.use_until is None or record.delete_by is None:
        return text("no_term", language)
    ends = {"use_until": record.use_until, "delete_by": record.delete_by}
    return text("term", language, **{name: each.isoformat() for name, each in ends.items()})


def _print_event(line: str, *, proven: bool) -> None:
    said = ("in the log", "green") if proven else ("not proven by the log", "yellow")
    out.print(Text(line).append(said[0], style=said[1]), soft_wrap=True)


def answer(evidence: Evidence) -> None:
    """Print an answer as received."""
    notes.print(f"HTTP {evidence.status}", style="green" if evidence.status < 400 else "red")  # noqa: PLR2004
    _print_signature(evidence)
    json(evidence)


def json(evidence: Evidence) -> None:
    """Print a body unchanged, to the byte, so that a saved copy still verifies."""
    typer.echo(evidence.body, nl=not evidence.body.endswith(b"\n") and evidence.body != b"")


def save_evidence(evidence: Evidence, path: Path | None) -> None:
    """Save evidence to `path`, if one is given."""
    if path is not None:
        notes.print(f"evidence kept in {evidence.save(path)}", style="dim", highlight=False)


def error(error: Exception) -> None:
    """Print an error in one line."""
    mark = "NOT AUTHENTIC: " if isinstance(error, SignatureInvalid | ReceiptInvalid) else ""
    notes.print(Text(f"✘ {mark}{error}", style="bold red"))
    if isinstance(error, XinqiaoError) and error.retry_after is not None:
        notes.print(f"  try again in {error.retry_after} s")
    if isinstance(error, ServerUnavailable | ProtocolError) and error.idempotency_key is not None:
        notes.print(f"  repeat it for nothing with --idempotency-key {error.idempotency_key}")


def _print_signature(evidence: Evidence, language: Language = Language.EN) -> None:
    moment = evidence.signed_at.isoformat()
    _note(text("signature", language, keyid=evidence.keyid, moment=moment))


def _note(said: str, *, style: str = "dim") -> None:
    notes.print(said, style=style, highlight=False, soft_wrap=True)


def _print_heading(said: str) -> None:
    out.print(said, style="bold", highlight=False, soft_wrap=True)


def _print_row(label: str, value: Text, *, width: int) -> None:
    padded = label + " " * (width - cell_len(label))
    out.print(Text(f"  {padded}  ", style="cyan").append_text(value), soft_wrap=True)


def _width(answers: Sequence[Answer]) -> int:
    return max((len(each.question) for each in answers), default=0)


def _label(dataset: str, name: str, language: Language) -> str:
    """Name of a field in the reader's language, and as on the wire."""
    label = field_label(dataset, name, language)
    return name if label == name else f"{label} ({name})"


def _value_hint(value: object) -> str:
    """Format of the value after `=` in `ask`: a text, a closed list, an object, or none."""
    if not isinstance(value, dict) or value.get("type") == "none":
        return ""
    choices = value.get("one_of")
    wanted = " | ".join(map(_plain, choices)) if isinstance(choices, list) else "…"
    if isinstance(members := value.get("members"), list):
        wanted = "'{" + ", ".join(f'"{_plain(each)}": "…"' for each in members) + "}'"
    if value.get("required"):
        return f"={wanted}"
    return f"[={wanted}{', which needs consent' if value.get('needs_consent') else ''}]"


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else ""
    if isinstance(value, dict):
        return " · ".join(_plain(part) for part in value.values() if part is not True)
    if isinstance(value, list):
        return " / ".join(map(_plain, value))
    return value if isinstance(value, str) else jsonlib.dumps(value, ensure_ascii=False)
