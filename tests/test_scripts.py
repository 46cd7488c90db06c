"""The set-up scripts, run against a PATH on which only chosen commands exist."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SCRIPTS = [ROOT / "scripts" / name for name in ("setup.sh", "play", "bench", "test")] + [ROOT / ".ci" / "run"]
TOOLS = ("bash", "cat", "cksum", "dirname", "env", "grep", "mv", "sed", "tail")

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the fake system is a Linux")

# A new enough Python, as far as the scripts can tell: makes an environment whose pip and cmaudio note their arguments.
PYTHON = """
case "$*" in
    "-m venv --clear "*) mkdir -p "$4/bin" && cp "$0" "$4/bin/python" ;;
    "-m pip install "*)
        echo "pip ${*: -1}" >>"$LOG"
        cat >"${0%/*}/cmaudio" <<'END'
#!/usr/bin/env bash
printf '<%s>' cmaudio "$@"
END
        chmod +x "${0%/*}/cmaudio"
        ;;
esac
"""
OLD_PYTHON = "exit 1"
PORTAUDIO = "echo libportaudio.so.2"
# What is "installed" appears on PATH.
APT_GET = """
echo "apt-get $*" >>"$LOG"
case "$*" in
    *" python3 "*) mv "$SPARE/python3" "$BIN" ;;
    *libportaudio2*) echo 'echo libportaudio.so.2' >>"$BIN/ldconfig" ;;
esac
"""


class System:
    """A checkout of the scripts, and a PATH of a few real tools and any fake commands."""

    def __init__(self, path: Path) -> None:
        self.root, self.bin, self.spare, self.log = path / "a checkout", path / "bin", path / "spare", path / "log"
        for directory in (self.root / "scripts", self.bin, self.spare):
            directory.mkdir(parents=True)
        for script in SCRIPTS[:-1]:
            shutil.copy(script, self.root / "scripts")
        (self.root / "pyproject.toml").write_text("[project]\n")
        for name in (*TOOLS, "mkdir", "cp", "chmod"):
            real = shutil.which(name)
            assert real is not None
            (self.bin / name).symlink_to(real)
        self.log.touch()
        self.fake("uname", "echo Linux")
        self.fake("ldconfig", "")
        self.user(0)

    def fake(self, name: str, body: str, *, spare: bool = False) -> None:
        file = (self.spare if spare else self.bin) / name
        file.write_text(f"#!/usr/bin/env bash\n{body}\n")
        file.chmod(0o755)

    def user(self, uid: int) -> None:
        self.fake("id", f"echo {uid}")

    def apt(self, *packages: str, python: str = "3.11.2-1") -> None:
        """A package system that offers `packages`, and some version of python3."""
        self.fake("apt-get", APT_GET)
        known = "|".join(packages) or "none"
        show = f'*" python3") echo "Version: {python}" ;; *" "@({known})) ;; *) exit 100 ;;'
        self.fake("apt-cache", f'shopt -s extglob\ncase " $*" in {show} esac')

    def run(self, *command: str, stderr: int = subprocess.PIPE) -> subprocess.CompletedProcess[str]:
        variables = {"PATH": str(self.bin), "LOG": str(self.log), "BIN": str(self.bin), "SPARE": str(self.spare)}
        return subprocess.run(
            command,
            env=variables,
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            timeout=20,
        )

    def play(self, *arguments: str, stderr: int = subprocess.PIPE) -> subprocess.CompletedProcess[str]:
        return self.run(str(self.root / "scripts" / "play"), *arguments, stderr=stderr)

    def logged(self) -> list[str]:
        lines = self.log.read_text().splitlines()
        self.log.write_text("")
        return lines


CHATTY = """
case "$*" in
    "-m pip install "*) echo "Collecting numpy>=1.26 (from cmaudio)"; echo "  ERROR: no room" ;;
esac
"""


@pytest.fixture
def system(tmp_path: Path) -> System:
    return System(tmp_path)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_scripts_parse(script: Path) -> None:
    subprocess.run(["bash", "-n", script], check=True)
    assert os.access(script, os.X_OK) == (script.suffix != ".sh")


@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="shellcheck is not installed")
def test_shellcheck_finds_nothing() -> None:
    subprocess.run(["shellcheck", "-x", *SCRIPTS], check=True, cwd=ROOT)


def test_nothing_is_installed_if_everything_is_present(system: System) -> None:
    system.fake("python3", PYTHON)
    system.fake("ldconfig", PORTAUDIO)
    system.apt()

    first = system.play("my song.mid", "--seconds", "3")
    assert first.returncode == 0, first.stderr
    assert first.stdout == "<cmaudio><play><my song.mid><--seconds><3>"
    assert system.logged() == [f"pip {system.root}"]

    again = system.play()
    assert (again.stdout, again.stderr) == ("<cmaudio><play>", "")
    assert system.logged() == []

    (system.root / "pyproject.toml").write_text("[project]\nname = 'changed'\n")
    assert system.play().returncode == 0
    assert system.logged() == [f"pip {system.root}"]


def test_installed_extras_are_reused_by_play(system: System) -> None:
    system.fake("python3", PYTHON)
    system.fake("ldconfig", PORTAUDIO)
    setup = system.root / "scripts" / "setup.sh"
    for _ in range(2):
        set_up = system.run("bash", "-euc", 'source "$1"; set_up train,dev', "-", str(setup))
        assert set_up.returncode == 0, set_up.stderr
    assert system.play().returncode == 0
    assert system.logged() == [f"pip {system.root}[train,dev]"]


def test_root_gets_python_and_portaudio(system: System) -> None:
    system.fake("python3", PYTHON, spare=True)
    system.apt("python3-venv", "libportaudio2")
    result = system.play()
    assert result.returncode == 0, result.stderr
    installs = [line for line in system.logged() if line.startswith("apt-get")]
    assert len(installs) == 2, installs
    assert installs[0].endswith(" python3 python3-venv")
    assert installs[1].endswith(" libportaudio2")
    assert not any("update" in line for line in installs)


def test_package_lists_are_fetched_where_there_are_none(system: System) -> None:
    system.fake("python3", PYTHON)
    system.apt()
    assert system.play().returncode == 0
    commands = system.logged()
    assert sum("update" in line for line in commands) == 1
    assert "update" in commands[0]


def test_ubuntu_names(system: System) -> None:
    system.fake("python3", OLD_PYTHON)
    system.apt("python3-venv", "python3.11-venv", "libportaudio2t64", python="3.10.6-1~22.04")
    result = system.play()
    installs = system.logged()
    assert result.returncode == 1
    assert installs[0].endswith(" python3.11 python3.11-venv")
    assert "apt-get install python3.11 python3.11-venv libportaudio2t64" in result.stderr


@pytest.mark.parametrize(
    "sudo", [None, 'echo "sudo $*" >>"$LOG"; [[ $1 != -n ]]'], ids=["no sudo", "sudo wants a password"]
)
def test_without_root_the_command_to_run_is_named(system: System, sudo: str | None) -> None:
    system.user(1000)
    system.apt("python3-venv", "libportaudio2")
    if sudo:
        system.fake("sudo", sudo)
    result = system.play()
    assert result.returncode == 1
    assert "sudo apt-get install python3 python3-venv libportaudio2" in result.stderr
    assert system.logged() == (["sudo -n true"] if sudo else [])
    assert not (system.root / ".venv").exists()


def test_without_root_a_missing_portaudio_does_not_stop_play(system: System) -> None:
    system.user(1000)
    system.fake("python3", PYTHON)
    system.apt("libportaudio2")
    result = system.play()
    assert result.returncode == 0
    assert result.stdout == "<cmaudio><play>"
    assert "sudo apt-get install libportaudio2" in result.stderr


def test_no_recent_python_available(system: System) -> None:
    system.fake("python3", OLD_PYTHON)
    system.apt("python3-venv", python="3.9.2-3")
    result = system.play()
    assert result.returncode == 1
    assert "needs Python 3.11 or newer" in result.stderr
    assert not any("install" in line for line in system.logged())


@pytest.mark.parametrize(("version", "found"), [((3, 10, 12), False), ((3, 11, 0), True), ((3, 13, 1), True)])
def test_python_versions(system: System, version: tuple[int, ...], found: bool) -> None:
    pretend = f"import sys; sys.version_info = {version}; exec(sys.argv[1])"
    system.fake("python3", f"exec '{sys.executable}' -c '{pretend}' \"$2\"")
    result = system.run("bash", "-c", 'source "$1"; find_python', "-", str(system.root / "scripts" / "setup.sh"))
    assert result.stdout == (f"{system.bin}/python3\n" if found else "")


def test_without_apt(system: System) -> None:
    result = system.play()
    assert result.returncode == 1
    assert "package manager" in result.stderr


def test_failing_pip_is_retried(system: System) -> None:
    system.fake(
        "python3", PYTHON.replace('echo "pip', '[[ -n $(<"$LOG") ]] || { echo no >>"$LOG"; exit 1; }; echo "pip')
    )
    system.fake("ldconfig", PORTAUDIO)
    failed = system.play()
    assert failed.returncode == 1
    assert "pip could not install" in failed.stderr
    assert system.play().returncode == 0


def test_a_terminal_sees_what_is_being_installed(system: System) -> None:
    system.fake("python3", CHATTY + PYTHON)
    system.fake("ldconfig", PORTAUDIO)
    leader, terminal = os.openpty()
    try:
        done = system.play(stderr=terminal)
        shown = os.read(leader, 2**16).decode()
    finally:
        os.close(leader)
        os.close(terminal)
    assert done.stdout == "<cmaudio><play>"
    assert "0 s  Collecting numpy>=1.26" in shown
    assert "ERROR: no room" in shown
    assert shown.endswith("\r\033[K")
