"""Verification: yes/no questions about one enterprise, and the catalogue of questions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xinqiao._core.evidence import receipts
from xinqiao._core.session import Session
from xinqiao._core.transport.api_call import call
from xinqiao._core.transport.idempotency import key_on_error
from xinqiao._core.wire import parsing
from xinqiao._core.wire.closed_lists import BundleName, Purpose
from xinqiao._core.wire.questions import QuestionsAsked, question_pairs, verification_body
from xinqiao._core.wire.results import Questions, Verification
from xinqiao._core.wire.uscc import log_mistyped

from .bundles import check_alone
from .id_numbers import encrypt_id_numbers

if TYPE_CHECKING:
    from xinqiao._core.flow import Flow


def verify(
    session: Session,
    uscc: str,
    *,
    purpose: Purpose,
    questions: QuestionsAsked = (),
    bundle: BundleName | None = None,
    idempotency_key: str | None = None,
) -> Flow[Verification]:
    """Ask yes/no questions about one enterprise.

    `questions` maps a question's tag to the value that is asserted (None where it takes none, of a
    group a mapping of its members), or lists tags and (tag, value) pairs, such as `three_elements(…)`.
    A `bundle` in their place asks those of its questions that the agreement covers.
    The same call with the same `idempotency_key` within 24 hours spends nothing again, in whatever
    process; without one a new key is made. Raises any `XinqiaoError`; its `idempotency_key` is the key.
    ID numbers are encrypted to the gateway's key, where it publishes one: no proxy and no evidence has them.
    """
    log_mistyped(uscc)
    pairs = question_pairs(questions)
    check_alone(bundle, pairs)
    with key_on_error(session, idempotency_key) as key:
        asked = yield from encrypt_id_numbers(session, uscc, pairs, key)
        body = verification_body(uscc, purpose, asked, bundle=bundle)
        evidence = yield from call(
            session, "POST", "/v1/verifications", scope="verify", body=body, idempotency_key=key
        )
        tags = tuple(tag for tag, _ in asked) if bundle is None else None
        result = parsing.verification(evidence, tags)
    receipts.remember_promise(session, result.disclosure_id, result.log_promise, evidence)
    return result


def questions(session: Session) -> Flow[Questions]:
    """Read the catalogue of questions."""
    return parsing.questions((yield from call(session, "GET", "/v1/questions", scope="verify")))
