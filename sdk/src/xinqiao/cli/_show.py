"""Terminal output of results (rich). Notes go to stderr, so that stdout can be piped."""

from __future__ import annotations

import json as jsonlib
from typing import TYPE_CHECKING, Final

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from xinqiao._core import parsing
from xinqiao._core.json_reader import Reader
from xinqiao.errors import (
    ProtocolError,
    ReceiptInvalid,
    ServerUnavailable,
    SignatureInvalid,
    XinqiaoError,
)

if TYPE_CHECKING:
    from pathlib import Path

    from xinqiao import ConsentRecord, Evidence, QueryPage, Questions, Record, Verification

out: Final = Console(emoji=False, markup=False)
notes: Final = Console(stderr=True, emoji=False, markup=False)

_ANSWER_TEXT: Final = {
    "yes": Text("✔ yes", style="bold green"),
    "no": Text("✘ no", style="bold red"),
    "not_determined": Text("? not determined", style="yellow"),
}


def verification(result: Verification) -> None:
    """Print the answers of a verification."""
    table = Table(title=f"{result.uscc}  {result.purpose}", title_justify="left")
    table.add_column("question")
    table.add_column("answer")
    table.add_column("match", style="dim")
    for answer in result.answers:
        table.add_row(answer.question, _ANSWER_TEXT[answer.answer], answer.match or "")
    out.print(table)
    notes.print(f"as of {result.as_of.isoformat()}, disclosure {result.disclosure_id}", style="dim")
    _print_signature(result.evidence)


def records(page: QueryPage) -> None:
    """Print one page of records."""
    for record in page.records:
        table = Table(title=f"{record.dataset}  {record.record_id} v{record.version}")
        table.title_justify = "left"
        table.add_column("field", style="cyan")
        table.add_column("value", overflow="fold")
        for name, value in record.fields.items():
            table.add_row(name, Text(_plain(value)))
        out.print(table)
        notes.print(f"{record.source.name}, {record.source_time.isoformat()}", style="dim")
        notes.print(_term(record), style="dim")
        if record.objection is not None:
            notes.print("The enterprise objects to this record.", style="yellow")
    if not page.records:
        as_of = page.as_of.isoformat()
        out.print(
            f"As of {as_of}, no record within its publicity period was found; what by law is not "
            "published, is under appeal or repaired is left out.",
            soft_wrap=True,
        )
    for item in page.withheld:
        fields = f" ({', '.join(item.fields)})" if item.fields else ""
        notes.print(f"withheld: {item.dataset}{fields}: {item.reason}", style="yellow")
    _print_signature(page.evidence)


def questions(catalogue: Questions) -> None:
    """Print the catalogue of questions: tag, value to compare, whether it needs consent, title."""
    out.print(f"catalogue {catalogue.catalogue_version or ''}", style="italic", highlight=False)
    for q in catalogue:
        wanted = _value_hint(q.details.get("value"))
        if q.details.get("needs_consent"):
            wanted += "  (needs consent)"
        out.print(Text(q.question, style="bold").append(wanted, style="cyan"))
        if title := q.details.get("title"):
            out.print(Text(f"  {_plain(title)}"), soft_wrap=True)
    _print_signature(catalogue.evidence)


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


def _term(record: Record) -> str:
    if record.use_until is None or record.delete_by is None:
        return "no end of its use was told"
    return f"use until {record.use_until.isoformat()}, delete by {record.delete_by.isoformat()}"


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


def _print_signature(evidence: Evidence) -> None:
    when = evidence.signed_at.isoformat()
    notes.print(f"signature verified: key {evidence.keyid}, {when}", style="dim", highlight=False)


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
