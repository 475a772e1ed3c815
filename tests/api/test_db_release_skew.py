"""A database of another release: an earlier one's is not served, a later one's is not upgraded."""

import asyncio
from pathlib import Path
from typing import Final

import pytest
from sqlalchemy import text

from gateway.cli.serve import check_environment
from gateway.db.engine import make_engine
from gateway.migrations.run import LaterReleaseError, is_behind, upgrade
from gateway.privacy.field_encryption import Vault
from gateway.settings import Settings, SettingsError
from gateway.signing.keys import new_key_file
from tests.databases import new_database
from tests.log_builders import make_checkpoint_folder
from tests.oauth_builders import SECRET

LATER: Final = "9999"
EARLIER: Final = "0060"


async def database_at(url: str, revision: str) -> str:
    """URL of a new database that says it is at this revision."""
    made = await new_database(url)
    engine = make_engine(made, pool_size=1)
    async with engine.begin() as connection:
        await connection.execute(
            text("UPDATE alembic_version SET version_num = :revision"), {"revision": revision}
        )
    await engine.dispose()
    return made


async def test_the_schema_of_an_earlier_release_is_not_served(
    postgres_url: str, tmp_path: Path
) -> None:
    """Its first call would be a fault."""
    signing, vault = tmp_path / "signing-keys", tmp_path / "vault-keys"
    signing.write_text(new_key_file())
    vault.write_text(Vault.generate_keys())
    settings = Settings(
        database_url=await database_at(postgres_url, EARLIER),
        issuer="https://credit.test",
        secret=SECRET,
        signing_keys=signing,
        vault_keys=vault,
        log_checkpoints=(make_checkpoint_folder(tmp_path),),
    )
    with pytest.raises(SettingsError, match="xinqiao-gateway db upgrade"):
        await check_environment(settings)


async def test_a_database_of_a_later_release_is_not_upgraded(postgres_url: str) -> None:
    """In a sentence; it is not behind, so that this release may serve until the change-over ends."""
    url = await database_at(postgres_url, LATER)
    with pytest.raises(LaterReleaseError, match="later release"):
        await asyncio.to_thread(upgrade, url)
    assert not is_behind(LATER)
    assert is_behind(EARLIER)
