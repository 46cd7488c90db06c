// Defines our own elements; the server lays out the page.
import "./live.js";
import "./slider.js";
import "./curve.js";
import "./modulators.js";
import "./map.js";
import "./keys.js";
import "./pads.js";
import "./wheel.js";
import "./spectrum.js";
import "./readout.js";
import "./midi.js";
import "./browse.js";
import "./meters.js";
import "./listen.js";
import "./play.js";
import "./files.js";
import "./fold.js";
import "./undo.js";
import "./drop.js";
import "./sequencer.js";

document.documentElement.lang = "en";
