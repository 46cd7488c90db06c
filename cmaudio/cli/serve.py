"""`cmaudio serve`."""

from __future__ import annotations

import importlib
import os
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from cmaudio.cli.extras import requires_extra
from cmaudio.cli.terminal import console, notice

PORT = 8880
_KEYS = Path("cmaudio-keys.txt")


def serve(
    model: Annotated[
        list[str] | None, typer.Option(help="Model to serve, embedded or a file; repeatable. english by default.")
    ] = None,
    host: Annotated[str, typer.Option(help="Address to serve on; all but 127.0.0.1 need --keys.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to serve on; 0 takes a free one.")] = PORT,
    keys: Annotated[Path | None, typer.Option(help="File with the hashes of the API keys that are accepted.")] = None,
    new_key: Annotated[
        str | None,
        typer.Option(metavar="NAME", help=f"Add a client to --keys ({_KEYS} by default), print its key, and exit."),
    ] = None,
    tls_certificate: Annotated[Path | None, typer.Option(help="Certificate in PEM: serve over TLS.")] = None,
    tls_key: Annotated[Path | None, typer.Option(help="Key of the certificate in PEM.")] = None,
    wyoming: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Port for the Wyoming protocol, on 127.0.0.1 only.")
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, max=64, help="Synthesis threads; one per processor by default.")
    ] = None,
    lead: Annotated[
        float, typer.Option(min=0.1, max=3600, help="How far synthesis runs ahead of the client, in seconds.")
    ] = 20.0,
    max_letters: Annotated[int, typer.Option(min=1, help="Longest text of one request, in characters.")] = 4096,
    max_seconds: Annotated[float, typer.Option(min=1, help="Longest audio of one request, in seconds.")] = 1800.0,
    client_streams: Annotated[int, typer.Option(min=1, help="Concurrent streams per client.")] = 32,
    client_requests: Annotated[int, typer.Option(min=1, help="Requests per client and minute.")] = 600,
    drain: Annotated[
        float, typer.Option(min=0, help="How long streams may continue after SIGTERM or Ctrl-C, in seconds.")
    ] = 30.0,
) -> None:
    """Serve speech over OpenAI's API, with the streams of all clients batched."""
    with requires_extra("serve"):
        from cmaudio.serve.keys import add_key, read_keys
        from cmaudio.serve.log import log_to_stderr
        from cmaudio.serve.server import Address, check_access, listening_socket, make_server, serve_on
        from cmaudio.serve.service import Service, ServiceSettings

    if new_key is not None:
        print(add_key(keys or _KEYS, new_key))
        return
    known = read_keys(keys) if keys is not None else None
    address = Address(host, port, tls_certificate, tls_key)
    check_access(address, known)
    if known is not None and tls_certificate is None:
        notice("without TLS, keys are sent unencrypted: give --tls-certificate, or put a TLS proxy before the server")
    settings = ServiceSettings(
        models=model or ["english"],
        workers=workers or os.cpu_count() or 1,
        lead_seconds=lead,
        most_letters=max_letters,
        most_seconds=max_seconds,
        streams_per_client=client_streams,
        requests_per_minute=client_requests,
    )
    with ExitStack() as stack:
        bound = stack.enter_context(listening_socket(address))
        satellites = None
        if wyoming is not None:
            with requires_extra("wyoming"):
                importlib.import_module("wyoming")
            satellites = stack.enter_context(listening_socket(Address(port=wyoming)))
        service = Service(settings)
        stack.callback(service.close)
        server = make_server(service, known, address, drain, satellites)
        room = ", ".join(f"{name} (room for {service.capacity.streams(name)})" for name in service.models.by_name)
        scheme = "https" if tls_certificate else "http"
        console.print(f"{room} at {scheme}://{host}:{bound.getsockname()[1]}/v1  (Ctrl-C to stop)", soft_wrap=True)
        if satellites is not None:
            console.print("Wyoming at tcp://{}:{}".format(*satellites.getsockname()[:2]))
        log_to_stderr()
        serve_on(server, bound)
