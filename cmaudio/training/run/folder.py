"""The folder of a run: its configuration and provenance, and whether it can be resumed.

config.yaml         the whole configuration                checkpoints/       to resume a stage from
run.json            versions, commit, corpus, identity     log/, wandb/       TensorBoard, Weights & Biases
<stage>.safetensors weights of a finished stage            <name>.cmaudio     the model file; teacher.cmaudio
alignment.jsonl.gz  phoneme boundaries found by the aligner
discriminators.safetensors  of the last stage that had any, for later stages and runs
"""

from __future__ import annotations

import json
import platform
import secrets
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch

from cmaudio.errors import CmaudioError
from cmaudio.files.place import Place
from cmaudio.files.reading import is_file, read_json, reason
from cmaudio.training.config import RunConfig, differences, read_config, write_config
from cmaudio.training.corpus.description import CorpusDescription

ALIGNMENT = "alignment.jsonl.gz"


def open_run(folder: Path, config: RunConfig, corpus: Place, description: CorpusDescription) -> None:
    """Create the run's folder, or check that an existing one has the same configuration and corpus.

    Raises:
        CmaudioError: names what differs, or why the folder cannot be written.
    """
    path = folder / "config.yaml"
    about = {
        "corpus": str(corpus.resolve() if isinstance(corpus, Path) else corpus),
        "corpus_name": description.name,
        "timbres": [t.name for t in description.timbres],
        "picture": description.picture,
    }
    if is_file(path):
        _check_unchanged(folder, config, about)
    else:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            identity = {"id": secrets.token_hex(4)}
            (folder / "run.json").write_text(json.dumps(about | identity | _provenance(), indent=1), encoding="utf-8")
        except (OSError, ValueError) as error:
            raise CmaudioError(
                f"run folder {folder} cannot be created ({reason(error)}); give another folder"
            ) from error
    try:
        write_config(config, path)
    except OSError as error:
        raise CmaudioError(f"{path} cannot be written ({error.strerror}); make room or give another folder") from error


def _check_unchanged(folder: Path, config: RunConfig, about: dict[str, Any]) -> None:
    changed = differences(read_config(folder / "config.yaml"), config)
    before = read_about(folder)
    keys = ("corpus_name", "timbres", "picture")
    changed += [f"{key} = {before.get(key)!r}"[:200] for key in keys if before.get(key) != about[key]]
    if changed:
        raise CmaudioError(
            f"{folder} holds a run of another configuration; these differ (old and new): {'; '.join(changed[:6])}. "
            "Give another folder, or the configuration that the run was started with"
        )


def read_about(folder: Path) -> dict[str, Any]:
    """The corpus and the provenance of a run. Raises CmaudioError for a folder without them."""
    about = read_json(folder / "run.json", "run", "the run folder is incomplete: give another folder")
    return {"picture": "harmonic", "id": folder.name} | about  # which older runs do not name


def _provenance() -> dict[str, str]:
    return {
        "began": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": _commit(),
        "torch": torch.__version__,
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}",
    }


def _commit() -> str:
    """The code's commit, marked if files differ from it; "" outside of a checkout."""
    git = ["git", "-C", str(Path(__file__).parent)]
    try:
        subprocess.run([*git, "ls-files", "--error-unmatch", Path(__file__).name], capture_output=True, check=True)
        described = [*git, "describe", "--always", "--dirty", "--abbrev=12"]
        return subprocess.run(described, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""
