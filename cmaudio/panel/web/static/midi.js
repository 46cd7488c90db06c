// <cm-midi>: lights up when MIDI arrives; while it is pressed, controls are bound to controllers: choose a control, then
// move a knob. What is bound is written beside its control.
import { listen, live, send } from "./live.js";

const LIT_MS = 150;

class Midi extends HTMLElement {
  connectedCallback() {
    if (this.button) return;
    this.innerHTML = '<button aria-pressed="false">MIDI</button>';
    this.button = this.firstChild;
    this.strip = document.querySelector(".panel").appendChild(document.createElement("div"));
    this.strip.className = "learn-strip";
    this.strip.hidden = true;
    this.strip.innerHTML = '<span role="status"></span><button>done</button>';
    this.button.addEventListener("click", () => (this.midi ? this.teach(!this.teaching) : null));
    this.strip.lastChild.addEventListener("click", () => this.teach(false));
    addEventListener("keydown", ({ key }) => key === "Escape" && (this.teaching || this.midi?.learning) && this.teach(false));
    addEventListener("pointerdown", (event) => this.picked(event), true);
    addEventListener("keydown", (event) => event.key === "Enter" && this.picked(event), true);
    listen("state", ({ midi }) => midi !== undefined && this.follow(midi));
  }

  // While controllers are learnt, a press on a control chooses it instead of moving it.
  picked(event) {
    if (!this.teaching) return;
    const slider = event.target.closest?.("cm-slider");
    if (!slider || event.target.closest(".amount")) return;
    event.preventDefault();
    event.stopPropagation();
    send("learn", { name: slider.control });
  }

  teach(on) {
    this.teaching = on;
    this.button.setAttribute("aria-pressed", on);
    document.querySelector(".panel").classList.toggle("teaching", on);
    if (!on && this.midi?.learning) send("learn", { name: null });
    this.show();
  }

  follow(midi) {
    if (midi && this.midi && midi.received > this.midi.received) this.flash();
    this.midi = midi;
    this.hidden = live.hello?.speech;
    this.button.disabled = !midi;
    const ports = midi?.ports.length ? midi.ports.join(", ") : "no MIDI input is open";
    this.button.title = `${ports}${midi ? "; press to assign controllers" : ""}`;
    for (const slider of document.querySelectorAll("cm-slider")) {
      const bound = midi?.bound[slider.control] ?? "";
      slider.classList.toggle("learning", Boolean(midi?.learning) && midi.learning === slider.control);
      const name = slider.querySelector(".name"); // none before the slider is drawn
      if (name && slider.dataset.bound !== bound) name.dataset.bound = slider.dataset.bound = bound;
    }
    this.show();
  }

  show() {
    const learning = this.midi?.learning;
    this.strip.hidden = !this.teaching && !learning;
    const text = learning ? `Move the MIDI controller for ${learning.replaceAll("_", " ")}` : "Choose a control, then move a MIDI controller";
    const said = this.strip.firstChild;
    if (!this.strip.hidden && said.textContent !== text) said.textContent = text;
  }

  flash() {
    this.classList.add("lit");
    clearTimeout(this.dark);
    this.dark = setTimeout(() => this.classList.remove("lit"), LIT_MS);
  }
}

customElements.define("cm-midi", Midi);
