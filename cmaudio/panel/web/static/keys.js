// <cm-keys>: a piano keyboard for touch, mouse and the computer keyboard.
import { listen, live, send } from "./live.js";

// As many keys as are wide enough for a finger: [semitones, white keys].
const SIZES = [[30, 18], [17, 10], [12, 7]];
const NARROWEST_PIXELS = 36;
const NOTES = ["C", "C sharp", "D", "D sharp", "E", "F", "F sharp", "G", "G sharp", "A", "A sharp", "B"];
const BLACK = [1, 3, 6, 8, 10];
const CODES = [
  "KeyA", "KeyW", "KeyS", "KeyE", "KeyD", "KeyF", "KeyT", "KeyG", "KeyY", "KeyH", "KeyU", "KeyJ",
  "KeyK", "KeyO", "KeyL", "KeyP", "Semicolon", "Quote",
]; // by position, so that they lie alike in every keyboard layout
const [SOFTEST, LOUDEST, TYPED] = [30, 127, 96];
const [LOWEST, HIGHEST] = [12, 84];

class Keys extends HTMLElement {
  connectedCallback() {
    if (this.keyboard) return;
    this.first = 48;
    this.held = new Map(); // pointer id or key code -> pitch
    this.innerHTML = '<div class="keyboard"></div>';
    this.keyboard = this.firstChild;
    this.letters = new Map();
    this.keyboard.setAttribute("role", "group");
    this.keyboard.setAttribute("aria-label", "piano keyboard");
    this.build();
    new ResizeObserver(() => this.size() !== this.built && this.build()).observe(this.keyboard);
    this.readLayout();
    this.bindFingers();
    addEventListener("keydown", (event) => this.typed(event, true));
    addEventListener("keyup", (event) => this.typed(event, false));
    addEventListener("blur", () => this.releaseAll());
    document.addEventListener("visibilitychange", () => document.hidden && this.releaseAll());
    this.addEventListener("octave", (event) => this.shift(event.detail));
    listen("state", ({ keys }) => keys && this.follow(keys));
    listen("end", () => this.forget());
  }

  // What is printed on the keys of this computer, where the browser knows.
  async readLayout() {
    this.letters = (await navigator.keyboard?.getLayoutMap().catch(() => null)) ?? new Map();
    this.build();
  }

  size() {
    return SIZES.find(([, whites]) => this.keyboard.clientWidth >= whites * NARROWEST_PIXELS) ?? SIZES.at(-1);
  }

  build() {
    this.built = this.size();
    const [semitones, whites] = this.built;
    this.keyboard.replaceChildren();
    this.byPitch = new Map();
    let white = 0;
    for (let i = 0; i < semitones; i++) {
      const black = BLACK.includes(i % 12);
      const key = this.keyboard.appendChild(document.createElement("div"));
      key.className = black ? "key black" : "key white";
      const width = 100 / whites;
      key.style.left = `${black ? white * width - width * 0.3 : white * width}%`;
      key.style.width = `${black ? width * 0.6 : width}%`;
      if (!black) white++;
      const pitch = this.first + i;
      key.dataset.pitch = pitch;
      key.setAttribute("role", "button");
      key.setAttribute("aria-label", `${NOTES[pitch % 12]} ${Math.floor(pitch / 12) - 1}`);
      const plain = CODES[i]?.replace("Key", "").replace("Semicolon", ";").replace("Quote", "'") ?? "";
      const letter = (this.letters.get(CODES[i]) ?? plain).toUpperCase();
      key.innerHTML = `<i>${letter}</i>${i % 12 === 0 ? `<b>C${pitch / 12 - 1}</b>` : ""}`;
      this.byPitch.set(pitch, key);
    }
    this.follow(live.state.keys ?? []);
  }

  shift(octaves) {
    this.first = Math.max(LOWEST, Math.min(HIGHEST, this.first + 12 * octaves));
    this.build();
  }

  bindFingers() {
    const touch = (event) => {
      const found = this.under(event);
      if (found && this.held.get(event.pointerId) !== found.pitch) this.hold(event.pointerId, found.pitch, found.velocity);
    };
    this.keyboard.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      document.activeElement?.blur?.();
      this.keyboard.setPointerCapture(event.pointerId);
      touch(event);
    });
    this.keyboard.addEventListener("pointermove", (event) => this.held.has(event.pointerId) && touch(event));
    for (const kind of ["pointerup", "pointercancel", "lostpointercapture"])
      this.keyboard.addEventListener(kind, (event) => this.release(event.pointerId));
    this.keyboard.addEventListener("contextmenu", (event) => event.preventDefault());
  }

  // A key is louder the lower it is touched.
  under({ clientX, clientY }) {
    const key = document.elementsFromPoint(clientX, clientY).find((e) => e.dataset?.pitch && this.contains(e));
    if (!key) return null;
    const box = key.getBoundingClientRect();
    const velocity = Math.round(SOFTEST + ((LOUDEST - SOFTEST) * (clientY - box.top)) / box.height);
    return { pitch: parseInt(key.dataset.pitch), velocity: Math.max(SOFTEST, Math.min(LOUDEST, velocity)) };
  }

  typed(event, down) {
    if (event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
    const typing = event.target.closest?.('textarea, select, [contenteditable], input:not([type="range"])');
    const step = CODES.indexOf(event.code);
    if (!down) return this.release(event.code);
    if (typing || !this.checkVisibility()) return;
    const octave = { KeyZ: -1, KeyX: 1 }[event.code];
    if (octave) this.shift(octave);
    if (step >= 0) this.hold(event.code, this.first + step, Math.round(live.controls.velocity?.[0] ?? TYPED));
  }

  hold(finger, pitch, velocity) {
    this.release(finger);
    if (pitch > 127) return;
    this.held.set(finger, pitch);
    this.byPitch.get(pitch)?.classList.add("mine");
    send("press", { pitch, velocity });
  }

  release(finger) {
    const pitch = this.held.get(finger);
    if (pitch === undefined) return;
    this.held.delete(finger);
    if ([...this.held.values()].includes(pitch)) return;
    this.byPitch.get(pitch)?.classList.remove("mine");
    send("lift", { pitch });
  }

  releaseAll() {
    for (const finger of [...this.held.keys()]) this.release(finger);
  }

  // The instrument has released everything that this page held when the connection was lost.
  forget() {
    this.held.clear();
    this.follow([]);
    for (const key of this.byPitch.values()) key.classList.remove("mine");
  }

  follow(keys) {
    for (const [pitch, key] of this.byPitch) key.classList.toggle("down", keys.includes(pitch));
  }
}

customElements.define("cm-keys", Keys);
