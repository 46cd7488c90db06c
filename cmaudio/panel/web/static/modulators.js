// <cm-modulators>: chooses a modulator. While one is chosen, every control that it can move shows its amount as a second
// slider. Controls that are moved show how far they swing, and where they are.
import { Echo } from "./echo.js";
import { listen, live, send, throttled } from "./live.js";
import { written } from "./written.js";

const STEPS = 200;
const rows = new Map(); // by control: a slider with its swing
let chosen = null;

const routesTo = (control) => (live.state.routes ?? []).filter(([, to]) => to === control);
const amountOf = (modulator, control) => routesTo(control).find(([by]) => by === modulator)?.[2] ?? 0;
const oscillates = (modulator) => modulator.startsWith("lfo");

class Row {
  constructor(slider, movers) {
    Object.assign(this, { slider, movers, control: slider.control, span: slider.max - slider.min });
    this.swing = slider.appendChild(document.createElement("div"));
    this.swing.className = "swing";
    this.swing.innerHTML = "<b></b><i></i>";
    const tell = throttled((modulator, amount) => send("route", { modulator, control: this.control, amount }));
    this.echoes = {}; // by modulator
    this.move = (amount) => {
      (this.echoes[chosen] ??= new Echo()).set(amount, amountOf(chosen, this.control));
      this.show(amount);
      tell(chosen, amount);
    };
    this.paint();
  }

  // The slider of the amount, made when it is first asked for.
  choose(titles) {
    const fits = chosen && this.movers.includes(chosen);
    if (fits && !this.amount) {
      this.amount = this.slider.appendChild(document.createElement("label"));
      this.amount.className = "amount";
      this.amount.innerHTML = '<span></span><input type="range"><output></output>';
      [this.title, this.input, this.shown] = this.amount.children;
      Object.assign(this.input, { min: -this.span, max: this.span, step: this.span / STEPS });
      this.input.addEventListener("input", () => this.move(this.input.valueAsNumber));
      this.input.addEventListener("dblclick", (event) => { event.stopPropagation(); this.move(0); });
      this.input.addEventListener("keydown", ({ key }) => ["Delete", "Backspace"].includes(key) && this.move(0));
    }
    if (!this.amount) return;
    this.amount.hidden = !fits;
    if (!fits) return;
    this.title.textContent = titles[chosen];
    this.input.setAttribute("aria-label", `${this.slider.getAttribute("named")}, amount of ${titles[chosen]}`);
    this.show(amountOf(chosen, this.control));
  }

  show(amount) {
    this.input.value = amount;
    const text = written(amount, this.slider.unit, this.span);
    this.shown.textContent = amount > 0 && !text.startsWith("×") ? `+${text}` : text;
    this.input.setAttribute("aria-valuetext", this.shown.textContent);
    this.input.style.setProperty("--from", `${50 + 50 * Math.min(0, amount / this.span)}%`);
    this.input.style.setProperty("--to", `${50 + 50 * Math.max(0, amount / this.span)}%`);
  }

  follow() {
    const amount = amountOf(chosen, this.control);
    const old = this.echoes[chosen]?.isOld(amount);
    if (this.amount && !this.amount.hidden && !old && !this.input.matches(":active")) this.show(amount);
    this.paint();
  }

  // How far the routes move it from where it stands.
  paint() {
    const routes = routesTo(this.control);
    this.slider.classList.toggle("moves", routes.length > 0);
    if (!routes.length) return;
    const value = live.controls[this.control]?.[0] ?? this.slider.normal;
    let [low, high] = [value, value];
    for (const [by, , amount] of routes) {
      high += oscillates(by) ? Math.abs(amount) : Math.max(0, amount);
      low -= oscillates(by) ? Math.abs(amount) : Math.max(0, -amount);
    }
    const { min, max } = this.slider;
    const part = (at) => (100 * (Math.max(min, Math.min(max, at)) - min)) / (max - min);
    const now = value + (live.state.moved?.[this.control] ?? 0);
    this.swing.style.setProperty("--low", `${part(low)}%`);
    this.swing.style.setProperty("--high", `${part(high)}%`);
    this.swing.style.setProperty("--now", `${part(now)}%`);
    this.swing.dataset.now = now.toFixed(3);
  }
}

class Modulators extends HTMLElement {
  connectedCallback() {
    if (this.buttons) return;
    this.setAttribute("role", "group");
    this.setAttribute("aria-label", "modulators");
    const names = this.getAttribute("names").split("|").map((each) => each.split(":"));
    this.titles = Object.fromEntries(names);
    this.buttons = names.map(([name, title]) => {
      const button = this.appendChild(document.createElement("button"));
      Object.assign(button, { textContent: title, title: `what ${title} modulates, and by how much` });
      button.dataset.modulator = name;
      button.setAttribute("aria-pressed", "false");
      button.addEventListener("click", () => this.choose(chosen === name ? null : name));
      return button;
    });
    addEventListener("keydown", ({ key }) => key === "Escape" && chosen && this.choose(null));
    this.closest("details")?.addEventListener("toggle", ({ target }) => !target.open && chosen && this.choose(null));
    listen("hello", ({ modulators }) => { this.movers = modulators; requestAnimationFrame(() => this.begin()); });
    listen("state", (changes) => this.follow(changes));
  }

  // The sliders are below this element, and so are made after it.
  begin() {
    for (const slider of document.querySelectorAll("cm-slider")) {
      const movers = this.movers?.[slider.control];
      if (movers && !rows.has(slider.control)) rows.set(slider.control, new Row(slider, movers));
    }
    this.follow({ routes: live.state.routes });
  }

  choose(name) {
    chosen = name;
    this.begin();
    for (const button of this.buttons) button.setAttribute("aria-pressed", button.dataset.modulator === name);
    for (const settings of document.querySelectorAll(".settings[data-modulator]")) settings.hidden = settings.dataset.modulator !== name;
    this.closest("section").classList.toggle("routing", name !== null);
    for (const row of rows.values()) row.choose(this.titles);
  }

  follow({ routes, moved, swing, controls = {} }) {
    if (routes) {
      const used = new Set(routes.map(([by]) => by));
      for (const button of this.buttons) button.classList.toggle("used", used.has(button.dataset.modulator));
      this.closest("details")?.classList.toggle("used", used.size > 0);
      if (!routes.length) Object.assign(live.state, { moved: {}, swing: {} });
    }
    if (swing) for (const button of this.buttons) button.style.setProperty("--swing", Math.abs(swing[button.dataset.modulator] ?? 0));
    if (routes) for (const row of rows.values()) row.follow();
    else if (moved) for (const name of Object.keys(moved)) rows.get(name)?.paint();
    else for (const name of Object.keys(controls)) rows.get(name)?.paint();
  }
}

customElements.define("cm-modulators", Modulators);
