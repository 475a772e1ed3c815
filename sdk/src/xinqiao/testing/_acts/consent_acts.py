"""Acts of enterprises on consents in the fake gateway, each with its notice in the client's feed.

Each raises `FakeSetupError` where the real gateway could not do it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Any, Final, TypedDict

from xinqiao._core.wire.uscc import normalise
from xinqiao.testing._endpoints.authorization_server import FakeAuthorizationServer
from xinqiao.testing._rules import consent_rules as rules
from xinqiao.testing._rules.request_rules import Wrong
from xinqiao.testing._rules.setup_checks import FakeSetupError, flag, known
from xinqiao.testing._state.enterprises import FakeConsent
from xinqiao.testing._state.ids import new_id

from .record_acts import FakeRecordActs

_RUNNING: Final = ("active", "paused")
_ONCE_GRANTED: Final = (*_RUNNING, "expired", "exhausted")


class Part(TypedDict):
    """Terms of a consent, and the uses left, where they are given."""

    datasets: Iterable[str] | None
    questions: Iterable[str] | None
    valid_until: date | datetime | None
    max_uses: int | None


class FakeConsentActs(FakeRecordActs):
    """The part of a `FakeGateway` in which a test plays the enterprise."""

    oauth: FakeAuthorizationServer

    @property
    def now(self) -> int:
        """The gateway's time."""
        raise NotImplementedError

    def _consent(
        self, consent: FakeConsent | str, act: str, statuses: Iterable[str]
    ) -> FakeConsent:
        """A consent in one of the states in which the act is possible."""
        consents = self._resources.consents.held
        name = consent.consent_id if isinstance(consent, FakeConsent) else consent
        found = consents[known(name, consents, "id of a consent")]
        status = found.status_at(self._time)
        if status not in statuses or (status == "expired" and not found.was_given):
            *others, last = statuses
            which = f"{', '.join(others)} or {last}" if others else last
            raise FakeSetupError(f"{name!r} is {status}: only one that is {which} can be {act}.")
        return found

    def grant_consent(
        self,
        uscc: str,
        *,
        purpose: str,
        datasets: Iterable[str] = (),
        questions: Iterable[str] = (),
        valid_until: date | datetime | None = None,
        max_uses: int | None = None,
        separate_consents: Iterable[Mapping[str, Any]] = (),
        unseparated: Iterable[str] = (),
        unlicensed: Iterable[str] = (),
    ) -> FakeConsent:
        """Have an enterprise's consent, given before the feed begins: without a notice.

        Change what is returned to pause it. `separate_consents` are as on the wire. As `dataset.field`,
        `unseparated` are fields withheld for want of one, and `unlicensed` an operator's personal fields,
        withheld from an agency without the licence.
        """
        consent = FakeConsent(
            consent_id=new_id("cst"),
            uscc=self._enterprise(uscc),
            purpose=purpose,
            datasets=rules.datasets(datasets),
            questions=rules.questions(questions),
            valid_until=rules.term(valid_until, self._time),
            max_uses=rules.uses(max_uses),
            uses_left=max_uses,
            decided_at=self._time,
            separate_consents=rules.separate_consents(separate_consents),
            unseparated=rules.paths(unseparated, "separate"),
            unlicensed=rules.paths(unlicensed, "personal"),
        )
        if not consent.items:
            raise FakeSetupError("A consent of nothing: give datasets or questions.")
        return self._resources.consents.keep(consent)

    def decide(
        self,
        url: str,
        *,
        grant: bool = True,
        uscc: str | None = None,
        datasets: Iterable[str] | None = None,
        questions: Iterable[str] | None = None,
        valid_until: date | datetime | None = None,
        max_uses: int | None = None,
    ) -> str:
        """Play the enterprise at a consent flow's `url`; return where the browser comes back.

        It grants what was asked, or the part that is given. `uscc` chooses the enterprise where the flow
        leaves it open. Within the cool-down after a refusal of the same, the browser comes back refused,
        whatever `grant` is.
        """
        asked = self.oauth.asked(url, now=self.now)
        part: Part = {
            "datasets": datasets,
            "questions": questions,
            "valid_until": valid_until,
            "max_uses": max_uses,
        }
        named = asked.get("enterprise", {}).get("uscc")
        if named is None and uscc is None:
            if flag(grant, "grant"):
                raise FakeSetupError(
                    "This flow leaves the enterprise open: choose one with uscc=…."
                )
            return self.oauth.decide(url, None, now=self.now)
        chosen = self._enterprise(named if uscc is None else uscc)
        if named is not None and normalise(named) != chosen:
            raise FakeSetupError(f"{uscc!r} is not the enterprise of this flow; that is {named!r}.")
        made = self._resources.consents.request(
            {**asked, "enterprise": {"uscc": chosen}}, self._time
        )
        if isinstance(made, Wrong):  # cooling_down
            return self.oauth.decide(url, None, now=self.now)
        try:
            self._answer_request(made, grant, part)
        except FakeSetupError:
            del self._resources.consents.held[made.consent_id]
            raise
        details = {"type": "credit_data", **made.credit_data()}
        return self.oauth.decide(url, details if grant else None, now=self.now)

    def answer_consent(
        self,
        consent_id: FakeConsent | str,
        *,
        grant: bool = True,
        datasets: Iterable[str] | None = None,
        questions: Iterable[str] | None = None,
        valid_until: date | datetime | None = None,
        max_uses: int | None = None,
    ) -> None:
        """Let the enterprise answer a consent that was asked for by link, with a notice.

        It grants what was asked, or the part that is given. After a refusal the same is `cooling_down` for
        30 days.
        """
        asked = self._consent(consent_id, "answered", ("requested",))
        self._enterprise(asked.uscc)
        part: Part = {
            "datasets": datasets,
            "questions": questions,
            "valid_until": valid_until,
            "max_uses": max_uses,
        }
        self._answer_request(asked, grant, part)

    def _answer_request(self, asked: FakeConsent, grant: bool, part: Part) -> None:  # noqa: FBT001 - as given
        running = asked.amends and self._consent(asked.amends, "amended", _RUNNING)
        before = replace(running) if running else None
        if flag(grant, "grant"):
            self._leave(asked, part)
            self._resources.consents.grant(asked.consent_id, self._time)
        elif any(each is not None for each in part.values()):
            raise FakeSetupError(
                "A refusal grants nothing: leave out datasets, questions, term and uses."
            )
        else:
            self._resources.consents.refuse(asked.consent_id, self._time)
        if grant and running and before:
            self._tell_amendment(before, running)
            return
        kind = "consent_granted" if grant else "consent_refused"
        self._resources.feed.tell_consent(kind, self._time, consent_id=asked.consent_id)

    def _leave(self, consent: FakeConsent, part: Part) -> None:
        """Leave a consent a part of itself."""
        ends, most = rules.term(part["valid_until"], self._time), rules.uses(part["max_uses"])
        datasets, questions = part["datasets"], part["questions"]
        spent = (consent.max_uses or 0) - (consent.uses_left or 0)
        left = replace(
            consent,
            datasets=consent.datasets if datasets is None else rules.datasets(datasets),
            questions=consent.questions if questions is None else rules.questions(questions),
            valid_until=consent.valid_until if ends is None else ends,
            max_uses=consent.max_uses if most is None else most,
            uses_left=consent.uses_left if most is None else max(0, most - spent),
        )
        for name in left.datasets:
            known(name, consent.datasets, "dataset of this consent")
        for name in left.questions:
            known(name, consent.questions, "question of this consent")
        for limit, wider in (
            (left.valid_until, consent.valid_until),
            (left.max_uses, consent.max_uses),
        ):
            if limit is not None and wider is not None and limit > wider:  # type: ignore[operator]
                raise FakeSetupError(f"{limit} is more than this consent has; the most is {wider}.")
        over = left.valid_until is not None and left.valid_until <= self._time
        if not left.items or over or left.uses_left == 0:
            raise FakeSetupError(
                "That leaves nothing of the consent: refuse or withdraw it instead."
            )
        consent.datasets, consent.questions = left.datasets, left.questions
        consent.valid_until = left.valid_until
        consent.max_uses, consent.uses_left = left.max_uses, left.uses_left

    def _tell_amendment(self, before: FakeConsent, after: FakeConsent) -> None:
        """Give notice of the running consent that was changed: of what it lost, and of what it gained."""
        for kind, changed in (
            ("consent_narrowed", not before.is_within(after)),
            ("consent_granted", not after.is_within(before)),
        ):
            if changed:
                self._resources.feed.tell_consent(
                    kind,
                    self._time,
                    consent_id=after.consent_id,
                    taken_back=before.items - after.items if kind == "consent_narrowed" else (),
                )

    def withdraw(self, withdrawn: FakeConsent | str) -> None:
        """Withdraw a consent (itself or its id) or a record (its id), with a notice."""
        consents = self._resources.consents.held
        ids = [*consents, *self._resources.files.record_ids]
        if not isinstance(withdrawn, FakeConsent):
            known(withdrawn, ids, "id of a consent or of a record in a file")
        if isinstance(withdrawn, FakeConsent) or withdrawn in consents:
            self.withdraw_consent(withdrawn)
        else:
            self.end_record(withdrawn)

    def withdraw_consent(self, consent_id: FakeConsent | str) -> None:
        """Withdraw a consent; it holds from the next call, and the notice names all that it gave."""
        consent = self._consent(consent_id, "withdrawn", _ONCE_GRANTED)
        consent.status = "withdrawn"
        self._resources.feed.tell_consent(
            "consent_withdrawn", self._time, consent_id=consent.consent_id, taken_back=None
        )

    def pause_consent(self, consent_id: FakeConsent | str) -> None:
        """Pause a consent, without a notice. Set its `status` to `active` to resume it."""
        self._consent(consent_id, "paused", ("active",)).status = "paused"

    def expire_consent(self, consent_id: FakeConsent | str) -> None:
        """End a consent's term now, with a notice."""
        consent = self._consent(consent_id, "expired", (*_RUNNING, "exhausted"))
        consent.valid_until = self._time
        self._resources.notify_expired(self._time)

    def narrow_consent(
        self,
        consent_id: FakeConsent | str,
        *,
        valid_until: date | datetime | None = None,
        datasets: Iterable[str] | None = None,
        questions: Iterable[str] | None = None,
        max_uses: int | None = None,
    ) -> None:
        """Leave a consent a shorter term, fewer uses, or these datasets and questions only, with a notice.

        It names the disclosures that asked for what is taken back; a shorter term names none.
        """
        consent = self._consent(consent_id, "narrowed", _RUNNING)
        before = replace(consent)
        self._leave(
            consent,
            {
                "datasets": datasets,
                "questions": questions,
                "valid_until": valid_until,
                "max_uses": max_uses,
            },
        )
        if consent == before:
            raise FakeSetupError("That changes nothing of the consent.")
        self._resources.feed.tell_consent(
            "consent_narrowed",
            self._time,
            consent_id=consent.consent_id,
            taken_back=before.items - consent.items,
        )
