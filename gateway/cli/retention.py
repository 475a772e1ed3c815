"""`retention`: delete expired records, list and write proofs of deletion, verify a proof."""

import asyncio
import json
from collections import Counter
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway import strict_json
from gateway.access.serializers.timestamps import format_time
from gateway.cli.exit import fail
from gateway.cli.operator_session import parse_id, plain_errors, query
from gateway.cli.printing import print_members, print_table
from gateway.cli.whole_file import write_whole
from gateway.creditfile.catalogue.versions import in_force
from gateway.creditfile.retention import deletion_proof, expired_records
from gateway.creditfile.retention.delete import ENTERPRISES_PER_TRANSACTION, Deleter
from gateway.creditfile.retention.tables import DeletionProofRow
from gateway.db.engine import own_engine
from gateway.pages.rendering import format_moment
from gateway.settings import Settings
from gateway.signing.keys import KeyRing, KeysUnreadableError

app = typer.Typer(no_args_is_help=True, help="Deletion of records past their retention period.")
LISTED = 100
_PROOF = DeletionProofRow.__table__  # type: ignore[attr-defined]  # SQLModel makes it


@app.command()
def run(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count only, delete nothing.")] = False,
) -> None:
    """Delete every bad record whose retention has ended, in all its versions."""
    if dry_run:
        counted = query(_counted)
        print_members(counted) if counted else print("No record is past its retention period.")
        return
    with plain_errors():
        try:
            deleted = asyncio.run(_run(Settings.from_env()))
        except KeysUnreadableError as error:
            fail(str(error))
    print(f"{deleted} records deleted.")


@app.command()
def proofs() -> None:
    """List the newest proofs of deletion."""
    rows = [
        (row.deletion_id, format_moment(row.at), row.records, row.versions)
        for row in query(_proofs)
    ]
    if not rows:
        print("Nothing has been deleted yet.")
        return
    print_table(("deletion_id", "at", "records", "versions"), rows, figures=2)


@app.command("proof")
def proof_(deletion_id: str, out: Annotated[Path, typer.Option(help="The file to write.")]) -> None:
    """Write a proof of deletion into a file."""
    row = query(partial(_proof, deletion_id=parse_id(deletion_id)))
    if row is None:
        fail("There is no such proof.")
    made = deletion_proof.proof_document(row.statement, row.salt, row.commitments)
    try:
        write_whole(out, json.dumps(made, indent=1) + "\n")
    except OSError as error:
        fail(f"{out} could not be written ({error.strerror}).")
    print(f"Written to {out}.")


@app.command()
def verify(
    file: Annotated[Path, typer.Argument(help="A proof, as `retention proof` writes it.")],
    keys: Annotated[Path, typer.Option(help="The JWK set of the gateway, fetched before.")],
    record: Annotated[str | None, typer.Option(help="A record's id to look for.")] = None,
    version: Annotated[int, typer.Option(help="Its version.")] = 1,
) -> None:
    """Check a proof of deletion, offline."""
    wanted = (record, version) if record is not None else None
    try:
        document, jwks = map(_json_in, (file, keys))
        proved = deletion_proof.verify(document, jwks, record=wanted)
    except deletion_proof.ProofError as error:
        fail(str(error))
    print_members(
        {
            "proof": proved.deletion_id,
            "signed by": proved.issuer,
            "at": format_time(proved.at),
            "catalogue": proved.catalogue_version,
            "deleted": {
                code: f"{n['records']} records, {n['versions']} versions"
                for code, n in proved.deleted.items()
            },
        }
    )
    print("The proof holds." if wanted is None else "The proof holds, and the record is in it.")


def _json_in(file: Path) -> Any:  # any JSON
    try:
        return strict_json.parse(file.read_bytes())
    except (OSError, ValueError) as error:
        fail(f"{file} cannot be read as JSON ({type(error).__name__}).")


async def _run(settings: Settings) -> int:
    keys = KeyRing.read(settings.signing_keys)
    async with own_engine(settings, pool_size=2) as engine:
        async with engine.connect() as connection:
            catalogue = await in_force(connection)
        deleter = Deleter(engine=engine, keys=keys, catalogue=catalogue, issuer=settings.issuer)
        return (await deleter.run(now=datetime.now(UTC))).records


async def _counted(connection: AsyncConnection) -> dict[str, int]:
    """Number of expired records by dataset."""
    catalogue, now, after = await in_force(connection), datetime.now(UTC), ""
    counted = Counter[str]()
    while found := await expired_records.candidate_enterprises(
        connection, catalogue, now=now, after=after
    ):
        for begin in range(0, len(found), ENTERPRISES_PER_TRANSACTION):
            usccs = found[begin : begin + ENTERPRISES_PER_TRANSACTION]
            over = await expired_records.find_expired(connection, usccs, catalogue, now=now)
            counted.update(each.dataset for each in over)
        after = found[-1]
    return dict(sorted(counted.items()))


async def _proof(connection: AsyncConnection, deletion_id: str) -> Any:  # its row, or none
    asked = select(_PROOF).where(_PROOF.c.deletion_id == deletion_id)
    return (await connection.execute(asked)).one_or_none()


async def _proofs(connection: AsyncConnection) -> list[Any]:
    columns = _PROOF.c.deletion_id, _PROOF.c.at, _PROOF.c.records, _PROOF.c.versions
    newest = select(*columns).order_by(_PROOF.c.at.desc(), _PROOF.c.deletion_id).limit(LISTED)
    return list((await connection.execute(newest)).all())
