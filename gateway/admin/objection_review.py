"""A review is an operator's act like any other: written down with a leaf, in its own transaction."""

from gateway.admin.audit_log import At, OperatorAct, record
from gateway.admin.errors import AdminRefusal, conflict, no_such
from gateway.creditfile.catalogue import Catalogue
from gateway.creditfile.objections import model as objections
from gateway.creditfile.objections import service
from gateway.creditfile.objections.model import (
    Actor,
    Objection,
    ObjectionOutcome,
    RefusalReason,
    Role,
)

SENTENCES = {
    RefusalReason.NOT_NOW: "The enterprise has not asked for a review of this, or it is over.",
    RefusalReason.OWN_DECISION: "Nobody reviews a decision of their own.",
    RefusalReason.MOVED: "Somebody else acted at the same moment; read it again.",
}


async def review(
    at: At, catalogue: Catalogue, objection_id: str, outcome: ObjectionOutcome, reasons: str
) -> Objection | AdminRefusal:
    """Decide a review; what is upheld goes back to the source, which has to correct."""
    by = Actor(
        role=Role.REVIEWER,
        name=at.by.credential,
        party=at.by.credential.removeprefix("client:"),
    )
    verb = service.review_decision(
        catalogue, actor=by, outcome=outcome, reasons=reasons, now=at.now
    )
    done = await service.apply_act(at.connection, objection_id, verb)
    if isinstance(done, objections.ObjectionRefused):
        sentence = SENTENCES.get(done.reason)
        return no_such("objection") if sentence is None else conflict(sentence)
    act = OperatorAct(what="objection.review", client_id=done.source_id, subject=objection_id)
    await record(at, act)
    return done
