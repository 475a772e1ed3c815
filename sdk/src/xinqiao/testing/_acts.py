"""Acts of enterprises and departments in the fake gateway, each with its notice in the client's feed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from xinqiao._core.dates import end_of_term
from xinqiao._core.uscc import normalise

from ._enterprises import FakeConsent
from ._ids import new_id
from ._resource_server import FakeResourceServer


class FakeActs:
    """The part of a `FakeGateway` in which a test plays the other side."""

    _resources: FakeResourceServer

    @property
    def _time(self) -> datetime:
        raise NotImplementedError

    # Consents

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
            uscc=normalise(uscc),
            purpose=purpose,
            datasets=tuple(datasets),
            questions=tuple(questions),
            valid_until=None if valid_until is None else end_of_term(valid_until),
            max_uses=max_uses,
            uses_left=max_uses,
            separate_consents=tuple(separate_consents),
            unseparated=tuple(unseparated),
            unlicensed=tuple(unlicensed),
        )
        return self._resources.consents.keep(consent)

    def answer_consent(self, consent_id: str, *, grant: bool = True) -> None:
        """Let the enterprise answer a consent that was asked for by link, with a notice.

        After a refusal the same is `cooling_down` for 30 days.
        """
        consents = self._resources.consents
        running = consents.held.get(consents.held[consent_id].amends or "")
        before = None if running is None else replace(running)
        if grant:
            consents.grant(consent_id)
        else:
            consents.refuse(consent_id, self._time)
        if grant and running is not None and before is not None:
            self._tell_amendment(before, running)
            return
        kind = "consent_granted" if grant else "consent_refused"
        self._resources.feed.tell_consent(kind, self._time, consent_id=consent_id)

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
        name = withdrawn.consent_id if isinstance(withdrawn, FakeConsent) else withdrawn
        if name in self._resources.consents.held:
            self.withdraw_consent(name)
        else:
            self.end_record(name)

    def withdraw_consent(self, consent_id: str) -> None:
        """Withdraw a consent; it holds from the next call, and the notice names all that it gave."""
        self._resources.consents.held[consent_id].status = "withdrawn"
        feed = self._resources.feed
        feed.tell_consent("consent_withdrawn", self._time, consent_id=consent_id, taken_back=None)

    def pause_consent(self, consent_id: str) -> None:
        """Pause a consent, without a notice. Set its `status` to `active` to resume it."""
        self._resources.consents.held[consent_id].status = "paused"

    def expire_consent(self, consent_id: str) -> None:
        """End a consent's term now, with a notice."""
        self._resources.consents.held[consent_id].valid_until = self._time
        self._resources.feed.tell_consent("consent_expired", self._time, consent_id=consent_id)

    def narrow_consent(
        self,
        consent_id: str,
        *,
        valid_until: date | datetime | None = None,
        datasets: Iterable[str] | None = None,
        questions: Iterable[str] | None = None,
    ) -> None:
        """Leave a consent a shorter term, or these datasets and questions only, with a notice.

        It names the disclosures that asked for what is taken back; a shorter term names none.
        """
        consent = self._resources.consents.held[consent_id]
        before = consent.items
        if valid_until is not None:
            consent.valid_until = end_of_term(valid_until)
        consent.datasets = consent.datasets if datasets is None else tuple(datasets)
        consent.questions = consent.questions if questions is None else tuple(questions)
        self._resources.feed.tell_consent(
            "consent_narrowed",
            self._time,
            consent_id=consent_id,
            taken_back=before - consent.items,
        )

    # Records: a notice goes only to a client that was told of the record.

    def correct(self, record_id: str, *, fields: Mapping[str, Any]) -> None:
        """Correct fields of a record."""
        uscc, record = self._resources.take_record(record_id)
        version = record.get("version", 1) + 1
        corrected = {**record, "version": version, "fields": {**record.get("fields", {}), **fields}}
        self._resources.put_record(uscc, corrected)
        self._tell(record, "record_corrected")

    def repair(self, record_id: str) -> None:
        """Repair a record (信用修复): it is told no more."""
        self.end_record(record_id, "record_repaired")

    def suspend(self, record_id: str) -> None:
        """Suspend a record: it is told no more until it is reinstated."""
        self.end_record(record_id, "record_suspended")

    def end(self, record_id: str) -> None:
        """End a record otherwise than by its own term: it is told no more."""
        self.end_record(record_id, "record_ended")

    def reinstate(self, record_id: str) -> None:
        """Reinstate a record that was repaired, suspended or ended."""
        uscc, record = self._resources.ended.pop(record_id)
        self._resources.put_record(uscc, record)
        self._tell(record, "record_reinstated")

    def end_record(self, record_id: str, kind: str = "record_withdrawn") -> None:
        """Take a record out of its file, with a notice of this kind."""
        uscc, record = self._resources.take_record(record_id)
        self._resources.ended[record_id] = (uscc, record)
        self._tell(record, kind)

    def change_answer(self, uscc: str, *, questions: Iterable[str]) -> None:
        """Give notice that answers on an enterprise of a watch list may have changed."""
        self._resources.feed.tell_answer(self._time, uscc=uscc, questions=questions)

    def _tell(self, record: Mapping[str, Any], kind: str) -> None:
        self._resources.feed.tell_record(
            kind, self._time, dataset=record["dataset"], record_id=record["record_id"]
        )
