// <cm-spectrum>: a scrolling mel spectrogram of the sound or of both its sides, or its waveform. It can be frozen; a
// cursor, moved by mouse or arrow keys, names a frequency.
import { listen } from "./live.js";
import { described } from "./readout.js";

const KEPT = 1024; // columns
const CATCH_UP = 0.25; // of the new columns per frame: columns arrive in bursts and scroll evenly
const MARKS_HZ = [100, 500, 1000, 2000, 4000, 8000, 16000];
const MARK_PIXELS = 15; // the least distance of two marks

class Spectrum extends HTMLElement {
  connectedCallback() {
    if (this.canvas) return;
    this.canvas = this.appendChild(document.createElement("canvas"));
    this.marks = this.appendChild(document.createElement("div"));
    this.marks.className = "marks";
    this.context = this.canvas.getContext("2d");
    this.past = document.createElement("canvas");
    Object.assign(this, { made: 0, shown: 0, view: "sum", frozen: false, wave: null });
    this.bindCursor();
    new ResizeObserver(() => this.resize()).observe(this);
    listen("hello", (hello) => this.begin(hello));
    listen("state", ({ columns, scope }) => {
      if (this.frozen) return;
      for (const each of columns ?? []) this.add(each);
      if (scope) this.wave = Int8Array.from(atob(scope), (letter) => letter.charCodeAt(0));
    });
    const draw = () => { this.draw(); requestAnimationFrame(draw); };
    requestAnimationFrame(draw);
  }

  begin({ centres_hz: centres, channels }) {
    Object.assign(this, { bands: centres.length, centres, sides: channels });
    Object.assign(this.past, { width: KEPT, height: 3 * this.bands }); // the sound, left, right
    this.picture = this.past.getContext("2d", { willReadFrequently: false });
    this.marks.replaceChildren();
    for (const hz of MARKS_HZ.filter((each) => each < centres.at(-1))) {
      const band = centres.findIndex((centre) => centre >= hz);
      const mark = this.marks.appendChild(document.createElement("span"));
      mark.dataset.part = band / this.bands;
      mark.textContent = hz < 1000 ? hz : `${hz / 1000}k`;
    }
    this.placeMarks();
  }

  // Thousands come first: where there is no room, the others are left out.
  placeMarks() {
    const taken = [];
    for (const mark of [...this.marks.children].sort((a, b) => b.textContent.endsWith("k") - a.textContent.endsWith("k"))) {
      const edge = MARK_PIXELS / 2; // at which one is not cut off
      const bottom = Math.max(edge, Math.min(this.clientHeight - edge, mark.dataset.part * this.clientHeight));
      mark.hidden = taken.some((other) => Math.abs(other - bottom) < MARK_PIXELS);
      if (!mark.hidden) taken.push(bottom);
      mark.style.bottom = `${bottom}px`;
    }
  }

  add(base64) {
    const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
    const { bands, sides } = this;
    for (let start = 0; start + bands * sides <= bytes.length; start += bands * sides) {
      const column = new ImageData(1, 3 * bands);
      for (let band = 0; band < bands; band++) {
        const [left, right] = [bytes[start + band], bytes[start + (sides - 1) * bands + band]];
        [Math.max(left, right), left, right].forEach((value, row) => column.data.set(COLOURS[value], 4 * ((row + 1) * bands - 1 - band)));
      }
      this.picture.putImageData(column, this.made % KEPT, 0);
      this.made++;
    }
  }

  resize() {
    this.canvas.width = this.clientWidth * devicePixelRatio;
    this.canvas.height = this.clientHeight * devicePixelRatio;
    this.placeMarks();
  }

  draw() {
    if (!this.picture || !this.canvas.width) return;
    this.shown += (this.made - this.shown) * CATCH_UP;
    const { context, canvas: { width, height } } = this;
    const end = Math.floor(this.shown);
    const columns = Math.min(KEPT, Math.ceil(this.clientWidth), Math.max(1, end));
    const step = width / Math.min(KEPT, Math.ceil(this.clientWidth));
    context.fillStyle = "#07090d";
    context.fillRect(0, 0, width, height);
    this.marks.hidden = this.view !== "sum";
    if (this.view === "scope") return this.drawWave(width, height);
    const first = (end - columns) % KEPT;
    const until = Math.min(columns, KEPT - first);
    const left = width - columns * step;
    const { bands } = this;
    const strips = this.view === "sides" ? [[bands, 0, height / 2 - 1], [2 * bands, height / 2 + 1, height / 2 - 1]] : [[0, 0, height]];
    for (const [row, top, high] of strips) {
      context.drawImage(this.past, first, row, until, bands, left, top, until * step, high);
      if (until < columns)
        context.drawImage(this.past, 0, row, columns - until, bands, left + until * step, top, (columns - until) * step, high);
    }
  }

  // Left above right, from where the sum rises through zero.
  drawWave(width, height) {
    if (!this.wave) return;
    const { context, sides } = this;
    const points = this.wave.length / sides;
    context.lineWidth = 1.5 * devicePixelRatio;
    for (let side = 0; side < sides; side++) {
      const [middle, high] = [(height * (side + 0.5)) / sides, (0.46 * height) / sides];
      context.strokeStyle = side ? "#ffb454" : "#4fc3d9";
      context.beginPath();
      for (let i = 0; i < points; i++)
        context.lineTo((i / (points - 1)) * width, middle - (high * this.wave[side * points + i]) / 127);
      context.stroke();
    }
  }

  // -- the cursor ---------------------------------------------------------------------------------------------------

  bindCursor() {
    this.line = this.appendChild(document.createElement("div"));
    Object.assign(this.line, { className: "cursor", hidden: true });
    for (const [name, value] of Object.entries({ tabindex: 0, role: "slider", "aria-label": "cursor frequency",
      "aria-orientation": "vertical", "aria-valuemin": 0, "aria-valuemax": 1, "aria-valuenow": 0, "aria-valuetext": "none" }))
      this.setAttribute(name, value);
    this.addEventListener("pointermove", (event) => {
      const box = this.getBoundingClientRect();
      this.point(1 - (event.clientY - box.top) / box.height);
    });
    this.addEventListener("pointerleave", () => this.point(null));
    this.addEventListener("blur", () => this.point(null));
    this.addEventListener("keydown", (event) => {
      const step = { ArrowUp: 1, ArrowDown: -1, PageUp: 8, PageDown: -8 }[event.key];
      if (!step) return;
      event.preventDefault();
      this.point((this.at ?? 0.5) + step / (this.bands ?? 128));
    });
  }

  // A height of 0..1, or null for none.
  point(at) {
    if (!this.centres) return;
    this.at = at === null || this.view === "scope" ? null : Math.max(0, Math.min(1, at));
    this.line.hidden = this.at === null;
    let hz = null;
    if (this.at !== null) {
      this.line.style.bottom = `${100 * this.at}%`;
      const within = this.view === "sides" ? (2 * this.at) % 1 : this.at;
      const band = Math.max(0, Math.min(this.bands - 1, within * this.bands - 0.5));
      const [low, high] = [this.centres[Math.floor(band)], this.centres[Math.ceil(band)]];
      hz = low + (high - low) * (band % 1);
      this.setAttribute("aria-valuenow", this.at.toFixed(3));
    }
    this.setAttribute("aria-valuetext", hz ? described(hz) : "none");
    this.dispatchEvent(new CustomEvent("cursor", { detail: hz }));
  }
}

// From dark blue over violet and orange to white, with evenly rising lightness.
const STOPS = [[0, [7, 9, 13]], [0.25, [34, 25, 84]], [0.5, [130, 36, 118]], [0.75, [236, 106, 72]], [0.92, [253, 202, 110]], [1, [255, 252, 230]]];
const COLOURS = Array.from({ length: 256 }, (_, i) => {
  const part = i / 255;
  const next = Math.max(1, STOPS.findIndex(([at]) => at >= part));
  const [[from, a], [to, b]] = [STOPS[next - 1], STOPS[next]];
  return [...a.map((value, c) => Math.round(value + ((b[c] - value) * (part - from)) / (to - from))), 255];
});

customElements.define("cm-spectrum", Spectrum);
