"""A catalogue that lets out more takes two operators; one that does not takes one, and counts at once.

1. `load`     judges a catalogue against the one in force: brings it into force, or lets it wait
2. `approve`  by another operator, who names the digest of what was read
"""

import hmac
from dataclasses import replace

from gateway.admin.audit_log import At, OperatorAct, record
from gateway.admin.errors import AdminRefusal, RefusalReason, conflict, no_such
from gateway.creditfile import catalogue_versions as kept
from gateway.creditfile.catalogue import load_catalogue
from gateway.creditfile.catalogue_versions import CatalogueVersion, digest_of
from gateway.creditfile.disclosure_diff import losses, widenings

OF_NO_CLIENT = ""


async def load(at: At, document: str, *, allow_widening: bool) -> CatalogueVersion | AdminRefusal:
    """Keep a catalogue; it counts at once unless it widens. Raises `CatalogueError`."""
    new = load_catalogue(document)
    await kept.lock_versions(at.connection)
    before = await kept.document_in_force(at.connection)
    present, digest = load_catalogue(before), digest_of(document)
    held = await kept.find_version(at.connection, new.version)
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
        loaded_by=at.by.credential,
        loaded_name=at.by.name,
        loaded_at=at.now,
        place=None if more else await kept.next_place(at.connection),
    )
    await kept.add_version(at.connection, version)
    what = "catalogue.propose" if more else "catalogue.load"
    await _written(at, what, version, before)
    return version


async def approve(at: At, name: str, digest: bytes) -> CatalogueVersion | AdminRefusal:
    """Bring a version that waits into force: of this digest, over the version that still counts."""
    await kept.lock_versions(at.connection)
    version = await kept.find_version(at.connection, name)
    if version is None:
        return no_such("catalogue")
    if version.place is not None:
        return conflict("This catalogue has been in force already; load a new version.")
    if not hmac.compare_digest(digest, version.digest):
        return conflict("This is not the digest of the catalogue; read it again.")
    if at.by.may_be(version.loaded_by, version.loaded_name):
        return AdminRefusal(
            RefusalReason.SECOND_OPERATOR,
            "Whoever loaded it cannot approve; another operator must, with another credential.",
        )
    before = await kept.document_in_force(at.connection)
    if load_catalogue(before).version != version.base:
        return conflict(
            "Another catalogue has come into force since; load this one as a new version."
        )
    await kept.bring_into_force(at.connection, name, approver=at.by.credential, now=at.now)
    await _written(at, "catalogue.approve", version, before)
    return await kept.find_version(at.connection, name) or replace(version)


async def _written(at: At, what: str, version: CatalogueVersion, before: str) -> None:
    act = OperatorAct(
        what=what,
        client_id=OF_NO_CLIENT,
        subject=version.version,
        before=digest_of(before),
        after=version.digest,
    )
    await record(at, act)
