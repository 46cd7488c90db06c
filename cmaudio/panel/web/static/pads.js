// <cm-pads>: sixteen pads, one drum or class of sound on each; found by name, played by fingers, mouse and the computer keyboard.
import { listen, live, send } from "./live.js";

const CODES = ["1234", "QWER", "ASDF", "ZXCV"].flatMap((row) =>
  [...row].map((sign) => (/\d/.test(sign) ? `Digit${sign}` : `Key${sign}`)));
const PADS = CODES.length;
const [SOFTEST, LOUDEST, TYPED] = [60, 127, 96];

class Pads extends HTMLElement {
  connectedCallback() {
    if (this.grid) return;
    Object.assign(this, { all: [], shown: [], first: 0, held: new Map(), latched: new Map(), letters: new Map() });
    this.innerHTML = `<div class="finder"><input type="search" placeholder="search sounds" aria-label="search sounds">
      <div class="banks"><button aria-label="previous 16 sounds">◀</button><span></span><button aria-label="next 16 sounds">▶</button></div>
      <button class="hold" aria-pressed="false" title="a pad sounds until it is pressed again" aria-label="hold: a pad sounds until it is pressed again">hold</button></div>
      <div class="pad-grid" role="group" aria-label="pads"></div>`;
    [this.finder, this.grid] = this.children;
    this.search = this.querySelector("input");
    this.bindFinder();
    this.bindFingers();
    addEventListener("keydown", (event) => this.typed(event));
    addEventListener("keyup", (event) => this.release(event.code));
    addEventListener("blur", () => this.releaseAll());
    document.addEventListener("visibilitychange", () => document.hidden && this.releaseAll());
    listen("hello", ({ pads }) => { this.all = pads; this.turn(0); });
    listen("state", ({ pads }) => pads && this.follow(pads));
    listen("end", () => this.forget());
  }

  bindFinder() {
    const [before, after] = this.finder.querySelectorAll(".banks button");
    before.addEventListener("click", () => this.turn(this.first - PADS));
    after.addEventListener("click", () => this.turn(this.first + PADS));
    this.search.addEventListener("input", () => this.turn(0));
    this.search.addEventListener("keydown", ({ code }) => code === "Enter" && this.search.blur());
    const hold = this.finder.querySelector(".hold");
    hold.addEventListener("click", () => {
      this.holding = !this.holding;
      hold.setAttribute("aria-pressed", this.holding);
      if (!this.holding) for (const key of [...this.latched.keys()]) this.unlatch(key);
    });
  }

  // Shows sixteen of the pads whose names hold every word of the search.
  turn(first) {
    const words = this.search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const found = this.all.filter(({ name }) => words.every((word) => name.toLowerCase().includes(word)));
    this.first = Math.max(0, Math.min(first, PADS * Math.floor((found.length - 1) / PADS)));
    this.shown = found.slice(this.first, this.first + PADS);
    const last = this.first + this.shown.length;
    this.finder.querySelector(".banks span").textContent = last ? `${this.first + 1}–${last} of ${found.length}` : "none";
    const [before, after] = this.finder.querySelectorAll(".banks button");
    [before.disabled, after.disabled] = [!this.first, last >= found.length];
    this.build();
  }

  build() {
    this.grid.replaceChildren(...Array.from({ length: PADS }, (_, i) => this.pad(this.shown[i], i)));
    this.follow(live.state.pads ?? []);
  }

  pad(sound, i) {
    const pad = document.createElement("button");
    pad.className = `pad ${sound ? sound.family : "empty"}`;
    if (!sound) { pad.disabled = true; return pad; }
    pad.dataset.key = sound.key;
    pad.title = `${sound.name}: key ${sound.key} of MIDI channel 10`;
    pad.append(sound.name);
    pad.appendChild(document.createElement("i")).textContent = CODES[i].replace(/Digit|Key/, "");
    pad.addEventListener("keydown", (event) => {
      if (![" ", "Enter"].includes(event.key) || event.repeat) return;
      event.preventDefault();
      this.strike(event.code, sound.key, this.velocity());
    });
    return pad;
  }

  bindFingers() {
    this.grid.addEventListener("pointerdown", (event) => {
      const pad = event.target.closest(".pad[data-key]");
      if (!pad) return;
      event.preventDefault();
      document.activeElement?.blur?.();
      this.grid.setPointerCapture(event.pointerId);
      const box = pad.getBoundingClientRect(); // louder the lower it is touched, as keys are
      const part = Math.max(0, Math.min(1, (event.clientY - box.top) / box.height));
      this.strike(event.pointerId, parseInt(pad.dataset.key), Math.round(SOFTEST + part * (LOUDEST - SOFTEST)));
    });
    for (const kind of ["pointerup", "pointercancel", "lostpointercapture"])
      this.grid.addEventListener(kind, (event) => this.release(event.pointerId));
    this.grid.addEventListener("contextmenu", (event) => event.preventDefault());
  }

  velocity() { return Math.round(live.controls.velocity?.[0] ?? TYPED); }

  typed(event) {
    if (event.repeat || event.ctrlKey || event.metaKey || event.altKey || !this.checkVisibility()) return;
    if (event.target.closest?.('textarea, select, [contenteditable], input:not([type="range"])')) return;
    const sound = this.shown[CODES.indexOf(event.code)];
    if (sound) this.strike(event.code, sound.key, this.velocity());
  }

  strike(finger, key, velocity) {
    this.release(finger);
    if (this.latched.has(key)) return this.unlatch(key);
    if (this.holding) this.latched.set(key, false); // until it is seen to sound
    else this.held.set(finger, key);
    send("pad", { pitch: key, velocity });
  }

  unlatch(key) {
    this.latched.delete(key);
    send("lift_pad", { pitch: key });
  }

  release(finger) {
    const key = this.held.get(finger);
    if (key === undefined) return;
    this.held.delete(finger);
    if (![...this.held.values()].includes(key)) send("lift_pad", { pitch: key });
  }

  releaseAll() {
    for (const finger of [...this.held.keys()]) this.release(finger);
  }

  // The instrument has released everything that this page held when the connection was lost.
  forget() {
    this.held.clear();
    this.latched.clear();
    this.follow([]);
  }

  follow(keys) {
    for (const [key, sounded] of this.latched) { // what was ended elsewhere is held no longer
      if (keys.includes(key)) this.latched.set(key, true);
      else if (sounded) this.latched.delete(key);
    }
    for (const pad of this.grid.children) pad.classList.toggle("down", keys.includes(parseInt(pad.dataset.key)));
  }
}

customElements.define("cm-pads", Pads);
