"""The deployment file of Ray Serve: options of the server, limits of autoscaling, and shutdown of replicas."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from string import Template
from typing import Annotated, Any

from pydantic import Field, ValidationError

from cmaudio.errors import CmaudioError, explain
from cmaudio.files.atomic import atomic_file
from cmaudio.files.reading import reason
from cmaudio.serve.server import Address
from cmaudio.serve.service import ServiceSettings
from cmaudio.serve.stream import LEAD_SECONDS
from cmaudio.strict import Strict

NAME = "cmaudio"
_STREAMS_PER_WORKER = 16  # of the English voice, as planned in scripts/README.md
_TARGET_SHARE = 0.6  # of a replica's streams; the rest is used while another replica starts
_MOST_KEYS = 10_000

_FILE = Template(
    """\
# $name on Ray Serve: start and update it with `serve deploy FILE`.
proxy_location: EveryNode         # every machine listens, for a load balancer
http_options:                     # read only when Serve starts on the cluster
  host: $host
  port: $port
  keep_alive_timeout_s: 15
  request_timeout_s: $request_seconds        # closes responses that are not read
$tls
applications:
- name: $name
  route_prefix: /
  import_path: cmaudio.serve.replica:application
  args:                           # options of `cmaudio serve`; the limits of clients apply to each replica
$arguments
  deployments:
  - name: $name
    max_ongoing_requests: $streams       # per replica: $a_worker for each worker
    max_queued_requests: $streams        # per machine, when all replicas are full; Ray answers the rest with 503
    autoscaling_config:
      min_replicas: $least           # two, so that one serves while the other is replaced
      max_replicas: $most
      target_ongoing_requests: $target
      upscale_delay_s: 5
      downscale_delay_s: 300
    graceful_shutdown_timeout_s: $drain   # the longest audio, so that no update interrupts a stream
    health_check_period_s: 5
    health_check_timeout_s: 30
"""
)


class DeploymentSettings(Strict):
    """Options of each replica, as in the deployment file; they are those of `cmaudio serve`.

    `keys` maps client names to the SHA-256 of their keys; without keys, only local clients are served.
    """

    models: Annotated[list[str], Field(min_length=1)] = Field(default_factory=lambda: ["english"])
    workers: Annotated[int, Field(ge=1, le=64)] = 1
    lead: Annotated[float, Field(ge=0.1, le=3600)] = LEAD_SECONDS
    max_letters: Annotated[int, Field(ge=1)] = 4096
    max_seconds: Annotated[float, Field(ge=1)] = 1800.0
    client_streams: Annotated[int, Field(ge=1)] = 32
    client_requests: Annotated[int, Field(ge=1)] = 600
    keys: Annotated[
        dict[Annotated[str, Field(pattern=r"^[\w.@-]{1,64}$")], Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]],
        Field(max_length=_MOST_KEYS),
    ] = Field(default_factory=dict)

    @property
    def service(self) -> ServiceSettings:
        """The settings of a replica's service."""
        return ServiceSettings(
            models=self.models,
            workers=self.workers,
            lead_seconds=self.lead,
            most_letters=self.max_letters,
            most_seconds=self.max_seconds,
            streams_per_client=self.client_streams,
            requests_per_minute=self.client_requests,
        )


def read_settings(arguments: Mapping[str, Any]) -> DeploymentSettings:
    """The `args` of a deployment file. Raises CmaudioError that names the field, what is allowed and what was given."""
    try:
        return DeploymentSettings.model_validate(arguments)
    except ValidationError as error:
        if any(problem["loc"][0] == "keys" for problem in error.errors(include_url=False, include_context=False)):
            raise CmaudioError(
                "args of the deployment file: keys: names of clients, each with the SHA-256 of its key in hexadecimal, "
                "as `cmaudio serve --keys FILE --deployment FILE` writes them"
            ) from None  # somebody may have written the keys themselves
        raise CmaudioError(
            f"args of the deployment file: {explain(error, known=list(DeploymentSettings.model_fields))}"
        ) from error


def deployment_text(settings: DeploymentSettings, address: Address, replicas: tuple[int, int] = (2, 8)) -> str:
    """The file, in YAML. `replicas`: minimum and maximum."""
    tls = {"ssl_certfile": address.certificate, "ssl_keyfile": address.key}
    streams = _STREAMS_PER_WORKER * settings.workers
    arguments = [f"    {name}: {json.dumps(value)}" for name, value in settings.model_dump().items()]
    text = _FILE.substitute(
        name=NAME,
        host=json.dumps(address.host),
        port=address.port,
        tls="\n".join(f"  {name}: {json.dumps(str(path))}" for name, path in tls.items() if path is not None),
        request_seconds=round(2 * settings.max_seconds),
        arguments="\n".join(arguments),
        streams=streams,
        a_worker=_STREAMS_PER_WORKER,
        target=round(_TARGET_SHARE * streams),
        least=replicas[0],
        most=replicas[1],
        drain=round(settings.max_seconds),
    )
    return text.replace("\n\n", "\n")


def write_deployment(path: Path, text: str) -> None:
    """Raises CmaudioError for a file that cannot be written."""
    try:
        with atomic_file(path) as part:
            part.write_text(text, encoding="utf-8")
    except OSError as error:
        raise CmaudioError(f"{path} cannot be written ({reason(error)}); choose another file") from error
