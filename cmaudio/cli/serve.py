"""`cmaudio serve`."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from cmaudio.cli.extras import requires_extra
from cmaudio.cli.terminal import console

PORT = 8880


def serve(
    model: Annotated[
        list[str] | None, typer.Option(help="A model to serve, embedded or a file; repeatable. english by default.")
    ] = None,
    host: Annotated[str, typer.Option(help="Address to serve on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to serve on; 0 takes a free one.")] = PORT,
    workers: Annotated[
        int | None, typer.Option(min=1, max=64, help="Threads that make sound; one a processor by default.")
    ] = None,
    lead: Annotated[
        float, typer.Option(min=0.1, max=3600, help="How far sound is made ahead of its listener, in seconds.")
    ] = 20.0,
    max_letters: Annotated[int, typer.Option(min=1, help="Longest text of one request, in characters.")] = 4096,
) -> None:
    """Serve speech over OpenAI's API: many listeners share the evaluations of the networks."""
    with requires_extra("serve"):
        from cmaudio.serve.server import Address, listening_socket, serve_on
        from cmaudio.serve.service import Service, ServiceSettings

    settings = ServiceSettings(
        models=model or ["english"],
        workers=workers or os.cpu_count() or 1,
        lead_seconds=lead,
        most_letters=max_letters,
    )
    with listening_socket(Address(host, port)) as bound:
        service = Service(settings)
        names = ", ".join(service.models.by_name)
        console.print(f"{names} at http://{host}:{bound.getsockname()[1]}/v1  (Ctrl-C to stop)", soft_wrap=True)
        serve_on(service, bound)
