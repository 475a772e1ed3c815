"""Rekey fixture: records stored under natural keys of an earlier version."""

import secrets
from dataclasses import fields, replace
from datetime import UTC, datetime
from typing import Any, Final

import orjson
from sqlalchemy import RowMapping, insert, text
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.creditfile.personal_fields import seal_record, sealed_row_name
from gateway.creditfile.records import Record
from gateway.creditfile.rekey_records import RekeyedBatch, refold_keys
from gateway.creditfile.tables import record
from gateway.ingest import RowOutcome, Source, ingest_rows
from gateway.privacy.field_encryption import Vault, VaultKeys
from tests.creditfile_builders import CATALOGUE, USCC, make_record

NOW: Final = datetime(2026, 11, 28, 4, tzinfo=UTC)
SOURCE: Final = Source(source_id="market", name="市场监督管理部门（合成）")
NUMBER_OF: Final = {"penalty": "document_number", "judgment_defaulter": "case_number"}
_TOLD: Final = text("""
    INSERT INTO disclosure (uscc, disclosure_id, client_id, kind, outcome, purpose, asked, relied_on,
                            result_digest, leaf_hash, at)
    VALUES (:uscc, :id, :client, 'query', 'told', 'loan_approval', '[]', CAST(:relied_on AS jsonb),
            '', '', :at)""")


class NaturalKeysFixture:
    """A database of credit files whose natural keys are due for `record refold`."""

    def __init__(self, engine: AsyncEngine, keys: str | None = None) -> None:
        self.engine = engine
        self.vault = Vault(VaultKeys.parse(keys or Vault.generate_keys()))

    async def are_due(self) -> None:
        """Mark the keys as due, as the migration does."""
        await self.run("DELETE FROM key_folding")

    async def hold(
        self, number: str, dataset: str = "penalty", *, key: str | None = None, **members: Any
    ) -> Record:
        """Store a record of this number; `key` is its stored key, by default the number."""
        members = {"personal": {}, "source_id": SOURCE.source_id, **members}
        personal = members.pop("personal")
        made = make_record(
            dataset,
            **{
                "uscc": USCC,
                "record_id": f"rec_{secrets.token_hex(8)}",
                NUMBER_OF[dataset]: number,
                "natural_key": number if key is None else key,
                **members,
            },
        )
        place = sealed_row_name(made.uscc, made.source_id, made.dataset, made.natural_key)
        sealed, digests = seal_record(self.vault, place, personal)
        made = replace(made, personal=sealed, digests=orjson.loads(digests) if digests else None)
        row = {each.name: getattr(made, each.name) for each in fields(made)}
        row = {name: value for name, value in row.items() if value is not None}
        async with self.engine.begin() as connection:
            await connection.execute(insert(record).values(row | {"fields": dict(made.fields)}))
        return made

    async def tell(self, client: str, *told: Record) -> str:
        """Disclose these records to a client; the disclosure's id."""
        disclosure_id = f"dsc_{secrets.token_hex(8)}"
        relied_on = orjson.dumps([[each.record_id, each.version] for each in told]).decode()
        await self.run(
            _TOLD.text,
            uscc=told[0].uscc,
            id=disclosure_id,
            client=client,
            relied_on=relied_on,
            at=NOW,
        )
        return disclosure_id

    async def refold(self, **how: Any) -> list[RekeyedBatch]:
        """Run the refolding to its end."""
        return [
            each async for each in refold_keys(self.engine, self.vault, CATALOGUE, now=NOW, **how)
        ]

    async def take(self, dataset: str, *rows: dict[str, Any]) -> tuple[RowOutcome, ...]:
        """Ingest rows in one transaction."""
        async with self.engine.begin() as connection:
            return await ingest_rows(
                connection, SOURCE, dataset, rows, now=NOW, catalogue=CATALOGUE, vault=self.vault
            )

    async def run(self, sql: str, **values: Any) -> list[RowMapping]:
        """Rows of an SQL statement."""
        async with self.engine.begin() as connection:
            found = await connection.execute(text(sql), values)
            return list(found.mappings()) if found.returns_rows else []

    async def held(self, uscc: str = USCC) -> list[Record]:
        """Records of an enterprise, by key."""
        rows = await self.run(
            "SELECT CAST(to_jsonb(r) AS text) AS r FROM record AS r WHERE uscc = :uscc"
            " ORDER BY natural_key",
            uscc=uscc,
        )
        return [Record.from_json(orjson.loads(row["r"])) for row in rows]
