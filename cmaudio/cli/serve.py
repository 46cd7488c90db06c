"""`cmaudio serve`."""

from __future__ import annotations

import importlib
import os
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cmaudio.cli.extras import requires_extra
from cmaudio.cli.terminal import console, notice
from cmaudio.errors import CmaudioError
from cmaudio.model.file import load_model

if TYPE_CHECKING:
    from cmaudio.serve.deployment import DeploymentSettings
    from cmaudio.serve.server import Address

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
    deployment: Annotated[
        Path | None,
        typer.Option(
            help="Write these options to a Ray Serve deployment file, for `serve deploy` on a cluster, and exit.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Serve speech over OpenAI's API, with the streams of all clients batched."""
    with requires_extra("serve"):
        from cmaudio.serve.deployment import DeploymentSettings
        from cmaudio.serve.keys import add_key, read_keys
        from cmaudio.serve.log import log_to_stderr
        from cmaudio.serve.server import Address, check_access, listening_socket, make_server, serve_on
        from cmaudio.serve.service import Service

    if new_key is not None:
        print(add_key(keys or _KEYS, new_key))
        return
    known = read_keys(keys) if keys is not None else None
    address = Address(host, port, tls_certificate, tls_key)
    check_access(address, known)
    if known is not None and tls_certificate is None:
        notice("without TLS, keys are sent unencrypted: give --tls-certificate, or put a TLS proxy before the server")
    settings = DeploymentSettings(
        models=model or ["english"],
        workers=workers or os.cpu_count() or 1,
        lead=lead,
        max_letters=max_letters,
        max_seconds=max_seconds,
        client_streams=client_streams,
        client_requests=client_requests,
        keys=known.names if known is not None else {},
    )
    if deployment is not None:
        _write_deployment(deployment, settings, address, wyoming)
        return
    with ExitStack() as stack:
        bound = stack.enter_context(listening_socket(address))
        satellites = None
        if wyoming is not None:
            with requires_extra("wyoming"):
                importlib.import_module("wyoming")
            satellites = stack.enter_context(listening_socket(Address(port=wyoming)))
        service = Service(settings.service)
        stack.callback(service.close)
        server = make_server(service, known, address, drain, satellites)
        room = ", ".join(f"{name} (room for {service.capacity.streams(name)})" for name in service.models.by_name)
        scheme = "https" if tls_certificate else "http"
        console.print(f"{room} at {scheme}://{host}:{bound.getsockname()[1]}/v1  (Ctrl-C to stop)", soft_wrap=True)
        if satellites is not None:
            console.print("Wyoming at tcp://{}:{}".format(*satellites.getsockname()[:2]))
        log_to_stderr()
        serve_on(server, bound)


def _write_deployment(path: Path, settings: DeploymentSettings, address: Address, wyoming: int | None) -> None:
    from cmaudio.serve.deployment import deployment_text, write_deployment

    if wyoming is not None or address.port == 0:
        raise CmaudioError(
            "a cluster serves only the HTTP API, on a fixed port: leave out --wyoming, and give a --port"
        )
    if (address.certificate is None) != (address.key is None):
        raise CmaudioError("TLS needs a certificate and its key: give --tls-certificate and --tls-key")
    for model in settings.models:
        load_model(model)
    write_deployment(path, deployment_text(settings, address))
    console.print(f"{path} written: start it with `serve deploy {path}` on a machine of the cluster")
