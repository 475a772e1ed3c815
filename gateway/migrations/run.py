"""Schema upgrade by Alembic; safe to repeat and to run concurrently."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy.exc import DBAPIError

from gateway.db.unavailable import LOCK_NOT_AVAILABLE, sqlstate_of


class TableInUseError(Exception):
    """A table that has to be changed was in use; nothing was changed, and upgrading again is safe."""


def alembic_config(url: str) -> Config:
    """Alembic's configuration for the database at `url`, without a file."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.attributes["url"] = url
    return config


def upgrade(url: str, revision: str = "head") -> None:
    """Bring the database at `url` to `revision`; raises `TableInUseError`."""
    try:
        command.upgrade(alembic_config(url), revision)
    except DBAPIError as error:
        if sqlstate_of(error) != LOCK_NOT_AVAILABLE:
            raise
        raise TableInUseError(
            "Another session has held a table for longer than 5 seconds that the upgrade has to "
            "change: nothing was changed. End what holds it (pg_stat_activity), or wait for it; then "
            "run `xinqiao-gateway db upgrade` again."
        ) from None
