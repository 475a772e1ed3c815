"""Options that several commands have (typer)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from xinqiao.cli._language import Language

Kit = Annotated[
    Path | None,
    typer.Option(
        "--kit", help="The demo's kit.json; else XINQIAO_ISSUER, …_CLIENT_ID, …_PRIVATE_JWKS."
    ),
]
As = Annotated[str, typer.Option("--as", help="Whom of the kit to play.")]
Keys = Annotated[Path | None, typer.Option("--keys", help="Pinned response keys (JWK set).")]
Json = Annotated[bool, typer.Option("--json", help="Print the answer's JSON as it came.")]
Lang = Annotated[
    Language | None, typer.Option("--lang", help="Language of the output; by default the locale's.")
]
Save = Annotated[Path | None, typer.Option("--save", help="Keep the evidence in this file.")]
Force = Annotated[bool, typer.Option("--force", help="Let --save overwrite a file.")]
TrustedKeys = Annotated[
    Path, typer.Option("--keys", help="The gateway's keys (JWK set), from a source you trust.")
]
