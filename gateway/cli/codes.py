"""`code`: enterprise codes (企业码) in bulk."""

import typer

from gateway.cli.code_sheets import sheets

app = typer.Typer(no_args_is_help=True, help="Enterprise codes (企业码).")


@app.callback()
def codes() -> None:
    """Enterprise codes (企业码)."""


app.command("sheets")(sheets)
