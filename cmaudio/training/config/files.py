"""Configuration files: reading with overrides and helpful errors, writing, and comparing two configurations."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import ValidationError

from cmaudio.errors import CmaudioError, unknown
from cmaudio.files.reading import read_text
from cmaudio.strict import Strict
from cmaudio.training.config.parsing import MAX_BYTES, parse_yaml
from cmaudio.training.config.run import RunConfig

_SHOWN_LETTERS = 80
StrictT = TypeVar("StrictT", bound=Strict)


def read_config(path: Path, overrides: Sequence[str] = ()) -> RunConfig:
    """Read the configuration of a run, see `read_strict`."""
    return read_strict(path, RunConfig, overrides)


def read_strict(path: Path, kind: type[StrictT], overrides: Sequence[str] = ()) -> StrictT:
    """Read a configuration and apply overrides.

    Args:
        path: a YAML file.
        kind: of configuration.
        overrides: `section.key=value`, the value in YAML.

    Raises:
        CmaudioError: names the key and what is wrong with its value; for an unknown key, the nearest known ones.
    """
    fields = parse_yaml(read_text(path, "configuration", MAX_BYTES), f"configuration {path}")
    if not isinstance(fields, dict):
        raise CmaudioError(f"configuration {path} must be a mapping of sections, not {type(fields).__name__}")
    for override in overrides:
        _override(fields, override)
    try:
        return kind.model_validate(fields)
    except ValidationError as error:
        explained = "; ".join(_explain(e, kind) for e in error.errors())
        raise CmaudioError(f"configuration {path}: {explained}") from error


def _override(fields: dict[str, Any], override: str) -> None:
    key, separator, value = override.partition("=")
    shown = f"override {override[:_SHOWN_LETTERS]!r}"
    if not separator or not key.strip():
        raise CmaudioError(f"{shown} must have the form section.key=value, e.g. student.steps=1000")
    *sections, last = key.strip().split(".")
    for section in sections:
        fields = fields.setdefault(section, {})
        if not isinstance(fields, dict):
            raise CmaudioError(f"{shown}: {section} is a value, not a section")
    fields[last] = parse_yaml(value, shown)


def _explain(error: Any, kind: type[Strict]) -> str:
    where = ".".join(map(str, error["loc"])) or "top level"
    if error["type"] != "extra_forbidden":
        given = json.dumps(error["input"], default=str) if not isinstance(error["input"], dict) else "a section"
        return f"{where}: {error['msg']}" + (
            "" if error["type"] == "missing" else f" (given: {given[:_SHOWN_LETTERS]})"
        )
    known = _known_keys(error["loc"], kind)
    return f"{where}: {unknown('key', str(error['loc'][-1]), known)}"


def _known_keys(location: Sequence[Any], kind: type[Strict]) -> list[str]:
    """Valid keys of the section that an unknown key is in."""
    schema = kind.model_json_schema()
    nodes = _resolve(schema, schema)
    for part in location[:-1]:
        nodes = [inner for node in nodes for inner in _resolve(_inside(node, part), schema)]
    keys = {key for node in nodes for key in node.get("properties", {})}
    return sorted(keys)


def _inside(node: Any, part: str | int) -> list[Any]:
    """The schemas of an entry of a section or list; one of several kinds of section is its own, if `part` names it."""
    if isinstance(part, int):
        return [node["items"]] if "items" in node else []
    entries = node.get("properties", {})
    if part in entries:
        return [entries[part]]
    if isinstance(node.get("additionalProperties"), dict):
        return [node["additionalProperties"]]
    return [node] if any(entry.get("const") == part for entry in entries.values()) else []


def _resolve(node: Any, schema: Any) -> list[Any]:
    """The object schemas of a node, with references resolved and alternatives listed."""
    nodes = node if isinstance(node, list) else [node]
    found = []
    for n in nodes:
        if "$ref" in n:
            found += _resolve(schema["$defs"][n["$ref"].rsplit("/", 1)[-1]], schema)
        elif "anyOf" in n or "oneOf" in n:
            found += _resolve(n.get("anyOf") or n.get("oneOf"), schema)
        else:
            found.append(n)
    return found


def write_config(config: RunConfig, path: Path) -> None:
    """Write every value, defaults included."""
    text = yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False, allow_unicode=True)
    path.write_text(text, encoding="utf-8")


def differences(old: RunConfig, new: RunConfig) -> list[str]:
    """Dotted keys that differ, except those of `loop` and `export`, which a resumed run may change."""
    return sorted(set(_flat(old)) ^ set(_flat(new)), key=str.lower)


def _flat(config: RunConfig) -> set[str]:
    rows: set[str] = set()

    def walk(prefix: str, value: Any) -> None:
        if isinstance(value, dict):
            for key, inner in value.items():
                walk(f"{prefix}.{key}" if prefix else key, inner)
        else:
            rows.add(f"{prefix} = {json.dumps(value)}")

    walk("", config.model_dump(mode="json", exclude={"loop", "export", "expected", "description"}))
    return rows
