"""The server on a Ray cluster of two nodes: streams come whole, through updates as well, and a lost replica harms its
own alone."""

from __future__ import annotations

import base64
import copy
import json
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest

pytest.importorskip("ray.serve", reason="ray is not installed")
yaml = pytest.importorskip("yaml")

import httpx
from fixtures import deployed_elsewhere
from fixtures.listeners import WAIT_SECONDS, Listener, listeners
from fixtures.ray_cluster import free_port, ray_cluster
from fixtures.serving import Running
from fixtures.waiting import wait_for
from websockets.sync.client import connect

from cmaudio.serve.deployment import NAME, DeploymentSettings, deployment_text
from cmaudio.serve.server import Address

SENTENCE = "This is a sentence of some length, which is said again and again. "
ASKED = {"model": "english", "input": 3 * SENTENCE, "response_format": "pcm", "seed": 3}
STREAMS_PER_REPLICA = 2
START_SECONDS = 900  # of replicas and proxies, on a busy machine


@dataclass
class Cluster:
    """A deployment that answers at `url`."""

    ray: Any
    serve: Any
    client: Any
    url: str
    port: int

    def file(self, least: int = 2, **settings: Any) -> dict[str, Any]:
        """The deployment file of these settings, for replicas that take few streams, two at most."""
        text = deployment_text(DeploymentSettings(lead=1, **settings), Address(port=self.port), (least, 2))
        file: dict[str, Any] = yaml.safe_load(text)
        replica = file["applications"][0]["deployments"][0]
        replica["max_ongoing_requests"] = STREAMS_PER_REPLICA
        replica["autoscaling_config"] |= {"target_ongoing_requests": 1, "upscale_delay_s": 0.1}
        return file

    def deploy(self, file: dict[str, Any], wait: bool = True) -> None:
        """Deploy it, or update what is deployed, as `serve deploy` does."""
        from ray.serve.schema import ServeDeploySchema

        self.client.deploy_apps(ServeDeploySchema(**file))
        if wait:
            wait_for(lambda: self.running, START_SECONDS)

    @property
    def running(self) -> bool:
        """Whether the deployment is complete."""
        applications = self.serve.status().applications
        return NAME in applications and applications[NAME].status == "RUNNING"

    def replicas(self) -> int:
        """That take streams."""
        states = self.serve.status().applications[NAME].deployments[NAME].replica_states
        return int(states.get("RUNNING", 0))

    def is_idle(self, replica: str) -> bool:
        """Whether no stream is left on this replica; False where another one has answered."""
        answer = httpx.get(f"{self.url}/ready", timeout=WAIT_SECONDS)
        return answer.headers["x-replica"] == replica and answer.json()["streams"] == 0

    def kill(self, replica: str) -> None:
        """As the system does where memory is short."""
        actor = self.ray.get_actor(f"SERVE_REPLICA::{NAME}#{NAME}#{replica}", namespace="serve")
        self.ray.kill(actor)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with ray_cluster(2, 2), pytest.MonkeyPatch.context() as patch:
        import ray
        from ray import serve
        from ray.serve._private.api import serve_start

        for module in ("api", "client"):
            patch.setattr(f"ray.serve._private.{module}.HTTP_PROXY_TIMEOUT", START_SECONDS)
        port = free_port()
        client = serve_start({"host": "127.0.0.1", "port": port}, proxy_location="HeadOnly")
        made = Cluster(ray, serve, client, f"http://127.0.0.1:{port}", port)
        made.deploy(made.file(least=1))
        yield made
        client.shutdown()


@pytest.fixture(scope="module")
def whole(english: Running) -> bytes:
    """What is asked for, as a server on one machine says it."""
    return httpx.post(f"{english.url}/v1/audio/speech", json=ASKED, timeout=WAIT_SECONDS).content


def test_replicas_become_more_with_the_streams(cluster: Cluster) -> None:
    assert cluster.replicas() == 1
    heard = listeners(STREAMS_PER_REPLICA, cluster.url, ASKED | {"input": 50 * SENTENCE})
    wait_for(lambda: cluster.replicas() == 2, WAIT_SECONDS)
    for each in heard:
        each.leave()
    cluster.deploy(cluster.file())  # no fewer from now on


def test_streams_come_while_they_are_made_and_whole(cluster: Cluster, whole: bytes) -> None:
    heard = listeners(2 * STREAMS_PER_REPLICA, cluster.url, ASKED)
    assert len(heard[-1].heard) < len(whole)
    assert len({each.replica for each in heard}) == 2
    assert all(each.whole() == whole for each in heard)


def test_events_hold_the_same_sound(cluster: Cluster, whole: bytes) -> None:
    (one,) = listeners(1, cluster.url, ASKED | {"stream_format": "sse"})
    events = [json.loads(line[6:]) for line in one.whole().decode().splitlines() if line]
    assert events[-1]["type"] == "speech.audio.done"
    assert b"".join(base64.b64decode(event["audio"]) for event in events[:-1]) == whole


def test_text_is_spoken_over_a_web_socket_while_it_is_written(cluster: Cluster) -> None:
    with connect(f"{cluster.url.replace('http', 'ws')}/v1/audio/stream") as connection:
        connection.send(json.dumps({"type": "start", "model": "english", "lead_ms": 500}))
        assert json.loads(connection.recv(WAIT_SECONDS))["type"] == "started"
        connection.send(json.dumps({"type": "text", "text": "Good morning.", "flush": True}))
        first = connection.recv(WAIT_SECONDS)
        connection.send(json.dumps({"type": "end"}))
        rest = list(connection)
    assert json.loads(first)["type"] == "mark"
    assert json.loads(rest[-1])["type"] == "done"
    assert sum(len(part) for part in rest if isinstance(part, bytes)) > 10_000


def test_a_client_that_vanishes_frees_its_stream(cluster: Cluster) -> None:
    with httpx.stream("POST", f"{cluster.url}/v1/audio/speech", json=ASKED, timeout=WAIT_SECONDS) as response:
        parts = response.iter_bytes()
        next(parts)
    wait_for(lambda: cluster.is_idle(response.headers["x-replica"]), WAIT_SECONDS)


def test_a_replica_that_is_lost_cuts_its_own_streams_off(cluster: Cluster, whole: bytes) -> None:
    heard = listeners(2 * STREAMS_PER_REPLICA, cluster.url, ASKED)
    lost = heard[0].replica
    cluster.kill(lost)
    for each in heard:
        if each.replica == lost:
            with pytest.raises(httpx.RemoteProtocolError, match="incomplete"):
                each.whole()
            assert len(each.heard) < len(whole)
        else:
            assert each.whole() == whole
    assert len({each.replica for each in heard}) == 2
    again = listeners(2 * STREAMS_PER_REPLICA, cluster.url, ASKED)  # Ray has started another in its place
    assert lost not in {each.replica for each in again}
    assert all(each.whole() == whole for each in again)


def test_an_update_drops_no_stream(cluster: Cluster, whole: bytes) -> None:
    before = listeners(2 * STREAMS_PER_REPLICA, cluster.url, ASKED)
    during = []
    with ThreadPoolExecutor(1) as pool:
        updating = pool.submit(cluster.deploy, cluster.file(max_letters=2000))
        while not updating.done():
            during.append(Listener(cluster.url, ASKED | {"input": "Hello."}))
            during[-1].whole()
        updating.result()
    after = listeners(2 * STREAMS_PER_REPLICA, cluster.url, ASKED)
    assert all(each.whole() == whole for each in [*before, *after])
    assert len({each.whole() for each in during}) == 1
    assert not {each.replica for each in before} & {each.replica for each in after}


def test_a_machine_of_another_version_says_so_and_harms_nobody(cluster: Cluster, whole: bytes) -> None:
    heard = listeners(1, cluster.url, ASKED)
    ours = cluster.file()
    other = copy.deepcopy(ours["applications"][0])
    other |= {"name": "other", "route_prefix": "/other", "import_path": "fixtures.deployed_elsewhere:application"}
    ours["applications"].append(other)
    cluster.deploy(ours, wait=False)

    def said() -> str:
        deployments = cluster.serve.status().applications["other"].deployments
        return deployments[NAME].message if NAME in deployments else ""

    wait_for(lambda: f"instead of {deployed_elsewhere.VERSION}" in said(), WAIT_SECONDS)
    assert f"{socket.gethostname()} has cmaudio" in said()
    assert "install the same versions" in said()
    assert heard[0].whole() == whole
    assert httpx.get(f"{cluster.url}/v1/models", timeout=WAIT_SECONDS).status_code == 200


def test_mistakes_in_the_file_are_in_the_status(cluster: Cluster) -> None:
    file = cluster.file()
    file["applications"][0]["args"]["modells"] = ["english"]
    cluster.deploy(file, wait=False)
    wait_for(lambda: "modells" in cluster.serve.status().applications[NAME].message, WAIT_SECONDS)
    assert httpx.get(f"{cluster.url}/v1/models", timeout=WAIT_SECONDS).status_code == 200
