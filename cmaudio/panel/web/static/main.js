// Defines the page's own elements; the page itself is laid out by the server.
import "./live.js";
import "./slider.js";
import "./map.js";
import "./keys.js";
import "./spectrum.js";
import "./meters.js";
import "./listen.js";
import "./play.js";
