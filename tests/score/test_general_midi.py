import pytest

from cmaudio.errors import CmaudioError
from cmaudio.score.general_midi import FAMILIES, PERCUSSION, PROGRAMS, family, nearest_percussion, nearest_program

PITCHED = range(96)


def test_names_are_the_standard_ones_at_the_standard_numbers() -> None:
    assert len(PROGRAMS) == len(set(PROGRAMS)) == 128
    known = {0: "acoustic grand piano", 4: "electric piano 1", 25: "acoustic guitar (steel)", 40: "violin"}
    known |= {47: "timpani", 68: "oboe", 73: "flute", 95: "pad 8 (sweep)", 104: "sitar", 127: "gunshot"}
    assert {number: PROGRAMS[number] for number in known} == known
    assert list(PERCUSSION) == list(range(35, 82))
    assert (PERCUSSION[36], PERCUSSION[42], PERCUSSION[56]) == ("bass drum 1", "closed hi-hat", "cowbell")
    assert PERCUSSION[81] == "open triangle"


def test_families() -> None:
    assert len(FAMILIES) == 16
    assert (family(0), family(7), family(8), family(73)) == ("piano", "piano", "chromatic percussion", "pipe")
    assert family(127) == "sound effects"


def test_a_program_that_is_there_stands_for_itself() -> None:
    assert all(nearest_program(program, range(128)) == program for program in range(128))


@pytest.mark.parametrize(
    ("missing", "stand_in"),
    [
        ("sitar", "acoustic guitar (steel)"),
        ("steel drums", "vibraphone"),
        ("fiddle", "violin"),
        ("shanai", "oboe"),
        ("koto", "orchestral harp"),
        ("taiko drum", "timpani"),
        ("woodblock", "xylophone"),
    ],
)
def test_similar_sounds_by_hand(missing: str, stand_in: str) -> None:
    assert PROGRAMS[nearest_program(PROGRAMS.index(missing), PITCHED)] == stand_in


def test_every_program_beyond_the_model_has_a_hand_made_stand_in() -> None:
    by_number_only = 95
    chosen = [nearest_program(program, PITCHED) for program in range(96, 128)]
    assert all(program in PITCHED for program in chosen)
    assert chosen.count(by_number_only) < 8


def test_order_of_preference() -> None:
    assert nearest_program(40, {41, 43, 48}) == 41  # the same family, the nearest number
    assert nearest_program(42, {41, 43}) == 41  # the lower of two as near
    assert nearest_program(104, {105, 25}) == 105  # the same family before the table
    assert nearest_program(104, {103, 15}) == 15  # a later entry of the table before the nearest number
    assert nearest_program(71, {79, 80}) == 79  # a kindred family
    assert nearest_program(40, {0, 24, 120}) == 24  # nothing kindred: the nearest number
    assert nearest_program(127, [0]) == 0


@pytest.mark.parametrize("program", [-1, 128])
def test_program_out_of_range(program: int) -> None:
    with pytest.raises(CmaudioError, match=r"0 to 127"):
        nearest_program(program, PITCHED)
    with pytest.raises(CmaudioError, match=r"0 to 127"):
        family(program)


def test_nothing_available() -> None:
    with pytest.raises(CmaudioError, match="no programs"):
        nearest_program(0, [])


def test_percussion_on_a_pitched_model() -> None:
    for key in PERCUSSION:
        stand_in = nearest_percussion(key)
        if stand_in is not None:
            program, pitch = stand_in
            assert program in PITCHED
            assert 28 <= pitch <= 108
    kick, low_tom, high_tom = (nearest_percussion(key) for key in (36, 45, 50))
    assert kick is not None
    assert low_tom is not None
    assert high_tom is not None
    assert kick[0] == low_tom[0] == high_tom[0] == PROGRAMS.index("timpani")
    assert kick[1] < low_tom[1] < high_tom[1] <= 57
    assert nearest_percussion(76) == (PROGRAMS.index("xylophone"), 84)


@pytest.mark.parametrize("key", [38, 40, 42, 46, 49, 51, 70, 0, 34, 82, 127])
def test_noises_and_unknown_keys_have_no_stand_in(key: int) -> None:
    assert nearest_percussion(key) is None
