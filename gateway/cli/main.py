"""Entry point of `xinqiao-gateway`: commands, and errors as one sentence."""

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from gateway.cli import (
    catalogue,
    clients,
    compare,
    ingest,
    keys,
    log,
    objections,
    personal_keys,
    records,
    repairs,
    retention,
    serve,
    synth,
    withdrawal_notices,
)
from gateway.db.unavailable import is_unavailable, name_of
from gateway.settings import SettingsError

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Xinqiao (信桥): the gateway's own command.",
)
db = typer.Typer(no_args_is_help=True, help="The database's schema.")
app.add_typer(db, name="db")
app.add_typer(keys.app, name="keys")
app.add_typer(log.app, name="log")
app.add_typer(clients.app, name="client")
app.add_typer(clients.agreements, name="agreement")
app.add_typer(catalogue.app, name="catalogue")
app.add_typer(personal_keys.app, name="personal")
app.add_typer(records.app, name="record")
app.add_typer(objections.app, name="objections")
app.add_typer(repairs.app, name="repairs")
app.add_typer(retention.app, name="retention")
app.command("tombstones")(withdrawal_notices.unacknowledged)
app.command("ingest")(ingest.ingest_files)
app.command()(serve.serve)
app.command()(synth.synth)
app.command()(compare.compare)


@app.command()
def demo(
    state: Annotated[Path, typer.Option(help="The demo's own folder; made if missing.")] = Path(
        ".demo"
    ),
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="Loopback port; kept in the folder.")
    ] = None,
    entities: Annotated[
        int, typer.Option(min=200, help="How many enterprises the province has.")
    ] = 10_000,
    once: Annotated[bool, typer.Option("--once", help="Take the tour, and end after it.")] = False,
    tour: Annotated[
        bool, typer.Option("--tour", help="Take the tour again; at the first start it is taken.")
    ] = False,
) -> None:
    """Build a synthetic province, serve it, take the tour the first time, and go on serving."""
    from gateway.synthetic.demo import DemoOptions, run_demo
    from gateway.synthetic.state import StateError

    try:
        options = DemoOptions(folder=state, port=port, entities=entities, once=once, tour=tour)
        run_demo(options, Console())
    except StateError as error:
        _exit_with(str(error))


@db.command("upgrade")
def db_upgrade() -> None:
    """Bring the database at XINQIAO_DATABASE_URL to the newest schema; safe to repeat."""
    from gateway.cli.operator_session import query
    from gateway.creditfile.natural_key_version import keys_are_current
    from gateway.migrations.run import TableInUseError, upgrade
    from gateway.settings import DatabaseSettings

    try:
        upgrade(DatabaseSettings.from_env().database_url)
    except TableInUseError as error:
        _exit_with(str(error))
    print("The schema is up to date.")
    if not query(keys_are_current):
        print(
            "No records are taken until the keys of those that are held are folded anew: "
            "run `xinqiao-gateway record refold`."
        )


def main() -> None:
    """Run the command; expected errors are one sentence, not a traceback."""
    try:
        app()
    except SettingsError as error:
        _exit_with(str(error))
    except Exception as error:
        if not is_unavailable(error):
            raise
        _exit_with(f"The database at XINQIAO_DATABASE_URL did not do it ({name_of(error)}).")


def _exit_with(sentence: str) -> None:
    print(sentence, file=sys.stderr)
    raise SystemExit(2)
