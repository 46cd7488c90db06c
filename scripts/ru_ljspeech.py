"""Convert the Russian voice of Debian's festvox-ru to a corpus in LJSpeech layout.

    sudo apt-get install festvox-ru
    python scripts/ru_ljspeech.py OUTPUT [--limit N]

One male reader, 620 recordings, 99.5 minutes, 16 kHz. Transcripts keep their spelling and punctuation; the plus signs
before some stressed vowels become accents after them, which the front end reads. (c) 2005 Nickolay V. Shmyrev, BSD-like
licence, which is copied to the corpus.
"""

from __future__ import annotations

import argparse
import re
import shutil
import sys
from pathlib import Path

VOICE = Path("/usr/share/festival/voices/russian/msu_ru_nsh_clunits")
LICENCE = Path("/usr/share/doc/festvox-ru/copyright")
_LINE = re.compile(r'\(\s*(\S+)\s+"(.*)"\s*\)')


def read_transcripts(path: Path) -> list[tuple[str, str]]:
    """Name and text of each recording, in the order of the file."""
    found = [_LINE.fullmatch(line.strip()) for line in path.read_text(encoding="utf-8").splitlines()]
    return [(match[1], _plain(match[2])) for match in found if match]


def _plain(text: str) -> str:
    """One line, with stress as accents and without the field separator of metadata.csv."""
    accented = re.sub(r"\+(\w)", "\\1\N{COMBINING ACUTE ACCENT}", text)
    return " ".join(accented.replace("\\", "").replace("+", "").replace("|", " ").split())


def lay_out(voice: Path, output: Path, limit: int | None) -> int:
    """Write metadata.csv and wavs/; returns the number of recordings."""
    transcripts = read_transcripts(voice / "etc" / "txt.done.data")[:limit]
    (output / "wavs").mkdir(parents=True)
    for name, _ in transcripts:
        shutil.copyfile(voice / "wav" / f"{name}.wav", output / "wavs" / f"{name}.wav")
    lines = [f"{name}|{text}|{text}\n" for name, text in transcripts]
    (output / "metadata.csv").write_text("".join(lines), encoding="utf-8")
    if LICENCE.is_file():
        shutil.copyfile(LICENCE, output / "LICENCE")
    return len(transcripts)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output", type=Path, help="new folder for the corpus")
    parser.add_argument("--voice", type=Path, default=VOICE, help="folder with etc/txt.done.data and wav/")
    parser.add_argument("--limit", type=int, help="only the first N recordings")
    arguments = parser.parse_args()
    if not (arguments.voice / "etc" / "txt.done.data").is_file():
        sys.exit(f"no voice in {arguments.voice}: apt-get install festvox-ru, or give its folder with --voice")
    if arguments.output.exists():
        sys.exit(f"{arguments.output} exists; give a new folder")
    print(f"{arguments.output}: {lay_out(arguments.voice, arguments.output, arguments.limit)} recordings")


if __name__ == "__main__":
    main()
