"""How Russian is said: reduction, voicing, and what is written otherwise than it is said."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cmaudio.speech.language import language
from cmaudio.speech.phonemes import PAUSES


def said(text: str) -> str:
    phrases = language("ru").phrases([text])
    return " ".join("".join(map(str, word.phonemes)) for phrase in phrases for word in phrase.words)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Привет, мир!", "prʲɪvʲˈet , mʲˈir !"),
        # Vowels by their distance from the stress, and after soft consonants (Yanushevskaya and Bunčić 2015, page 225).
        ("молоко", "məlɐkˈo ."),
        ("часы", "t͡ɕɪsˈɨ ."),
        ("весна", "vʲɪsnˈa ."),
        ("няня", "nʲˈanʲə ."),
        ("жена", "ʐɨnˈa ."),
        ("экран", "ɪkrˈan ."),
        # и after ж, ш, ц, and after a hard consonant that it leans on.
        ("жить", "ʐˈɨtʲ ."),
        ("машина", "mɐʂˈɨnə ."),
        ("ужин", "ˈuʐɨn ."),
        ("цирк", "t͡sˈɨrk ."),
        ("нации", "nˈat͡sɨɪ ."),
        ("щит", "ɕːˈit ."),
        ("в институт", "v ɨnstʲɪtˈut ."),
        ("с Игорем", "s ˈɨɡərʲɪm ."),
        ("брат и сестра", "brˈat ɨ sʲɪstrˈa ."),
        ("мать и дочь", "mˈatʲ ɪ dˈot͡ɕ ."),
        ("жалеть лошадей", "ʐɨlʲˈetʲ ləʂɨdʲˈej ."),
        ("тридцати", "trʲɪtt͡sɨtʲˈi ."),
        ("сжечь", "ʐʐˈet͡ɕ ."),
        ("без шума", "bʲɪʂ ʂˈumə ."),
        ("с жаром", "ʐ ʐˈarəm ."),
        # Obstruents agree with the next, lose their voice at the end, and /v/ gives none.
        ("лоб", "lˈop ."),
        ("сделать", "zdʲˈelətʲ ."),
        ("вокзал", "vɐɡzˈal ."),
        ("друг дома", "drˈuɡ dˈomə ."),
        ("дома никого", "dˈomə nʲɪkɐvˈo ."),
        ("новые дома", "nˈovɨjɪ dɐmˈa ."),
        ("друг отца", "drˈuk ɐtt͡sˈa ."),
        ("свой", "svˈoj ."),
        ("ветвь", "vʲˈetfʲ ."),
        # Written otherwise.
        ("его", "jɪvˈo ."),
        ("другого много", "druɡˈovə mnˈoɡə ."),
        ("сегодня", "sʲɪvˈodnʲə ."),
        ("что", "ʂtˈo ."),
        ("конечно", "kɐnʲˈeʂnə ."),
        ("бояться", "bɐjˈat͡sə ."),
        ("счастье", "ɕːˈastʲjɪ ."),
        ("солнце", "sˈont͡sɨ ."),
        ("лёгкий", "lʲˈoxkʲɪj ."),
        ("советский", "sɐvʲˈet͡skʲɪj ."),
        # Clitics lean on a host.
        ("на море", "nɐ mˈorʲɪ ."),
        ("в щёки, в лоб", "f ɕːˈokʲɪ , v lˈop ."),
        ("не спал бы", "nʲɪ spˈal bɨ ."),
        ("с чем", "s t͡ɕˈem ."),
        ("о чём", "ɐ t͡ɕˈom ."),
        ("За и против. На!", "zə ɪ prˈotʲɪf . nˈa !"),
        ("Он ждал, но не пришёл.", "ˈon ʐdˈal , nˈo nʲɪ prʲɪʂˈol ."),
        ("США за", "sˈe ʂˈe ˈa zˈa ."),
        ("А. С. Пушкин", "ˈa ˈes pˈuʂkʲɪn ."),
        # What is not said.
        ("здравствуйте", "zdrˈastvujtʲɪ ."),
        ("чувство", "t͡ɕˈustvə ."),
        # A dialogue's dash is no second pause.
        ("— Да, — сказал он.", "dˈa , skɐzˈal ˈon ."),
        ("— Кто там? — спросил он.", "ktˈo tˈam ? sprɐsʲˈil ˈon ."),
        ("— Ну что ж, – сказал он. — Иди!", "nˈu ʂtˈo ʂ , skɐzˈal ˈon . ɪdʲˈi !"),
        ("Он сказал: — Иди… — и ушёл.", "ˈon skɐzˈal , ɪdʲˈi . ɪ uʂˈol ."),
        # Not in the lexicon.
        ("кипсека", "kʲɪpsʲˈekə ."),
    ],
)
def test_words_are_transcribed_as_spoken(text: str, expected: str) -> None:
    assert said(text) == expected


@given(st.text(alphabet="абвгдеёжзийклмнопрстуфхцчшщъыьэюя -,.!", max_size=40))
@settings(max_examples=100, deadline=None)
def test_no_text_breaks_the_front_end(text: str) -> None:
    for phrase in language("ru").phrases([text]):
        assert phrase.words[-1].phonemes[0].symbol in PAUSES
        assert all(word.phonemes for word in phrase.words)
