"""Public names: documented, and imported when first used, however they are asked for."""

from __future__ import annotations

import ast
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import cmaudio

# Ctrl-C at the moment when the module named in {module} is looked for.
INTERRUPT = """
import os, signal, sys
class Interrupt:
    def find_spec(self, name, path=None, target=None):
        if name == {module!r}:
            sys.meta_path.remove(self)
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Interrupt())
"""


def run(code: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, timeout=60, check=False
    )


@pytest.mark.parametrize("name", cmaudio.__all__)
def test_public_names_have_a_docstring(name: str) -> None:
    documentation = getattr(cmaudio, name).__doc__
    assert documentation
    assert not documentation.startswith(f"{name}("), "the signature that a dataclass writes by itself"


def test_type_checkers_see_the_names_that_are_imported_when_used() -> None:
    assert cmaudio.__file__
    tree = ast.parse(Path(cmaudio.__file__).read_text(encoding="utf-8"))
    checked = {
        alias.asname: node.module
        for block in tree.body
        if isinstance(block, ast.If) and ast.unparse(block.test) == "TYPE_CHECKING"
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert checked == cmaudio._MODULES


@pytest.mark.parametrize(
    "code",
    [
        "import cmaudio, sys; assert not {'numpy', 'typing', 'cmaudio.errors'} & set(sys.modules)",
        "import cmaudio; assert cmaudio.Engine is cmaudio.Engine",
        "from cmaudio import Engine, open; assert Engine.__name__ == 'Engine' and open.__module__ == 'cmaudio.synth'",
        "from cmaudio import *; assert Score and render and speak",
        "from cmaudio import errors; import cmaudio; assert errors.CmaudioError is cmaudio.CmaudioError",
        "import cmaudio; assert set(cmaudio.__all__) < set(dir(cmaudio))",
        "import cmaudio; assert not hasattr(cmaudio, 'engin')",
        "import cmaudio, pydoc; text = pydoc.plain(pydoc.render_doc(cmaudio)); assert 'builtin_piece(' in text",
        "import cmaudio, pickle; assert isinstance(pickle.loads(pickle.dumps(cmaudio.CmaudioError('x'))), Exception)",
        "import cmaudio, rlcompleter; assert rlcompleter.Completer({'cmaudio': cmaudio}).complete('cmaudio.Eng', 0)",
    ],
)
def test_names_are_found_however_they_are_asked_for(code: str) -> None:
    result = run(code)
    assert result.returncode == 0, result.stderr


def test_a_misspelt_name_is_answered_with_the_nearest() -> None:
    assert "Did you mean: 'Engine'?" in run("import cmaudio; cmaudio.Engin").stderr


def test_many_threads_may_use_names_for_the_first_time_at_once() -> None:
    result = run(
        "import sys, threading, cmaudio\n"
        "from concurrent.futures import ThreadPoolExecutor\n"
        "sys.setswitchinterval(1e-6)\n"
        "names = list(cmaudio.__all__)\n"
        "together = threading.Barrier(len(names))\n"
        "with ThreadPoolExecutor(len(names)) as pool:\n"
        "    list(pool.map(lambda name: (together.wait(), getattr(cmaudio, name)), names))\n"
    )
    assert result.returncode == 0, result.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="os.kill ends the process there")
@pytest.mark.parametrize("module", ["numpy", "onnxruntime", "cmaudio.interrupts"])
def test_an_interrupted_first_use_leaves_a_short_traceback(module: str) -> None:
    lines = run(INTERRUPT.format(module=module) + "import cmaudio\ncmaudio.Engine").stderr.splitlines()
    assert lines[-1] == "KeyboardInterrupt"
    assert len(lines) < 8


@pytest.mark.skipif(sys.platform == "win32", reason="os.kill ends the process there")
@pytest.mark.parametrize("module", ["numpy", "onnxruntime"])
def test_an_interrupted_first_use_can_be_repeated(module: str) -> None:
    result = run(
        INTERRUPT.format(module=module) + "import cmaudio\n"
        "try:\n    cmaudio.Engine\nexcept KeyboardInterrupt:\n    print('interrupted')\n"
        "assert signal.getsignal(signal.SIGINT) is signal.default_int_handler\n"
        "cmaudio.Engine"
    )
    assert (result.returncode, result.stdout) == (0, "interrupted\n"), result.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="os.kill ends the process there")
@pytest.mark.parametrize("module", ["rich.text", "cmaudio.cli.app", "numpy", "onnxruntime"])
def test_a_command_interrupted_at_its_start_ends_without_a_word(module: str) -> None:
    result = run(INTERRUPT.format(module=module) + "sys.argv = ['cmaudio', 'models']\nimport cmaudio.cli.__main__")
    assert (result.returncode, result.stdout, result.stderr) == (-signal.SIGINT, "", "")
