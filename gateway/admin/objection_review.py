"""Review of an objection by an operator: an audited act in its own transaction."""

from gateway.admin.audit_log import ActContext, record
from gateway.admin.errors import AdminRefusal, conflict, no_such
from gateway.creditfile.catalogue import Catalogue
from gateway.creditfile.objections import service
from gateway.creditfile.objections.model import (
    Actor,
    Objection,
    ObjectionOutcome,
    ObjectionRefused,
    RefusalReason,
    Role,
)

SENTENCES = {
    RefusalReason.NOT_NOW: "The enterprise has not asked for a review of this, or it is over.",
    RefusalReason.OWN_DECISION: "Nobody reviews a decision of their own.",
    RefusalReason.MOVED: "Somebody else acted at the same moment; read it again.",
}


async def review(
    context: ActContext,
    catalogue: Catalogue,
    objection_id: str,
    outcome: ObjectionOutcome,
    reasons: str,
) -> Objection | AdminRefusal:
    """Decide a review; an upheld objection goes back to the source for correction."""
    name = context.operator.credential
    by = Actor(role=Role.REVIEWER, name=name, party=name.removeprefix("client:"))
    verb = service.review_decision(
        catalogue, actor=by, outcome=outcome, reasons=reasons, now=context.now
    )
    done = await service.apply_act(context.connection, objection_id, verb)
    if isinstance(done, ObjectionRefused):
        sentence = SENTENCES.get(done.reason)
        return no_such("objection") if sentence is None else conflict(sentence)
    await record(context, "objection.review", client_id=done.source_id, subject=objection_id)
    return done
