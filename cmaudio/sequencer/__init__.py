"""A step sequencer and an arpeggiator on the clock, recording into patterns, and their export."""

from cmaudio.sequencer.arpeggio import Arpeggio as Arpeggio
from cmaudio.sequencer.bank import PatternBank as PatternBank
from cmaudio.sequencer.bank import load_bank as load_bank
from cmaudio.sequencer.bank import save_bank as save_bank
from cmaudio.sequencer.grid import AutomationLane as AutomationLane
from cmaudio.sequencer.grid import GridPattern as GridPattern
from cmaudio.sequencer.grid import GridStep as GridStep
from cmaudio.sequencer.grid import Lane as Lane
from cmaudio.sequencer.midi_export import export_midi as export_midi
from cmaudio.sequencer.notation import note_lane as note_lane
from cmaudio.sequencer.notation import pad_lane as pad_lane
from cmaudio.sequencer.python_export import as_python as as_python
from cmaudio.sequencer.python_export import export_python as export_python
from cmaudio.sequencer.song import Song as Song
from cmaudio.sequencer.song import SongPart as SongPart
from cmaudio.sequencer.step_sequencer import StepSequencer as StepSequencer
