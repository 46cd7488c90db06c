"""Questions and exclamations for an English corpus: templates filled with common words of WordNet 3.0.

Nearly all example sentences of WordNet are statements, so a prosody network that is trained only on them sees few
question marks.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from pathlib import Path

KINDS = ("yes_no", "question_word", "exclamation")
_COMMON = 8  # occurrences of a sense in WordNet's concordance texts
_SENSES = {  # part of speech (1 noun, 3 and 5 adjective) and lexicographer file
    "thing": ("1:06",),
    "food": ("1:13",),
    "person": ("1:18",),
    "place": ("1:15",),
    "adjective": ("3:00", "5:00"),
}
_TEMPLATES = {
    "yes_no": """Did you see the {thing}?|Is the {thing} {adjective}?|Do you know the {person}?
Is there a {thing} in the {place}?|Would you like some {food}?|Have you ever been to the {place}?
Can you bring me the {thing}, please?|Was the {person} {adjective}?|Are you sure that the {thing} is {adjective}?
Will the {person} come tomorrow?|Has the {person} left the {place}?|May I have the {food}?
Does the {person} live near the {place}?|Could you tell me about the {thing}?|Were they talking about the {person}?
Is it {adjective}?|Do you really think so?|Are you coming with us?|Is that your {thing}?
Did the {person} call you last night?|You bought a {thing}?|Shall we go to the {place}?|Have they found the {thing}?
Isn't it {adjective}?|Don't you like the {food}?|Is anybody there?|If the {thing} is {adjective}, can we keep it?
Should I wait for the {person}?|Is there any {food} left?|Do I need a {thing}?|Had she met the {person} before?
Did he say that the {place} was {adjective}?|Can we start now?|Really?|Are you all right?""",
    "question_word": """Where is the {thing}?|Who took my {thing}?|What happened to the {person}?
Why is the {thing} so {adjective}?|How far is it to the {place}?|Which {thing} do you want?
When did the {person} leave?|What did the {person} say about the {food}?|How much is the {food}?
Whose {thing} is this?|Who told you that the {person} was {adjective}?|Where did you find the {thing}?
Why did they go to the {place}?|What is the name of the {person}?|How long have you lived in the {place}?
What are you looking for?|And what about the {thing}?|In which {place} did you grow up?
How did the {person} open the {thing}?|What time is it?|Who is the {person} with the {adjective} {thing}?|Why not?
What would you do with a {adjective} {thing}?|Where were you last night?""",
    "exclamation": """What a {adjective} {thing}!|Look at the {thing}!|Stop it!|Be careful with the {thing}!
How {adjective}!|Come here!|I can't find my {thing}!|Help the {person}!|Don't touch the {food}!
The {place} is on fire!|This {food} is {adjective}!|Watch out!|I told you to leave the {thing} alone!
Get out of the {place}!|What a day!|Wait for the {person}!|You are the {person}!|Hurry up!|That was {adjective}!
We won, thanks to the {person}!|Never do that again!|Give me the {thing}!|Let's go to the {place}!""",
}


class Asker:
    """Generates questions and exclamations.

    Args:
        wordnet: folder with cntlist.rev, the number of occurrences of each sense of a word.
        seed: of the random choices.
    """

    def __init__(self, wordnet: Path, seed: int) -> None:
        self._random = random.Random(seed)
        usual = _usual_senses(wordnet / "cntlist.rev")
        self._words = {
            kind: sorted(word for word, sense in usual.items() if sense in senses) for kind, senses in _SENSES.items()
        }

    def sentences(self, kind: str) -> Iterator[str]:
        """An endless sequence of sentences of one of `KINDS`."""
        templates = re.split(r"[|\n]", _TEMPLATES[kind])
        while True:
            yield self._filled(self._random.choice(templates))

    def _filled(self, template: str) -> str:
        text = re.sub(r"\{(\w+)\}", lambda match: self._random.choice(self._words[match[1]]), template)
        return re.sub(r"\b([Aa]) (?=[aeiou])", r"\1n ", text)


def _usual_senses(path: Path) -> dict[str, str]:
    """The most frequent sense of each common word, as part of speech and lexicographer file."""
    found: dict[str, tuple[int, str]] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        key, _, count = line.split()
        word, _, sense = key.partition("%")
        if re.fullmatch("[a-z]{3,}", word):
            found[word] = max(found.get(word, (0, "")), (int(count), sense[:4]))
    return {word: sense for word, (count, sense) in found.items() if count >= _COMMON}
