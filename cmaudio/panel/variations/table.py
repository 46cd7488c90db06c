"""A table beside the variations that describes each file, for import into a sound library.

libsndfile can write a BWF description, but soundfile does not expose that, so it is in a CSV file.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from cmaudio.files.atomic import atomic_file

TABLE = "variations.csv"
COLUMNS = ("file", "class", "take", "seed", "mix", "model", "licence", "seconds", "loudness_lufs", "peak_db", "gain_db")


def add_row(folder: Path, row: Mapping[str, object]) -> None:
    """Add a row, a value for each of `COLUMNS`; a file of another form is replaced by a new table."""
    path, text = folder / TABLE, io.StringIO()
    before: list[dict[str, str]] = []
    with suppress(OSError, UnicodeDecodeError, csv.Error), path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        if tuple(reader.fieldnames or ()) == COLUMNS:
            before = [each for each in reader if each["file"] != row["file"]]
    writer = csv.DictWriter(text, COLUMNS, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows([*before, row])
    with atomic_file(path) as part:
        part.write_text(text.getvalue(), encoding="utf-8")
