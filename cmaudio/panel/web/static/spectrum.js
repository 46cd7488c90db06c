// <cm-spectrum>: a scrolling mel spectrogram of the sound.
import { listen } from "./live.js";

const KEPT = 1024; // columns
const CATCH_UP = 0.25; // of the new columns per frame: columns arrive in bursts and scroll evenly
const MARKS_HZ = [100, 500, 1000, 2000, 4000, 8000, 16000];

class Spectrum extends HTMLElement {
  connectedCallback() {
    if (this.canvas) return;
    this.canvas = this.appendChild(document.createElement("canvas"));
    this.marks = this.appendChild(document.createElement("div"));
    this.marks.className = "marks";
    this.context = this.canvas.getContext("2d");
    this.past = document.createElement("canvas");
    Object.assign(this, { made: 0, shown: 0 });
    new ResizeObserver(() => this.resize()).observe(this);
    listen("hello", (hello) => this.begin(hello));
    listen("state", ({ columns }) => { for (const each of columns ?? []) this.add(each); });
    const draw = () => { this.draw(); requestAnimationFrame(draw); };
    requestAnimationFrame(draw);
  }

  begin({ centres_hz: centres }) {
    this.bands = centres.length;
    Object.assign(this.past, { width: KEPT, height: this.bands });
    this.picture = this.past.getContext("2d", { willReadFrequently: false });
    this.marks.replaceChildren();
    for (const hz of MARKS_HZ.filter((each) => each < centres.at(-1))) {
      const band = centres.findIndex((centre) => centre >= hz);
      const mark = this.marks.appendChild(document.createElement("span"));
      mark.style.bottom = `max(${(100 * band) / this.bands}%, 9px)`; // the lowest is not cut off
      mark.textContent = hz < 1000 ? hz : `${hz / 1000}k`;
    }
  }

  add(base64) {
    const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
    for (let start = 0; start + this.bands <= bytes.length; start += this.bands) {
      const column = new ImageData(1, this.bands);
      for (let band = 0; band < this.bands; band++)
        column.data.set(COLOURS[bytes[start + band]], 4 * (this.bands - 1 - band));
      this.picture.putImageData(column, this.made % KEPT, 0);
      this.made++;
    }
  }

  resize() {
    this.canvas.width = this.clientWidth * devicePixelRatio;
    this.canvas.height = this.clientHeight * devicePixelRatio;
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
    const first = (end - columns) % KEPT;
    const until = Math.min(columns, KEPT - first);
    const left = width - columns * step;
    context.drawImage(this.past, first, 0, until, this.bands, left, 0, until * step, height);
    if (until < columns)
      context.drawImage(this.past, 0, 0, columns - until, this.bands, left + until * step, 0, (columns - until) * step, height);
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
