"""State transitions of a consent. Pure; refused, withdrawn, expired and exhausted are final.

Each act gives the changed consent with its event, or a refusal. Only the enterprise grants, refuses,
pauses, resumes, withdraws and ends a cool-down; only the client asks and gives up. A running consent
keeps its id when it is narrowed by the enterprise alone, or amended as the client asked and the
enterprise agreed.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import MappingProxyType

from consent.model import (
    Act,
    Channel,
    Consent,
    DisplayedText,
    Event,
    Person,
    Reason,
    Refused,
    Request,
    Scope,
    Status,
    relation_of,
    status_at,
)

COOL_DOWN = timedelta(days=30)  # R9
ANSWER_WITHIN = timedelta(days=7)

REASON_OF: Mapping[Status, Reason] = MappingProxyType(
    {
        Status.REQUESTED: Reason.NOT_DECIDED,
        Status.ACTIVE: Reason.ALREADY_ACTIVE,
        Status.REFUSED: Reason.ALREADY_REFUSED,
        Status.PAUSED: Reason.CONSENT_PAUSED,
        Status.WITHDRAWN: Reason.CONSENT_WITHDRAWN,
        Status.EXPIRED: Reason.CONSENT_EXPIRED,
        Status.EXHAUSTED: Reason.CONSENT_EXHAUSTED,
        Status.SUPERSEDED: Reason.ALREADY_SUPERSEDED,
    }
)

_RUNNING = (Status.ACTIVE, Status.PAUSED)
_OPEN = (Status.REQUESTED, *_RUNNING)
# One that has run out may still be withdrawn: certificates that rest on it then die too.
_ONCE_GRANTED = (*_RUNNING, Status.EXPIRED, Status.EXHAUSTED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """A consent after an act, with the act's event."""

    consent: Consent
    event: Event


def request(
    asked: Request,
    *,
    consent_id: str,
    channel: Channel,
    now: datetime,
    answer_within: timedelta = ANSWER_WITHIN,
    previous_refusals: Iterable[Consent] = (),
    cool_down: timedelta = COOL_DOWN,
    amends: Consent | None = None,
) -> Transition | Refused:
    """A requested consent: a new one, or one that would change the running `amends`.

    Refused inside the cool-down after a refusal of the same (R9). It can be answered no longer than it
    would run, and a change no longer than what it would change runs.
    """
    if asked.uscc is None or (amends is not None and relation_of(amends) != relation_of(asked)):
        return Refused(Reason.NOT_AVAILABLE)
    if amends is not None and status_at(amends, now) not in _RUNNING:
        return Refused(REASON_OF[status_at(amends, now)])
    same = [each for each in previous_refusals if relation_of(each) == relation_of(asked)]
    cooled_down = _cooled_down_at(same, now=now, cool_down=cool_down)
    if cooled_down is not None and now < cooled_down:
        return Refused(Reason.COOLING_DOWN, until=cooled_down)
    answer_by = min(now + answer_within, asked.valid_until)
    consent = Consent(
        consent_id=consent_id,
        client_id=asked.client_id,
        uscc=asked.uscc,
        purpose=asked.purpose,
        datasets=tuple(dict.fromkeys(asked.datasets)),
        questions=tuple(dict.fromkeys(asked.questions)),
        status=Status.REQUESTED,
        requested_at=now,
        answer_by=answer_by if amends is None else min(answer_by, amends.valid_until),
        valid_until=asked.valid_until,
        max_uses=asked.max_uses,
        version=0,
        channel=channel,
        amends=None if amends is None else amends.consent_id,
    )
    if consent.scope.hollow_at(now):
        return Refused(Reason.NOTHING_CHOSEN)
    return _changed(consent, Act.REQUESTED, actor=asked.client_id, channel=channel, now=now)


def may_ask_again(
    previous_refusals: Iterable[Consent], *, now: datetime, cool_down: timedelta = COOL_DOWN
) -> bool:
    """True where every refusal has cooled down, by the cool-down promised at the refusal."""
    cooled_down = _cooled_down_at(previous_refusals, now=now, cool_down=cool_down)
    return cooled_down is None or now >= cooled_down


def _cooled_down_at(
    previous_refusals: Iterable[Consent], *, now: datetime, cool_down: timedelta
) -> datetime | None:
    """When the last of these refusals has cooled down; `None` without any."""
    ends = (
        refused.cool_down_until or (refused.decided_at or now) + cool_down
        for refused in previous_refusals
        if refused.status is Status.REFUSED
    )
    return max(ends, default=None)


def grant(
    consent: Consent, *, scope: Scope, person: Person, shown: DisplayedText, now: datetime
) -> Transition | Refused:
    """Grant a request, in whole or in part, never wider than requested."""
    refusal = _unless(consent, (Status.REQUESTED,), uscc=person.uscc, now=now)
    if refusal is None and consent.amends is not None:
        refusal = Refused(Reason.NOT_AVAILABLE)  # `amend` takes the consent that it changes too
    if refusal:
        return refusal
    if not scope.within(consent.scope):
        return Refused(Reason.WIDER_THAN_ASKED)
    if scope.hollow_at(now):
        return Refused(Reason.NOTHING_CHOSEN)
    granted = replace(_with(consent, scope, consent.scope), status=Status.ACTIVE)
    return _decided(granted, Act.GRANTED, person=person, shown=shown, now=now)


def amend(
    consent: Consent,
    amendment: Consent,
    *,
    scope: Scope,
    person: Person,
    shown: DisplayedText,
    now: datetime,
) -> tuple[Transition, Transition] | Refused:
    """Grant an amendment: the running consent keeps its id, the request is superseded.

    Until then, and if the change is refused, the old grant holds. Uses count on; paused stays paused.
    """
    refusal = (
        _unless(amendment, (Status.REQUESTED,), uscc=person.uscc, now=now)
        or _unless(consent, _RUNNING, uscc=person.uscc, now=now)
        or (None if amendment.amends == consent.consent_id else Refused(Reason.NOT_AVAILABLE))
        or _too_little(scope, consent, now)
    )
    if refusal:
        return refusal
    if not scope.within(amendment.scope):
        return Refused(Reason.WIDER_THAN_ASKED)
    amended = _with(consent, scope, amendment.scope)
    taken_up = replace(amendment, status=Status.SUPERSEDED)
    return (
        _decided(amended, Act.AMENDED, person=person, shown=shown, now=now),
        _by_person(taken_up, Act.SUPERSEDED, person, now),
    )


def narrow(
    consent: Consent, *, scope: Scope, person: Person, now: datetime
) -> Transition | Refused:
    """Narrow a running consent on the enterprise's own initiative; it keeps its id."""
    refusal = _unless(consent, _RUNNING, uscc=person.uscc, now=now) or _too_little(
        scope, consent, now
    )
    if refusal:
        return refusal
    if not scope.within(consent.scope):
        return Refused(Reason.WIDER_THAN_ASKED)
    narrowed = _with(consent, scope, consent.scope)
    if narrowed.scope == consent.scope:
        return Refused(Reason.NOTHING_CHANGED)
    return _by_person(narrowed, Act.AMENDED, person, now)


def refuse(
    consent: Consent,
    *,
    person: Person,
    shown: DisplayedText,
    now: datetime,
    cool_down: timedelta = COOL_DOWN,
) -> Transition | Refused:
    """Refuse a request; a cool-down for the same client and purpose begins (R9)."""
    refusal = _unless(consent, (Status.REQUESTED,), uscc=person.uscc, now=now)
    if refusal:
        return refusal
    refused = replace(consent, status=Status.REFUSED, cool_down_until=now + cool_down)
    return _decided(refused, Act.REFUSED, person=person, shown=shown, now=now)


def end_cool_down(refused: Consent, *, person: Person, now: datetime) -> Transition | Refused:
    """End the cool-down of a refusal early: the client may ask again at once. It stays refused (R9)."""
    refusal = _unless(refused, (Status.REFUSED,), uscc=person.uscc, now=now)
    if refusal is None and may_ask_again([refused], now=now):
        refusal = Refused(Reason.NOTHING_CHANGED)
    return refusal or _by_person(
        replace(refused, cool_down_until=now), Act.COOL_DOWN_ENDED, person, now
    )


def pause(consent: Consent, *, person: Person, now: datetime) -> Transition | Refused:
    """Pause an active consent; its term goes on running."""
    refusal = _unless(consent, (Status.ACTIVE,), uscc=person.uscc, now=now)
    return refusal or _by_person(replace(consent, status=Status.PAUSED), Act.PAUSED, person, now)


def resume(consent: Consent, *, person: Person, now: datetime) -> Transition | Refused:
    """Resume a paused consent."""
    refusal = _unless(consent, (Status.PAUSED,), uscc=person.uscc, now=now)
    return refusal or _by_person(replace(consent, status=Status.ACTIVE), Act.RESUMED, person, now)


def withdraw(consent: Consent, *, person: Person, now: datetime) -> Transition | Refused:
    """Withdraw a consent, effective from the next request."""
    refusal = _unless(consent, _ONCE_GRANTED, uscc=person.uscc, now=now)
    if refusal is None and not consent.was_granted:
        refusal = Refused(REASON_OF[status_at(consent, now)])
    return refusal or _by_person(
        replace(consent, status=Status.WITHDRAWN), Act.WITHDRAWN, person, now
    )


def give_up(consent: Consent, *, client_id: str, now: datetime) -> Transition | Refused:
    """Client gives up a request or consent; it ends as withdrawn."""
    if client_id != consent.client_id:
        return Refused(Reason.NOT_AVAILABLE)
    refusal = _unless(consent, _OPEN, uscc=consent.uscc, now=now)
    return refusal or _changed(
        replace(consent, status=Status.WITHDRAWN),
        Act.GIVEN_UP,
        actor=client_id,
        channel=Channel.API,
        now=now,
    )


def end_with(amendment: Consent, ended: Transition) -> Transition | Refused:
    """End an amendment request together with the withdrawn or given-up consent, by the same act."""
    over, act = ended.consent, ended.event
    if amendment.amends != over.consent_id or over.status is not Status.WITHDRAWN:
        return Refused(Reason.NOT_AVAILABLE)
    refusal = _unless(amendment, (Status.REQUESTED,), uscc=over.uscc, now=act.at)
    if refusal:
        return refusal
    return _changed(
        replace(amendment, status=Status.WITHDRAWN),
        act.what,
        actor=act.actor,
        channel=act.channel,
        now=act.at,
        identity_token_digest=act.identity_token_digest,
    )


def supersede(
    consent: Consent, *, newer: Consent, person: Person, now: datetime
) -> Transition | Refused:
    """Supersede a consent by a newer grant for the same client and purpose."""
    replaces = (
        newer.status is Status.ACTIVE
        and newer.consent_id != consent.consent_id
        and relation_of(newer) == relation_of(consent)
    )
    if not replaces:
        return Refused(Reason.NOT_AVAILABLE)
    refusal = _unless(consent, _OPEN, uscc=person.uscc, now=now)
    return refusal or _by_person(
        replace(consent, status=Status.SUPERSEDED), Act.SUPERSEDED, person, now
    )


def _unless(
    consent: Consent, allowed: tuple[Status, ...], *, uscc: str, now: datetime
) -> Refused | None:
    """Refusal unless the actor is the consent's enterprise and the status allows the act."""
    if uscc != consent.uscc:
        return Refused(Reason.NOT_AVAILABLE)
    status = status_at(consent, now)
    return None if status in allowed else Refused(REASON_OF[status])


def _with(consent: Consent, scope: Scope, wider: Scope) -> Consent:
    """`consent` with this scope, its items in the order of the request.

    A field whose separate consent has ended is no longer among its fields.
    """
    separate = scope.own_separate_consents
    ended = {each.item for each in consent.separate_consents} - {each.item for each in separate}
    fields = consent.fields
    return replace(
        consent,
        datasets=tuple(code for code in wider.datasets if code in scope.datasets),
        questions=tuple(code for code in wider.questions if code in scope.questions),
        valid_until=scope.valid_until,
        max_uses=scope.max_uses,
        separate_consents=separate,
        fields=None if fields is None else tuple(each for each in fields if each not in ended),
    )


def _too_little(scope: Scope, consent: Consent, now: datetime) -> Refused | None:
    """Refusal of a scope that leaves no use or no data; that would be a withdrawal."""
    used_up = scope.max_uses is not None and scope.max_uses <= consent.uses
    return Refused(Reason.NOTHING_CHOSEN) if used_up or scope.hollow_at(now) else None


def _decided(
    after: Consent, what: Act, *, person: Person, shown: DisplayedText, now: datetime
) -> Transition:
    decided = replace(
        after,
        decided_at=now,
        subject=person.subject,
        identity_token_digest=person.identity_token_digest,
        text_version=shown.text_version,
        language=shown.language,
        retention_days=shown.retention_days,
        fields=None
        if shown.fields is None
        else tuple(each for each in shown.fields if each.rpartition(".")[0] in after.datasets),
    )
    return _by_person(decided, what, person, now, shown)


def _by_person(
    after: Consent, what: Act, person: Person, now: datetime, shown: DisplayedText | None = None
) -> Transition:
    return _changed(
        after,
        what,
        actor=person.subject,
        channel=person.channel,
        now=now,
        identity_token_digest=person.identity_token_digest,
        shown=shown,
    )


def _changed(
    after: Consent,
    what: Act,
    *,
    actor: str,
    channel: Channel,
    now: datetime,
    identity_token_digest: bytes | None = None,
    shown: DisplayedText | None = None,
) -> Transition:
    consent = replace(after, version=after.version + 1)
    event = Event(
        uscc=consent.uscc,
        consent_id=consent.consent_id,
        seq=consent.version,
        what=what,
        actor=actor,
        channel=channel,
        at=now,
        scope=consent.scope,
        identity_token_digest=identity_token_digest,
        text_version=shown.text_version if shown else None,
        text_digest=shown.text_digest if shown else None,
        language=shown.language if shown else None,
    )
    return Transition(consent=consent, event=event)
