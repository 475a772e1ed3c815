"""Acts of departments in the fake gateway on records, each with its notice in the client's feed.

Each raises `FakeSetupError` where the real gateway could not do it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from xinqiao.testing._endpoints.resource_server import FakeResourceServer
from xinqiao.testing._rules import consent_rules as rules
from xinqiao.testing._rules.record_rules import checked_fields
from xinqiao.testing._rules.setup_checks import FakeSetupError, credit_code, known
from xinqiao.testing._state.credit_files import EndedRecord

#: Kinds of notices on the end of a record.
ENDS: Final = ("record_withdrawn", "record_repaired", "record_suspended", "record_ended")


class FakeRecordActs:
    """The part of a `FakeGateway` in which a test plays a department.

    A notice goes only to a client that was told of the record.
    """

    _resources: FakeResourceServer

    @property
    def _time(self) -> datetime:
        raise NotImplementedError

    def _enterprise(self, uscc: object) -> str:
        """The code of an enterprise that was added."""
        code = credit_code(uscc)
        return known(code, self._resources.files.enterprises, "enterprise added by add_enterprise")

    def correct(self, record_id: str, *, fields: Mapping[str, Any]) -> None:
        """Correct fields of a record."""
        uscc, record = self._resources.files.find(record_id)
        changed = {**record["fields"], **checked_fields(record["dataset"], fields)}
        version = record.get("version", 1) + 1
        self._resources.files.drop(record_id)
        self._resources.files.put(uscc, {**record, "version": version, "fields": changed})
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
        ended = self._resources.files.ended
        possible = [name for name, each in ended.items() if each.kind != "record_withdrawn"]
        end = ended.pop(known(record_id, possible, "id of a record that can be reinstated"))
        self._resources.files.put(end.uscc, end.record)
        self._tell(end.record, "record_reinstated")

    def end_record(self, record_id: str, kind: str = "record_withdrawn") -> None:
        """Take a record out of its file, with a notice of this kind."""
        known(kind, ENDS, "kind of notice on the end of a record")
        uscc, record = self._resources.files.find(record_id)
        self._resources.files.drop(record_id)
        self._resources.files.ended[record_id] = EndedRecord(uscc=uscc, record=record, kind=kind)
        self._tell(record, kind)

    def change_answer(self, uscc: str, *, questions: Iterable[str]) -> None:
        """Give notice that answers on an enterprise of a watch list may have changed."""
        code, changed = self._enterprise(uscc), rules.questions(questions)
        if not changed:
            raise FakeSetupError("No answer has changed: give questions.")
        self._resources.feed.tell_answer(self._time, uscc=code, questions=changed)

    def _tell(self, record: Mapping[str, Any], kind: str) -> None:
        self._resources.feed.tell_record(
            kind, self._time, dataset=record["dataset"], record_id=record["record_id"]
        )
