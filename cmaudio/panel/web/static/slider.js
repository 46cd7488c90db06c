// <cm-slider>: one control. A double click (or double tap) restores the default; a right click (or long press) binds the
// next MIDI controller that moves.
import { Echo } from "./echo.js";
import { listen, live, send, throttled } from "./live.js";
import { spoken, spokenUnit, written } from "./written.js";

const STEPS = 400;
const DOUBLE_TAP_MS = 300;

class Slider extends HTMLElement {
  connectedCallback() {
    if (this.input) return;
    const [min, max, normal, power] = ["min", "max", "default", "power"].map((name) => parseFloat(this.getAttribute(name) ?? 1));
    Object.assign(this, { control: this.getAttribute("control"), unit: this.getAttribute("unit") ?? "", min, max, normal, power });
    this.innerHTML =
      '<label><span class="name"></span><output></output><span class="unit"></span><input type="range"></label>';
    this.querySelector(".name").textContent = this.getAttribute("label");
    this.querySelector(".unit").textContent = this.getAttribute("brief");
    this.input = this.querySelector("input");
    this.output = this.querySelector("output");
    const whole = Number.isInteger(min) && max - min > 100;
    if (power === 1) Object.assign(this.input, { min, max, step: whole ? 1 : (max - min) / STEPS });
    else Object.assign(this.input, { min: 0, max: 1, step: 1 / STEPS });
    this.input.setAttribute("aria-label", `${this.getAttribute("named")}, ${spokenUnit(this.unit)}`.replace(/, $/, ""));
    this.echo = new Echo();
    const tell = throttled((value) => send("set", { name: this.control, value }));
    this.move = (value) => { this.echo.set(value, this.value); this.paint(value); tell(value); };
    this.input.addEventListener("input", () => this.move(this.read()));
    this.addEventListener("dblclick", () => this.restore());
    this.addEventListener("contextmenu", (event) => { event.preventDefault(); send("learn", { name: this.control }); });
    this.input.addEventListener("pointerup", (event) => this.tapped(event));
    listen("state", ({ controls }) => this.follow(controls[this.control]));
  }

  // A slider of a higher power has more room for small values.
  read() {
    const at = this.input.valueAsNumber;
    return this.power === 1 ? at : this.min + (this.max - this.min) * at ** this.power;
  }

  // Sliders get no double click from touch screens.
  tapped(event) {
    if (event.pointerType === "mouse") return;
    if (event.timeStamp - (this.tappedAt ?? -1e9) < DOUBLE_TAP_MS) this.restore();
    this.tappedAt = event.timeStamp;
  }

  restore() {
    this.move(this.normal); // throttled like the click before it, so that it comes after it
  }

  follow(moved) {
    if (!moved || this.echo.isOld(...moved) || (moved[1] === live.client && this.input.matches(":active"))) return;
    this.paint(moved[0]);
  }

  paint(value) {
    this.value = value;
    const part = (at) => 100 * ((at - this.min) / (this.max - this.min)) ** (1 / this.power);
    this.input.value = this.power === 1 ? value : part(value) / 100;
    const rest = this.min < 0 ? 0 : this.min; // the bar starts where the control has no effect
    const [from, to] = [part(rest), part(value)].sort((a, b) => a - b);
    this.style.setProperty("--from", `${from}%`);
    this.style.setProperty("--to", `${to}%`);
    this.style.setProperty("--default", `${part(this.normal)}%`);
    const span = this.max - this.min;
    this.output.textContent = written(value, this.unit, span);
    this.input.setAttribute("aria-valuetext", spoken(value, this.unit, span));
    this.classList.toggle("moved", Math.abs(value - this.normal) > span / STEPS);
  }
}

customElements.define("cm-slider", Slider);
