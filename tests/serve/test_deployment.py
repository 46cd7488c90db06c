"""The deployment file of Ray Serve: written from options, read back, and mistakes in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("fastapi")
yaml = pytest.importorskip("yaml")

from typer.testing import CliRunner, Result

from cmaudio.cli.app import app
from cmaudio.errors import CmaudioError
from cmaudio.serve.deployment import DeploymentSettings, deployment_text, read_settings
from cmaudio.serve.keys import add_key, read_keys
from cmaudio.serve.server import Address


def serve(*options: object) -> Result:
    return CliRunner().invoke(app, ["serve", *map(str, options)])


def test_the_options_of_the_command_are_in_the_file(tmp_path: Path) -> None:
    keys, file = tmp_path / "keys", tmp_path / "cmaudio.yaml"
    add_key(keys, "ada")
    keys_of_tls = ["--tls-certificate", "cert.pem", "--tls-key", "key.pem"]
    options = ["--model", "english", "--model", "russian", "--workers", 4, "--max-seconds", 600, "--lead", 5]
    done = serve("--deployment", file, "--host", "0.0.0.0", "--port", 9000, "--keys", keys, *keys_of_tls, *options)
    assert done.exit_code == 0, done.output
    found = yaml.safe_load(file.read_text())
    assert (found["http_options"]["host"], found["http_options"]["port"]) == ("0.0.0.0", 9000)
    assert (found["http_options"]["ssl_certfile"], found["http_options"]["ssl_keyfile"]) == ("cert.pem", "key.pem")
    (served,) = found["applications"]
    settings = read_settings(served["args"])
    assert (settings.models, settings.workers, settings.lead) == (["english", "russian"], 4, 5.0)
    assert settings.keys == read_keys(keys).names
    (replica,) = served["deployments"]
    assert replica["graceful_shutdown_timeout_s"] == settings.service.most_seconds == 600
    target = replica["autoscaling_config"]["target_ongoing_requests"]
    assert 0 < target < replica["max_ongoing_requests"]


def test_what_is_written_is_what_is_read() -> None:
    given = DeploymentSettings(models=["a: b # c", "d"], workers=3, keys={"ada": "0" * 64})
    file = yaml.safe_load(deployment_text(given, Address()))
    assert read_settings(file["applications"][0]["args"]) == given


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--host", "0.0.0.0"], "--keys FILE"),
        (["--model", "klingon"], "klingon"),
        (["--wyoming", "0"], "--wyoming"),
        (["--tls-certificate", "cert.pem"], "--tls-key"),
        (["--port", "0"], "--port"),
    ],
)
def test_what_a_cluster_cannot_serve_is_refused_and_nothing_written(
    options: list[str], says: str, tmp_path: Path
) -> None:
    result = serve("--deployment", tmp_path / "cmaudio.yaml", *options)
    assert says in str(result.exception)
    assert not (tmp_path / "cmaudio.yaml").exists()


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    assert "missing" in str(serve("--deployment", tmp_path / "missing" / "cmaudio.yaml").exception)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"modells": ["english"]}, "modells"),
        ({"models": []}, "models"),
        ({"models": "english"}, "models"),
        ({"workers": 0}, "workers"),
        ({"lead": float("nan")}, "lead"),
        ({"max_seconds": float("inf")}, "max_seconds"),
        ({"keys": {"ada": "secret"}}, "SHA-256"),
        ({"keys": {"a b": "0" * 64}}, "SHA-256"),
    ],
)
def test_mistakes_in_the_file_are_named(arguments: dict[str, Any], says: str) -> None:
    with pytest.raises(CmaudioError, match=says) as raised:
        read_settings(arguments)
    assert "secret" not in str(raised.value)
    assert raised.value.__suppress_context__ or "secret" not in str(raised.value.__cause__)
