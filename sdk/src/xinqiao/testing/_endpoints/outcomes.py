"""Outcomes that a client told the fake gateway of its queries."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from xinqiao.testing._rules.lifetimes import MERGE, OUTCOME
from xinqiao.testing._rules.request_rules import Body, Wrong
from xinqiao.testing._state.transparency_log import FakeLog

_PATH: Final = re.compile(r"/v1/queries/([A-Za-z0-9_-]{1,64})/outcome", re.ASCII)
_NOT_YOURS: Final = "You have made no such query that was answered."
_TOO_LATE: Final = f"An outcome is told within {OUTCOME.days} days of its query."
_REPLACED: Final = "This outcome was replaced once: it stays as it is."
_MOST_VERSIONS: Final = 2


def query_of_path(path: str) -> str | None:
    """The query's id in the path of its outcome."""
    found = _PATH.fullmatch(path)
    return found[1] if found else None


@dataclass(slots=True, kw_only=True)
class FakeOutcomes:
    """Queries by id with their time, and the versions of their outcomes as on the wire."""

    queries: dict[str, datetime] = field(default_factory=dict)
    told: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def tell(self, query: str, body: Body, when: datetime, log: FakeLog) -> dict[str, Any] | Wrong:
        """The outcome as it stands after this call."""
        reasons = list(body.get("reasons", ()))
        wrong = _problem(body["outcome"], reasons)
        if wrong is not None:
            return Wrong("invalid_request", wrong)
        if query not in self.queries:
            return Wrong("not_found", _NOT_YOURS)
        versions = self.told.setdefault(query, [])
        said = {"outcome": body["outcome"], "reasons": reasons}
        if not versions or _differs(said, versions[-1]):
            if when >= self.queries[query] + OUTCOME:
                return Wrong("conflict", _TOO_LATE)
            if len(versions) >= _MOST_VERSIONS:
                return Wrong("conflict", _REPLACED)
            promise = {
                "leaf_hash": log.append(f"{query}-o{len(versions) + 1}"),
                "log": log.url,
                "merge_by": (when + MERGE).isoformat(),
            }
            versions.append({**said, "told_at": when.isoformat(), "log_promise": promise})
        earlier = [_without_promise(each) for each in versions[:-1]]
        replaced = {"replaced": earlier[0]} if earlier else {}
        return {"disclosure_id": query, **versions[-1], **replaced}


def _differs(said: Mapping[str, Any], held: Mapping[str, Any]) -> bool:
    return any(held[name] != value for name, value in said.items())


def _without_promise(version: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in version.items() if name != "log_promise"}


def _problem(outcome: str, reasons: list[str]) -> str | None:
    if len(set(reasons)) < len(reasons):
        return "Name each reason once."
    if outcome == "refused" and not reasons:
        return "Give at least one reason for a refusal."
    if reasons and outcome in {"approved", "withdrawn"}:
        return f"{outcome} has no reasons."
    return None
