"""The controls of an instrument, with their units, ranges and defaults."""

from __future__ import annotations

from cmaudio.controls.scatter import SCATTER_CONTROLS, SCATTERED_PLACES
from cmaudio.effects.settings import SETTINGS
from cmaudio.model.file import Model
from cmaudio.model.manifest import ControlDefinition
from cmaudio.modulation.settings import MODULATION_CONTROLS
from cmaudio.score.expression import ENVELOPE, EXPRESSIONS, MIX
from cmaudio.score.ranges import BEND_MAX_SEMITONES, GAIN_RANGE_DB
from cmaudio.speech.style import STYLE_LIMITS

STEREO_CONTROLS = frozenset((*MIX, *SETTINGS, *SCATTERED_PLACES))  # a mono engine has no mix and no effects
_BEND = ControlDefinition(
    name="bend", unit="semitones", min=-24, max=24, default=0, description="bends the whole instrument"
)


def control_definitions(model: Model, channels: int | None = None) -> dict[str, ControlDefinition]:
    """Name -> unit, range, default and meaning, in the order in which they are shown.

    These are the controls in the model's schema that act on the whole instrument, and those that every model has.
    Controls of a single note (its pitch, its gate) are left out.

    Args:
        model: the model that plays.
        channels: of the engine, None for its default; a mono engine has no position, width and sends.
    """
    schema = {control.name: control for control in model.manifest.controls}
    speech = model.manifest.speech is not None
    channels = model.channels if channels is None else channels
    common = [
        ControlDefinition(
            name="gain", unit="dB", min=GAIN_RANGE_DB[0], max=GAIN_RANGE_DB[1], default=0,
            description="master gain, before the limiter",
        ),
        ControlDefinition(
            name="steps", unit="evaluations", min=1, max=2, default=1,
            description="network evaluations per block, for new notes; 2 sounds better",
        ),
        ControlDefinition(
            name="timbre_x", unit="of the timbre map", min=-1, max=1, default=0, description="morphs sounding notes"
        ),
        ControlDefinition(
            name="timbre_y", unit="of the timbre map", min=-1, max=1, default=0, description="morphs sounding notes"
        ),
        *(
            ControlDefinition(name=e.name, unit=e.unit, min=e.min, max=e.max, default=e.rest, description=e.description)
            for e in EXPRESSIONS.values()
            if (model.manifest.prior or not e.prior)
            and (channels > 1 or not e.mix)
            and not (speech and e.name in ENVELOPE)
            and (e.name in schema or not e.learned)
            and not e.partial
        ),
        *(
            ControlDefinition(
                name=s.name, unit=s.unit, min=s.min, max=s.max, default=s.default, description=s.description
            )
            for s in SETTINGS.values()
            if channels > 1
        ),
    ]  # fmt: skip
    own = [control for name, control in schema.items() if speech and name in STYLE_LIMITS]
    if not speech:
        own = [
            ControlDefinition(
                name="velocity", unit="MIDI velocity", min=1, max=127, default=96,
                description="velocity of keys pressed without one",
            ),
            schema.get("bend", _BEND),
            ControlDefinition(
                name="bend_range", unit="semitones", min=0, max=BEND_MAX_SEMITONES, default=2,
                description="at full pitch wheel",
            ),
        ]  # fmt: skip
    scatter = () if speech else SCATTER_CONTROLS.values()
    last = [control for control in scatter if channels > 1 or control.name not in SCATTERED_PLACES]
    return {control.name: control for control in (*own, *common, *last, *MODULATION_CONTROLS.values())}
