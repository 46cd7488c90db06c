// <cm-level>: output level of each side, and how alike they are; <cm-load>: load, voices, stolen notes, output buffer
// and underruns.
import { listen } from "./live.js";

const FLOOR_DB = -60;
const FALL_DB = 1.2; // per frame
const QUIET = { level: FLOOR_DB, peak: FLOOR_DB, target: FLOOR_DB, since: 0 };

class Level extends HTMLElement {
  connectedCallback() {
    if (this.bar) return;
    const bars = '<div class="bar"></div><div class="hold"></div>';
    this.innerHTML = `<div class="channel">${bars}</div><div class="channel">${bars}</div><i title="stereo correlation"></i><span></span>`;
    this.sides = [...this.querySelectorAll(".channel")].map((side) => ({ bar: side.children[0], hold: side.children[1], ...QUIET }));
    [this.alike, this.text] = [this.querySelector("i"), this.querySelector("span")];
    listen("state", (state) => this.follow(state));
    const draw = (now) => { this.draw(now); requestAnimationFrame(draw); };
    requestAnimationFrame(draw);
  }

  follow({ sides_db: levels, correlation }) {
    if (levels === undefined) return;
    this.sides.forEach((side, i) => { side.target = levels[Math.min(i, levels.length - 1)]; });
    this.alike.hidden = levels.length < 2;
    this.alike.style.left = `${50 + 50 * correlation}%`;
    this.alike.classList.toggle("low", correlation < 0);
  }

  draw(now) {
    const part = (db) => `${100 * Math.max(0, 1 - db / FLOOR_DB)}%`;
    for (const side of this.sides) {
      side.level = Math.max(side.target, side.level - FALL_DB, FLOOR_DB);
      if (side.level >= side.peak || now - side.since > 1500) { side.peak = side.level; side.since = now; }
      side.bar.style.setProperty("--level", part(side.level));
      side.hold.style.bottom = part(side.peak);
    }
    const peak = Math.max(...this.sides.map((side) => side.peak));
    this.text.textContent = peak > FLOOR_DB ? peak.toFixed(0) : "";
    this.dataset.level = Math.max(...this.sides.map((side) => side.level)).toFixed(1);
  }
}

class Load extends HTMLElement {
  connectedCallback() {
    if (this.firstChild) return;
    const fields = ["load", "voices", "stolen", "buffer", "underruns"];
    this.innerHTML = fields.map((f) => `<div class="${f}" title="${MEANING[f]}"><b></b><small>${f}</small></div>`).join("");
    this.show = Object.fromEntries(fields.map((f) => [f, this.querySelector(`.${f} b`)]));
    listen("state", (state) => this.follow(state));
    listen("end", () => this.classList.add("lost"));
    listen("hello", () => this.classList.remove("lost"));
  }

  follow({ load, voices, lead_ms: lead, underruns, stolen, status }) {
    if (load === undefined) return;
    this.show.load.textContent = `${Math.round(100 * load)}%`;
    this.show.voices.textContent = voices;
    this.show.stolen.textContent = stolen;
    this.querySelector(".stolen").hidden = !stolen;
    this.querySelector(".stolen").classList.toggle("high", stolen > (this.stolen ?? stolen));
    this.stolen = stolen;
    this.show.buffer.textContent = `${Math.round(lead)} ms`;
    this.show.underruns.textContent = underruns;
    this.querySelector(".load").style.setProperty("--load", `${Math.min(100, 100 * load)}%`);
    this.querySelector(".load").classList.toggle("high", load > 0.8);
    this.querySelector(".underruns").classList.toggle("high", underruns > (this.before ?? underruns));
    this.before = underruns;
    if (status) this.classList.toggle("lost", status !== "playing");
  }
}

const MEANING = {
  load: "CPU time per second of audio",
  voices: "notes sounding, and the limit, which drops while the computer cannot keep up",
  stolen: "held notes cut off because the limit was reached",
  buffer: "audio rendered ahead of the output",
  underruns: "times the output ran out of audio",
};

customElements.define("cm-level", Level);
customElements.define("cm-load", Load);
