// <cm-wheel>: a control that is dragged, or moved with the arrow keys; one with `springs` returns when it is released.
import { Echo } from "./echo.js";
import { listen, send, throttled } from "./live.js";

const STEPS = 20;

class Wheel extends HTMLElement {
  connectedCallback() {
    if (this.knob) return;
    const [min, max] = ["min", "max"].map((name) => parseFloat(this.getAttribute(name)));
    Object.assign(this, { control: this.getAttribute("control"), springs: this.hasAttribute("springs"), min, max });
    this.innerHTML = '<div class="track" role="slider" tabindex="0"><div class="knob"></div></div><span></span>';
    this.knob = this.querySelector(".knob");
    this.querySelector("span").textContent = this.getAttribute("label");
    this.echo = new Echo();
    const tell = throttled((value, held) => send("set", { name: this.control, value, held }));
    const move = (value, held) => { this.echo.set(value, this.value); this.paint(value); tell(value, held); };
    const track = this.track = this.firstChild;
    for (const [name, value] of [["label", this.getAttribute("label")], ["orientation", "vertical"], ["valuemin", min], ["valuemax", max]])
      track.setAttribute(`aria-${name}`, value);
    const follow = (event) => {
      const box = track.getBoundingClientRect();
      const part = Math.max(0, Math.min(1, 1 - (event.clientY - box.top) / box.height));
      move(this.min + part * (this.max - this.min), this.springs);
    };
    const rest = () => {
      if (this.pushed && this.springs) move(0, false);
      this.pushed = false;
    };
    track.addEventListener("pointerdown", (event) => { track.setPointerCapture(event.pointerId); this.pushed = true; follow(event); });
    track.addEventListener("pointermove", (event) => this.pushed && follow(event));
    for (const kind of ["pointerup", "pointercancel", "lostpointercapture"])
      track.addEventListener(kind, rest);
    // Arrow keys move it; one that springs does so when they are released.
    track.addEventListener("keydown", (event) => {
      const step = { ArrowUp: 1, ArrowRight: 1, ArrowDown: -1, ArrowLeft: -1 }[event.key];
      if (!step) return;
      event.preventDefault();
      this.pushed = true;
      move(Math.max(min, Math.min(max, this.value + (step * (max - min)) / STEPS)), this.springs);
    });
    track.addEventListener("keyup", rest);
    track.addEventListener("blur", rest);
    track.addEventListener("dblclick", () => move(0, false));
    this.paint(0);
    listen("state", ({ controls }) => {
      const moved = controls[this.control];
      if (moved && !this.echo.isOld(...moved) && !this.pushed) this.paint(moved[0]);
    });
  }

  paint(value) {
    this.value = value;
    this.track.setAttribute("aria-valuenow", value.toFixed(2));
    this.knob.style.bottom = `${(100 * (value - this.min)) / (this.max - this.min)}%`;
  }
}

customElements.define("cm-wheel", Wheel);
