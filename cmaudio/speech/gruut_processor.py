"""gruut for use from any thread: part-of-speech tagging, the lexicon, and rules for unknown words."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path
from typing import Any

from cmaudio.errors import CmaudioError


def resolve(code: str) -> tuple[str, str]:
    """gruut's full code of a language ("en" -> "en-us") and its base ("en").

    Raises:
        CmaudioError: gruut or its data for the language is not installed, with what to install.
    """
    try:
        from gruut.const import LANG_ALIASES
        from gruut.utils import find_lang_dir, resolve_lang
    except ImportError as error:
        raise CmaudioError(
            f"{error.name} is missing, which reads text: pip install gruut (phonemes can be given without it)"
        ) from error
    full = resolve_lang(code)
    base = re.split("[-_]", full)[0]
    if not re.fullmatch("[a-z]{2}", base) or find_lang_dir(full) is None:
        known = ", ".join(sorted(set(LANG_ALIASES.values())))
        raise CmaudioError(
            f"no data for language {code!r} here: pip install gruut-lang-{base or 'en'}; "
            f"gruut knows {known}, or give phonemes"
        )
    return full, base


class Processor:
    """gruut's text processor for one language, with its lexicon indexed in memory.

    gruut itself keeps one per thread, and scans the whole lexicon for every new word, which takes 15 ms.
    """

    def __init__(self, code: str) -> None:
        from gruut.lang import get_settings
        from gruut.phonemize import SqlitePhonemizer
        from gruut.text_processor import TextProcessor

        settings = get_settings(code)
        lookup: Any = settings.lookup_phonemes
        self._lexicon: sqlite3.Connection | None = None
        if isinstance(path := getattr(lookup, "db_path", None), Path):
            self._lexicon = sqlite3.connect(":memory:", check_same_thread=False)
            self._lexicon.execute("ATTACH ? AS file", (str(path),))
            self._lexicon.execute(
                "CREATE TABLE word_phonemes AS SELECT word, pron_order, phonemes, role FROM file.word_phonemes"
            )
            self._lexicon.execute("CREATE INDEX by_word ON word_phonemes(word)")
            self._lexicon.execute("DETACH file")
            lookup.phonemizer = SqlitePhonemizer(db_conn=self._lexicon, **lookup.phonemizer_args)
        self._processor = TextProcessor(default_lang=code, settings={code: settings})

    def words(self, text: str) -> list[Any]:
        """gruut's words of a text: `text`, `phonemes` (may be empty), `is_spoken`."""
        sentences = self._processor.sentences(*self._processor(text)) if text else ()
        return [word for sentence in sentences for word in sentence]

    def knows(self, word: str) -> bool:
        """Whether the lexicon has a word, in lower case."""
        if self._lexicon is None:
            return False
        return (
            self._lexicon.execute("SELECT 1 FROM word_phonemes WHERE word = ? LIMIT 1", (word,)).fetchone() is not None
        )
