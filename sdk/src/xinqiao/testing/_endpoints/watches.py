"""Watch lists of the fake gateway: put, shown, listed and deleted by the gateway's rules.

A test tells that a watched answer has changed (`change_answer`); the lists only say what is watched.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import httpx2

from xinqiao._core.api.bundles import NOT_BOTH
from xinqiao._core.wire.closed_lists import PURPOSES, QUESTION_RULES
from xinqiao._core.wire.uscc import is_code, normalise
from xinqiao.testing._rules.http_rules import problem_of, read_body, unreadable, wrong_parameter
from xinqiao.testing._rules.published import BUNDLES
from xinqiao.testing._rules.request_rules import Body, Wrong
from xinqiao.testing._state.enterprises import FakeAgreement

from .bundles import bundle_problem, covered_tags
from .signing import json_response, problem

WATCHES: Final = "/v1/watches"
_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
_MOST_ENTERPRISES, _MOST_LISTS, _MOST_PLACES = 10_000, 100, 10
_LARGEST_BODY: Final = 512 * 1024
_DAY: Final = 24 * 3600
_TOO_MANY: Final = f"A list holds at most {_MOST_ENTERPRISES} enterprises."
_TOO_MANY_LISTS: Final = f"A client has at most {_MOST_LISTS} lists."
_NOTHING: Final = "Mend these members: questions: watch at least one, or name a bundle."


@dataclass(slots=True, kw_only=True)
class FakeWatches:
    """The client's lists by name, each as `GET` shows it."""

    agreement: FakeAgreement
    lists: dict[str, dict[str, Any]] = field(default_factory=dict)

    def answer(self, request: httpx2.Request, when: datetime) -> httpx2.Response:
        """Answer a call of `/v1/watches` or of one list."""
        name = request.url.path.removeprefix(WATCHES).removeprefix("/")
        if request.method not in ({"GET", "PUT", "DELETE"} if name else {"GET"}):
            return problem_of("method_not_allowed")
        return wrong_parameter(request) or (
            self._of_list(request, name, when) if name else self._all()
        )

    def _all(self) -> httpx2.Response:
        shown = [_brief(self.lists[each]) for each in sorted(self.lists)]
        return json_response(200, {"watches": shown})

    def _of_list(self, request: httpx2.Request, name: str, when: datetime) -> httpx2.Response:
        if not _NAME.fullmatch(name):
            return problem_of("invalid_request")
        if request.method == "PUT":
            return self._put(request, name, when)
        if name not in self.lists:
            return problem_of("not_found")
        if request.method == "GET":
            return json_response(200, self.lists[name])
        del self.lists[name]
        return httpx2.Response(204)

    def _put(self, request: httpx2.Request, name: str, when: datetime) -> httpx2.Response:
        unread = unreadable(request, largest=_LARGEST_BODY)
        if unread is not None:
            return problem_of(unread.code, detail=unread.detail)
        body = read_body(request)
        if isinstance(body, httpx2.Response):
            return body
        full = len(body["enterprises"]) > _MOST_ENTERPRISES
        if full or (name not in self.lists and len(self.lists) >= _MOST_LISTS):
            sentence = _TOO_MANY if full else _TOO_MANY_LISTS
            return problem(429, "quota_exhausted", retry_after=_DAY, detail=sentence)
        tags = self._tags(body)
        found = tags if isinstance(tags, Wrong) else self._problem(body, tags)
        if isinstance(found, Wrong):
            return problem_of(found.code, detail=found.detail)
        self.lists[name] = {
            "name": name,
            "purpose": body["purpose"],
            "questions": list(tags),
            "count": len(body["enterprises"]),
            "status": "watching",
            "created_at": self.lists.get(name, {}).get("created_at", when.isoformat()),
            "replaced_at": when.isoformat(),
            "enterprises": sorted(map(normalise, body["enterprises"])),
        }
        return json_response(200, _brief(self.lists[name]))

    def _tags(self, body: Body) -> Sequence[str] | Wrong:
        """The questions that are watched, or those of the bundle that is named."""
        if body["purpose"] not in PURPOSES:
            return Wrong("unknown_purpose")
        tags, bundle = body.get("questions") or (), body.get("bundle")
        if bundle is None:
            return _tags_problem(tags) or tags
        wrong = Wrong("invalid_request", NOT_BOTH) if tags else bundle_problem(body)
        if wrong is not None:
            return wrong
        known = covered_tags(BUNDLES[bundle], self.agreement)
        sentence = f"Your agreement covers nothing of the bundle {bundle} that can be watched."
        watched = [each for each in known if not QUESTION_RULES[each].needs_consent]
        return watched or Wrong("not_in_agreement", sentence)

    def _problem(self, body: Body, tags: Sequence[str]) -> Wrong | None:
        codes = [normalise(each) for each in body["enterprises"]]
        malformed = [place for place, code in enumerate(codes) if not is_code(code)]
        if malformed:
            return _places("invalid_uscc", malformed, "not a unified social credit code")
        counts = Counter(codes)
        repeated = [place for place, code in enumerate(codes) if counts[code] > 1]
        if repeated:
            return _places("invalid_request", repeated, "named more than once")
        outside = self.agreement.missing(purpose=body["purpose"], questions=tags)
        sentence = f"Your agreement does not cover: {', '.join(outside)}."
        return Wrong("not_in_agreement", sentence) if outside else None


def _tags_problem(tags: Sequence[str]) -> Wrong | None:
    if not tags:
        return Wrong("invalid_request", _NOTHING)
    if not set(tags) <= QUESTION_RULES.keys():
        return Wrong("unknown_question")
    if len(set(tags)) < len(tags):
        return Wrong("invalid_request", "Name each question once.")
    closed = ", ".join(each for each in tags if QUESTION_RULES[each].needs_consent)
    sentence = f"What needs a consent cannot be watched: {closed}."
    return Wrong("invalid_request", sentence) if closed else None


def _places(code: str, places: Iterable[int], why: str) -> Wrong:
    found = list(places)
    named = ", ".join(f"enterprises[{place}]" for place in found[:_MOST_PLACES])
    more = f" and {len(found) - _MOST_PLACES} more" if len(found) > _MOST_PLACES else ""
    return Wrong(code, f"{named}{more}: {why}.")


def _brief(held: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in held.items() if name != "enterprises"}
