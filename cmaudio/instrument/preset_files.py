"""Preset files: those included in cmaudio, and the user's own in the configuration folder or anywhere else."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from pydantic import ValidationError

from cmaudio.errors import CmaudioError, unknown
from cmaudio.files import folders
from cmaudio.files.atomic import atomic_file
from cmaudio.files.names import as_text, file_stem
from cmaudio.files.reading import as_path, expanded, is_file, is_there, read_file
from cmaudio.instrument.preset import VERSION, Preset, explain_preset

SUFFIX = ".json"
_MAX_BYTES = 2**20


def presets_folder() -> Path:
    """Where `save_preset` writes presets by default."""
    return folders.user_folder() / "presets"


def preset_files() -> dict[str, Path]:
    """File stem -> file, of the included presets and the user's, which take precedence."""
    embedded = Path(str(resources.files("cmaudio"))) / "presets"
    paths = [path for folder in (embedded, presets_folder()) for path in sorted(folder.glob(f"*{SUFFIX}"))]
    return {as_text(path.stem): path for path in paths}


def find_preset(name: str) -> Path:
    """The file of a preset by its name or its file's stem; paths are not accepted.

    Raises CmaudioError for an unknown name, with the nearest ones.
    """
    files = preset_files()
    path = files.get(file_stem(name))
    if path is None:
        raise CmaudioError(unknown("preset", name, files))
    return path


def load_preset(name_or_path: str | Path) -> Preset:
    """A preset by its name, its file's stem, or its file.

    Raises CmaudioError for an unknown name (with the nearest ones), and for a file that is not a preset, has another
    version, or holds an invalid value, which is named.
    """
    files, wanted = preset_files(), str(name_or_path)
    path = files.get(file_stem(wanted)) or expanded(name_or_path)
    if not is_file(path):
        raise CmaudioError(f"{unknown('preset', wanted, files)} (`cmaudio presets` lists all), or give a file")
    try:
        return Preset.model_validate_json(read_file(path, "preset", _MAX_BYTES))
    except ValidationError as error:
        raise CmaudioError(f"{path} is not a preset of version {VERSION}: {explain_preset(error)}") from error


def save_preset(preset: Preset, path: str | Path | None = None) -> Path:
    """Write a preset to a file, or by its name to the user's folder, replacing one of the same name.

    Raises CmaudioError if that fails, or if the file of that name holds something else.
    """
    if not isinstance(preset, Preset):
        raise CmaudioError(f"a preset is what `as_preset` and `load_preset` return, not {type(preset).__name__}")
    target = as_path(path) if path is not None else _own_file(preset.name)
    with atomic_file(target) as part:
        try:
            part.write_text(preset.model_dump_json(indent=1) + "\n", encoding="utf-8")
        except OSError as error:
            raise CmaudioError(f"preset {target} cannot be written ({error.strerror})") from error
    return target


def _own_file(name: str) -> Path:
    """Where a preset is saved by its name."""
    folder = presets_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CmaudioError(f"{folder} cannot be created ({error.strerror}); give a file") from error
    target = folder / f"{file_stem(name)}{SUFFIX}"
    if is_there(target):
        try:
            other = load_preset(target).name
        except CmaudioError as error:
            raise CmaudioError(f"{target} exists and is not a preset; use another name than {name!r}") from error
        if other != name:
            raise CmaudioError(f"{target} holds the preset {other!r}; use a name that differs in letters or digits")
    return target
