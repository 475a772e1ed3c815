"""A review is an operator's act like any other: written down with a leaf, in its own transaction."""

from gateway.admin.audit_log import Act, At, record
from gateway.admin.errors import Refused, conflict, no_such
from gateway.creditfile.catalogue import Catalogue
from gateway.creditfile.objections import model as objections
from gateway.creditfile.objections import service
from gateway.creditfile.objections.model import Actor, Objection, Outcome, Reason, Role

SENTENCES = {
    Reason.NOT_NOW: "The enterprise has not asked for a review of this, or it is over.",
    Reason.OWN_DECISION: "Nobody reviews a decision of their own.",
    Reason.MOVED: "Somebody else acted at the same moment; read it again.",
}


async def review(
    at: At, catalogue: Catalogue, objection_id: str, outcome: Outcome, reasons: str
) -> Objection | Refused:
    """Decide a review; what is upheld goes back to the source, which has to correct."""
    by = Actor(
        role=Role.REVIEWER,
        name=at.by.credential,
        of=at.by.credential.removeprefix("client:"),
    )
    verb = service.reviews(catalogue, by=by, outcome=outcome, reasons=reasons, now=at.now)
    done = await service.act(at.conn, objection_id, verb)
    if isinstance(done, objections.Refused):
        sentence = SENTENCES.get(done.reason)
        return no_such("objection") if sentence is None else conflict(sentence)
    act = Act(what="objection.review", client_id=done.source_id, subject=objection_id)
    await record(at, act)
    return done
