"""Run an implementation of name comparison against the published vectors, over stdin and stdout.

`python -m verification.vectors_check [--version names.v2] [--patience 30] -- COMMAND ARGUMENTS…`

The command gets one JSON object a line: `id`, `version`, `attribute`, `held` (`name`, and perhaps
`former_names`) and `asserted`. It writes one a line, in any order: `id`, `answer` (`yes`, `no` or
`not_determined`), beside a yes `match` (`strict` or `loose`), and, if it likes, the asserted name's
`strict` and `loose` form and `also`, which are then compared too. Other members are ignored.

Exit status: 0 where every reply is as expected and the command ended with 0; 1 where not; 2 where the
command could not be started.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from verification.answer_vectors import VERSIONS, AnswerVector, answer_vectors, difference
from verification.line_exchange import LONGEST_LINE, LineExchange, SilentError

SHOWN: Final = 50
"""Failures in the table; the rest is counted."""
MOST_UNREADABLE: Final = 100
"""Unreadable lines after which the command is stopped."""


@dataclass(kw_only=True)
class Outcome:
    """Outcome of a run: wrong replies, missing ones, and faults of the command."""

    asked: int
    wrong: list[tuple[AnswerVector, str]] = field(default_factory=list)
    missing: list[AnswerVector] = field(default_factory=list)
    amiss: list[str] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        """True where every reply came and was as expected, and nothing was amiss."""
        return not (self.wrong or self.missing or self.amiss)


def check(
    command: Sequence[str], vectors: Sequence[AnswerVector], *, patience: float = 30
) -> Outcome:
    """The outcome of a command; raises `OSError` where it cannot be started."""
    waiting = {each.id: each for each in vectors}
    outcome = Outcome(asked=len(waiting))
    requests = (json.dumps(each.request()) for each in vectors)
    exchange = LineExchange(command, requests, patience=patience)
    try:
        if not _take_replies(exchange, waiting, outcome):
            outcome.amiss.append("it was stopped")
        elif (status := exchange.ended()) is None:
            outcome.amiss.append("it did not end")
        elif status:
            outcome.amiss.append(f"it ended with status {status}")
    except SilentError:
        outcome.amiss.append(f"it wrote nothing for {patience:g} seconds, and was stopped")
    finally:
        exchange.close()
    outcome.missing.extend(waiting.values())
    return outcome


def _take_replies(
    exchange: LineExchange, waiting: dict[str, AnswerVector], outcome: Outcome
) -> bool:
    """Take replies to the end of the output; false where too many lines are unreadable."""
    for line in exchange.lines():
        reply = _reply(line)
        vector = waiting.pop(str(reply.get("id")), None)
        if vector is None:
            outcome.amiss.append(f"a line that answers nothing: {line[:60]!a}")
        elif found := difference(vector, reply):
            outcome.wrong.append((vector, found))
        if len(outcome.amiss) >= MOST_UNREADABLE:
            return False
    return True


def _reply(line: bytes) -> dict[str, Any]:
    """The reply in a line; empty where the line is none."""
    if len(line) >= LONGEST_LINE:
        return {}
    try:
        read = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return read if isinstance(read, dict) else {}


def report(outcome: Outcome) -> str:
    """The outcome as a table of failures and a last line that sums up."""
    rows = [(each.id, found, each) for each, found in outcome.wrong]
    rows += [(each.id, "no reply", each) for each in outcome.missing]
    width = max((len(name) for name, *_ in rows[:SHOWN]), default=0)
    lines = []
    for name, found, vector in rows[:SHOWN]:
        lines += [
            f"{name:<{width}}  {found}",
            f"{'':<{width}}  held {json.dumps(vector.held)}, asserted {json.dumps(vector.asserted)}",
            f"{'':<{width}}  {vector.reason}",
        ]
    if len(rows) > SHOWN:
        lines.append(f"and {len(rows) - SHOWN} more")
    lines += [f"The command: {each}." for each in outcome.amiss[:SHOWN]]
    right = outcome.asked - len(rows)
    lines.append(f"{right} of {outcome.asked} as expected.")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m verification.vectors_check")
    parser.add_argument("--version", choices=VERSIONS, help="one version only")
    parser.add_argument("--patience", type=float, default=30, help="seconds without a line")
    parser.add_argument("command", nargs="+", help="the command, after --")
    given = parser.parse_args(arguments)
    versions = (given.version,) if given.version else VERSIONS
    try:
        outcome = check(given.command, answer_vectors(versions), patience=given.patience)
    except OSError as failure:
        sys.stderr.write(f"{given.command[0]} cannot be started: {failure.strerror}.\n")
        return 2
    sys.stdout.write(report(outcome) + "\n")
    return 0 if outcome.passed else 1


if __name__ == "__main__":
    sys.exit(main())
