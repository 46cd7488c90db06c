"""Runs the renderer of variations in a process beside the instrument, and follows its progress."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from contextlib import suppress
from typing import Any

from cmaudio.errors import CmaudioError
from cmaudio.panel.variations.job import VariationJob, as_row

_STOP_SECONDS = 3.0


class VariationRunner:
    """Runs one job at a time; `status` is what a page shows."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        self._reader: threading.Thread | None = None
        self._rows: list[dict[str, Any]] = []
        self.status: dict[str, Any] = {"running": False, "done": 0, "total": 0, "part": 0.0, "files": [], "error": ""}

    def start(self, job: VariationJob, what: str) -> None:
        """Start a job. Raises CmaudioError while one is running."""
        if self.status["running"]:
            raise CmaudioError("variations are already being rendered; cancel them first")
        self._rows = [as_row(item, what) for item in job.items]
        self.status = {"running": True, "done": 0, "total": len(self._rows), "part": 0.0, "files": [], "error": ""}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "cmaudio.panel.variations.render"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            start_new_session=True,  # Ctrl-C is for the command, which ends the renderer gracefully
        )
        assert self._process.stdin
        with suppress(OSError):
            self._process.stdin.write(job.model_dump_json() + "\n")
            self._process.stdin.flush()
        self._reader = threading.Thread(
            target=self._follow, args=(self._process,), name="cmaudio-variations", daemon=True
        )
        self._reader.start()

    def renamed(self, old: str, new: str | None) -> None:
        """A file was renamed; None: deleted."""
        named = {"name": new} if new is None else {"name": new, "label": new.rpartition(".")[0]}
        self._rows = [row | named if row["name"] == old else row for row in self._rows]
        self.status = self.status | {"files": self._listed(self.status["done"])}

    def _listed(self, done: int) -> list[dict[str, Any]]:
        return [row for row in self._rows[:done] if row["name"] is not None]

    def cancel(self) -> None:
        """Ask the renderer to end, and return at once; finished files stay."""
        process = self._process
        if process is None or process.poll() is not None:
            return
        with suppress(OSError, ValueError):  # ValueError: closed already
            assert process.stdin
            process.stdin.close()
        killer = threading.Timer(_STOP_SECONDS, process.kill)
        killer.daemon = True
        killer.start()

    def close(self) -> None:
        """Cancel the job and wait for it to end."""
        self.cancel()
        if self._reader is not None:
            self._reader.join(2 * _STOP_SECONDS)

    def _follow(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout
        try:
            for line in process.stdout:
                with suppress(ValueError, TypeError):
                    progress = json.loads(line)
                    if "done" in progress:
                        progress["files"] = self._listed(progress["done"])
                    self.status = self.status | progress
        finally:  # whatever it printed, the next job must be able to start
            process.wait()
            failed = process.returncode != 0 and not self.status["error"]
            error = "the renderer ended unexpectedly" if failed else self.status["error"]
            self.status = self.status | {"running": False, "part": 0.0, "error": error}
