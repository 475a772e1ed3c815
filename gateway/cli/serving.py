"""`serve`: nothing listens before every setting is there and good."""

from typing import Annotated

import typer
import uvicorn

from gateway.settings import Settings


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8420,
) -> None:
    """Serve with the settings in XINQIAO_… (see the documentation); TLS is the proxy's."""
    settings = Settings.from_env()
    uvicorn.run(
        "gateway.cli.serving:application",
        factory=True,
        host=host,
        port=port,
        workers=settings.workers,
        loop="uvloop",
        http="httptools",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        log_config=None,
    )


def application() -> object:
    """One worker's application."""
    from gateway.app import create_app
    from gateway.logs import configure

    configure()
    return create_app(Settings.from_env())
