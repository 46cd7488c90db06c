// <cm-readout>: what is under the picture of the sound: what it shows, freeze, the tuner or the cursor, and loudness.
import { listen } from "./live.js";

const NAMES = ["C", "C♯", "D", "E♭", "E", "F", "F♯", "G", "A♭", "A", "B♭", "B"];
const VIEWS = { sum: "spectrum", sides: "L / R", scope: "scope" };

// The nearest note of a frequency, and how many cents it lies above.
export function noteOf(hz) {
  const key = 69 + 12 * Math.log2(hz / 440);
  const near = Math.round(key);
  return { name: `${NAMES[((near % 12) + 12) % 12]}${Math.floor(near / 12) - 1}`, cents: Math.round(100 * (key - near)) };
}

export function described(hz) {
  const { name, cents } = noteOf(hz);
  return `${name} ${cents >= 0 ? "+" : "−"}${Math.abs(cents)} ¢ · ${hz < 1000 ? hz.toFixed(1) : hz.toFixed(0)} Hz`;
}

class Readout extends HTMLElement {
  connectedCallback() {
    if (this.picture) return;
    this.picture = this.parentElement.querySelector("cm-spectrum");
    const views = Object.entries(VIEWS).map(([view, text]) => `<button data-view="${view}" aria-pressed="${view === "sum"}">${text}</button>`).join("");
    this.innerHTML = `<div role="group" aria-label="what is shown">${views}<button class="freeze" aria-pressed="false">freeze</button></div>
      <div class="tuner" title="pitch of the sound, or of the cursor, and its deviation in cents"><b></b><i aria-hidden="true"><em></em></i></div>
      <div class="loudness" title="loudness (ITU-R BS.1770): momentary, 0.4 s, and short-term, 3 s"><small>M</small><b class="momentary"></b><small>S</small><b class="short"></b><small>LUFS</small></div>`;
    [this.tuner, this.needle] = [this.querySelector(".tuner b"), this.querySelector(".tuner em")];
    for (const button of this.querySelectorAll("[data-view]")) button.addEventListener("click", () => this.show(button.dataset.view));
    this.freeze = this.querySelector(".freeze");
    this.freeze.addEventListener("click", () => {
      this.picture.frozen = !this.picture.frozen;
      this.freeze.setAttribute("aria-pressed", this.picture.frozen);
    });
    this.picture.addEventListener("cursor", ({ detail }) => { this.cursor = detail; this.tune(detail ?? this.hz); });
    listen("state", ({ lufs, hz }) => this.follow(lufs, hz));
  }

  show(view) {
    this.picture.view = view;
    for (const button of this.querySelectorAll("[data-view]")) button.setAttribute("aria-pressed", button.dataset.view === view);
  }

  follow(lufs, hz) {
    if (hz !== undefined) { this.hz = hz; if (!this.cursor) this.tune(hz); }
    if (!lufs) return;
    [".momentary", ".short"].forEach((field, i) => { this.querySelector(field).textContent = lufs[i] === null ? "–" : lufs[i].toFixed(1).replace("-", "−"); });
  }

  tune(hz) {
    this.tuner.textContent = hz ? described(hz) : "–";
    this.needle.parentElement.hidden = !hz;
    if (hz) this.needle.style.left = `${50 + noteOf(hz).cents}%`;
  }
}

customElements.define("cm-readout", Readout);
