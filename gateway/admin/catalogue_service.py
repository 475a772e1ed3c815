"""Load and approve catalogue versions; one that widens disclosure takes two operators.

1. `load`     puts a catalogue that widens nothing into force at once, and stores any other
2. `approve`  by another operator, who names the digest of the version that was read
"""

import hmac

from gateway.admin.audit_log import ActContext, record
from gateway.admin.errors import AdminRefusal, RefusalReason, conflict, no_such
from gateway.creditfile.catalogue import load_catalogue, require_separate_consents
from gateway.creditfile.catalogue import versions as kept
from gateway.creditfile.catalogue.disclosure_diff import losses, widenings
from gateway.creditfile.catalogue.versions import CatalogueVersion, digest_of
from gateway.db.locks import LockKey, lock


async def load(
    context: ActContext, document: str, *, allow_widening: bool
) -> CatalogueVersion | AdminRefusal:
    """Store a catalogue; in force at once unless it widens disclosure. Raises `CatalogueError`."""
    new = require_separate_consents(load_catalogue(document))
    await lock(context.connection, LockKey.CATALOGUE_VERSIONS)
    before = await kept.document_in_force(context.connection)
    present, digest = load_catalogue(before), digest_of(document)
    held = await kept.find_version(context.connection, new.version)
    if held is not None and hmac.compare_digest(held.digest, digest):
        return held
    if held is not None or (new.version == present.version and digest != digest_of(before)):
        return conflict(f"There is another catalogue {new.version} already: give this one its own.")
    if gone := losses(present, new):
        return conflict(
            f"This catalogue lacks or changes {', '.join(gone)}, on which records rest: leave the class "
            "out of what is to be told no more."
        )
    more = widenings(present, new)
    if more and not allow_widening:
        return AdminRefusal(
            RefusalReason.CONFLICT,
            f"This catalogue widens disclosure ({'; '.join(more)}). Load it with --allow-widening; "
            "then another operator must approve it.",
        )
    version = CatalogueVersion(
        version=new.version,
        document=document,
        digest=digest,
        base=present.version,
        widens=more,
        loaded_by=context.operator.credential,
        loaded_name=context.operator.name,
        loaded_at=context.now,
        place=None if more else await kept.next_place(context.connection),
    )
    await kept.add_version(context.connection, version)
    what = "catalogue.propose" if more else "catalogue.load"
    await _audit(context, what, version, before)
    return version


async def approve(context: ActContext, name: str, digest: bytes) -> CatalogueVersion | AdminRefusal:
    """Put a waiting version of this digest into force, if its base version still is."""
    await lock(context.connection, LockKey.CATALOGUE_VERSIONS)
    version = await kept.find_version(context.connection, name)
    if version is None:
        return no_such("catalogue")
    if version.place is not None:
        return conflict("This catalogue has been in force already; load a new version.")
    if not hmac.compare_digest(digest, version.digest):
        return conflict("This is not the digest of the catalogue; read it again.")
    if context.operator.may_be(version.loaded_by, version.loaded_name):
        return AdminRefusal(
            RefusalReason.SECOND_OPERATOR,
            "Whoever loaded it cannot approve; another operator must, with another credential.",
        )
    before = await kept.document_in_force(context.connection)
    if load_catalogue(before).version != version.base:
        return conflict(
            "Another catalogue has come into force since; load this one as a new version."
        )
    await kept.bring_into_force(
        context.connection, name, approver=context.operator.credential, now=context.now
    )
    await _audit(context, "catalogue.approve", version, before)
    return await kept.find_version(context.connection, name) or version


async def _audit(context: ActContext, what: str, version: CatalogueVersion, before: str) -> None:
    subject, digest = version.version, digest_of(before)
    await record(context, what, subject=subject, before=digest, after=version.digest)
