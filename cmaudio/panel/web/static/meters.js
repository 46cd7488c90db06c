// <cm-level>: output level; <cm-load>: load, voices, notes cut off, output buffer and underruns.
import { listen } from "./live.js";

const FLOOR_DB = -60;
const FALL_DB = 1.2; // per frame

class Level extends HTMLElement {
  connectedCallback() {
    if (this.bar) return;
    this.innerHTML = '<div class="bar"></div><div class="hold"></div><span></span>';
    [this.bar, this.hold, this.text] = this.children;
    Object.assign(this, { level: FLOOR_DB, peak: FLOOR_DB, target: FLOOR_DB, since: 0 });
    listen("state", (state) => { if (state.level_db !== undefined) this.target = state.level_db; });
    const draw = (now) => { this.draw(now); requestAnimationFrame(draw); };
    requestAnimationFrame(draw);
  }

  draw(now) {
    this.level = Math.max(this.target, this.level - FALL_DB, FLOOR_DB);
    if (this.level >= this.peak || now - this.since > 1500) { this.peak = this.level; this.since = now; }
    const part = (db) => `${100 * Math.max(0, 1 - db / FLOOR_DB)}%`;
    this.bar.style.setProperty("--level", part(this.level));
    this.hold.style.bottom = part(this.peak);
    this.text.textContent = this.peak > FLOOR_DB ? this.peak.toFixed(0) : "";
    this.dataset.level = this.level.toFixed(1);
  }
}

class Load extends HTMLElement {
  connectedCallback() {
    if (this.firstChild) return;
    const fields = ["load", "voices", "stolen", "buffer", "underruns"];
    this.innerHTML = fields.map((f) => `<div class="${f}" title="${MEANING[f]}"><b></b><small>${LABEL[f] ?? f}</small></div>`).join("");
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

const LABEL = { stolen: "cut off" };
const MEANING = {
  load: "computing time per second of sound",
  voices: "sounding notes, and how many may sound: fewer while the computer cannot keep up",
  stolen: "notes cut off while they were held, because more were played than may sound",
  buffer: "sound computed ahead of the output",
  underruns: "how often the output ran out of sound",
};

customElements.define("cm-level", Level);
customElements.define("cm-load", Load);
