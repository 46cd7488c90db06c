// <cm-curve kind="...">: controls as handles of a curve. Every handle is a slider with a name and a value: it is dragged,
// or moved with the arrow keys; a double click restores its default.
import { Echo } from "./echo.js";
import { listen, live, send, throttled } from "./live.js";
import { spoken } from "./written.js";

const [WIDTH, HEIGHT, STEP, FINE] = [300, 90, 0.02, 0.005];
const clamp = (part) => Math.max(0, Math.min(1, part));
const warp = (power) => ({ to: (part) => part ** (1 / power), from: (part) => part ** power });
const PLAIN = warp(1);
const TIMES = warp(3); // short times have as much room as long ones

// A part of the picture, 0 to 1, for every handle; `at` places them by the parts p of all, `line` draws through them.
const ADSR = {
  line: (p) => {
    const [a, d, r, top] = [0.24 * p.attack, 0.24 * p.decay, 0.24 * p.release, 0.08];
    const level = 1 - (1 - top) * p.sustain;
    return [[0, 1], [a, top], [a + d, level], [0.74, level], [0.74 + r, 1]];
  },
  at: (p) => {
    const [, peak, knee, held, end] = ADSR.line(p);
    return { attack: peak, decay: knee, sustain: [(knee[0] + held[0]) / 2 + 0.08, held[1]], release: end };
  },
  drag: { attack: (x) => x / 0.24, decay: (x, y, p) => (x - 0.24 * p.attack) / 0.24, sustain: (x, y) => (1 - y) / 0.92, release: (x) => (x - 0.74) / 0.24 },
  up: ["sustain"],
};
const KINDS = {
  envelope: { ...ADSR, controls: { attack: "attack", decay: "decay", sustain: "sustain", release: "release" }, title: "envelope" },
  modulation: { ...ADSR, controls: { attack: "mod_attack", decay: "mod_decay", sustain: "mod_sustain", release: "mod_release" },
    title: "modulation envelope", scale: { attack: TIMES, decay: TIMES, release: TIMES } },
  tone: {
    title: "tone", controls: { brightness: "brightness", resonance: "resonance" }, up: ["brightness", "resonance"],
    line: (p) => Array.from({ length: 61 }, (_, i) => {
      const x = i / 60;
      return [x, clamp(0.5 - (p.brightness - 0.5) * 0.9 * Math.max(0, x - 0.15) / 0.85 - (p.resonance - 0.5) * 0.42 * Math.cos(8 * Math.PI * x))];
    }),
    at: (p) => ({ resonance: KINDS.tone.line(p)[30], brightness: KINDS.tone.line(p)[59] }),
    drag: { brightness: (x, y) => 0.5 + (0.5 - y) / 0.9, resonance: (x, y, p) => 0.5 + (0.5 - (p.brightness - 0.5) * 0.37 - y) / 0.42 },
  },
  delay: {
    title: "delay", controls: { beats: "delay_beats", feedback: "delay_feedback" }, up: ["feedback"], bars: true,
    scale: { beats: warp(2) },
    line: (p) => Array.from({ length: 8 }, (_, i) => [i * (0.06 + 0.3 * p.beats), 1 - 0.92 * (0.95 * p.feedback) ** i]).filter(([x]) => x <= 1),
    at: (p) => ({ beats: [0.06 + 0.3 * p.beats, 1], feedback: [0.06 + 0.3 * p.beats, 1 - 0.92 * 0.95 * p.feedback] }),
    drag: { beats: (x) => (x - 0.06) / 0.3, feedback: (x, y) => (1 - y) / 0.874 },
  },
  reverb: {
    title: "reverb", controls: { predelay: "reverb_predelay", decay: "reverb_decay", damping: "reverb_damping" }, up: ["damping"],
    scale: { decay: TIMES, predelay: warp(2) },
    line: (p) => {
      const [start, end] = [0.2 * p.predelay, 0.2 * p.predelay + 0.08 + 0.72 * p.decay];
      const bend = 1.2 + 3 * p.damping;
      return [[0, 1], [start, 1], ...Array.from({ length: 25 }, (_, i) => [start + ((end - start) * i) / 24, 1 - 0.92 * (1 - i / 24) ** bend])];
    },
    at: (p) => {
      const line = KINDS.reverb.line(p);
      return { predelay: [line[1][0], 0.94], damping: line[12], decay: line.at(-1) };
    },
    drag: {
      predelay: (x) => x / 0.2, decay: (x, y, p) => (x - 0.2 * p.predelay - 0.08) / 0.72,
      damping: (x, y) => (Math.log(Math.max(0.01, 1 - y) / 0.92) / Math.log(14 / 24) - 1.2) / 3,
    },
  },
};

class Curve extends HTMLElement {
  connectedCallback() {
    if (this.kind) return;
    this.kind = KINDS[this.getAttribute("kind")];
    this.setAttribute("role", "group");
    this.setAttribute("aria-label", `${this.kind.title} curve`);
    this.innerHTML = `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none" aria-hidden="true"><path class="area"/><path class="line"/></svg>`;
    [this.area, this.path] = this.querySelectorAll("path");
    this.parts = {};
    listen("hello", ({ definitions }) => this.begin(definitions));
    listen("state", ({ controls }) => this.follow(controls));
  }

  begin(definitions) {
    if (this.handles) return;
    const known = Object.fromEntries(definitions.map((each) => [each.name, each]));
    this.handles = Object.entries(this.kind.controls).filter(([, control]) => known[control]).map(([name, control]) => this.handle(name, known[control]));
    this.hidden = this.handles.length < Object.keys(this.kind.controls).length;
    this.follow(live.controls);
  }

  handle(name, definition) {
    const node = this.appendChild(document.createElement("div"));
    const upright = this.kind.up.includes(name);
    const handle = { ...definition, name, node, scale: this.kind.scale?.[name] ?? PLAIN, control: definition.name, upright, echo: new Echo() };
    node.className = `handle ${upright ? "upright" : ""}`;
    for (const [key, value] of Object.entries({ role: "slider", tabindex: 0, "aria-label": definition.name.replaceAll("_", " "),
      "aria-orientation": upright ? "vertical" : "horizontal", "aria-valuemin": definition.min, "aria-valuemax": definition.max }))
      node.setAttribute(key, value);
    handle.send = throttled((value) => send("set", { name: handle.control, value }));
    node.addEventListener("pointerdown", (event) => { event.preventDefault(); node.focus(); node.setPointerCapture(event.pointerId); handle.held = true; });
    node.addEventListener("pointermove", (event) => handle.held && this.drag(handle, event));
    for (const kind of ["pointerup", "pointercancel", "lostpointercapture"]) node.addEventListener(kind, () => { handle.held = false; });
    node.addEventListener("dblclick", () => this.set(handle, this.toPart(handle, definition.default)));
    node.addEventListener("keydown", (event) => this.typed(handle, event));
    return handle;
  }

  drag(handle, event) {
    const box = this.getBoundingClientRect();
    const [x, y] = [clamp((event.clientX - box.left) / box.width), clamp((event.clientY - box.top) / box.height)];
    this.set(handle, this.kind.drag[handle.name](x, y, this.parts));
  }

  typed(handle, event) {
    const step = event.shiftKey ? FINE : STEP;
    const to = { ArrowUp: 1, ArrowRight: 1, ArrowDown: -1, ArrowLeft: -1, PageUp: 5, PageDown: -5 }[event.key];
    const end = { Home: 0, End: 1 }[event.key];
    if (to === undefined && end === undefined) return;
    event.preventDefault();
    this.set(handle, end ?? this.parts[handle.name] + to * step);
  }

  toPart({ min, max, scale }, value) { return scale.to(clamp((value - min) / (max - min))); }

  set(handle, part) {
    this.parts[handle.name] = clamp(part);
    const value = handle.min + (handle.max - handle.min) * handle.scale.from(clamp(part));
    handle.echo.set(value, handle.value);
    this.tell(handle, value);
    handle.send(value);
    this.paint();
  }

  tell(handle, value) {
    handle.value = value;
    const text = spoken(value, handle.unit, handle.max - handle.min);
    handle.node.setAttribute("aria-valuenow", value.toFixed(3));
    handle.node.setAttribute("aria-valuetext", text);
    handle.node.title = `${handle.control.replaceAll("_", " ")}: ${text}`;
  }

  follow(controls) {
    if (!this.handles) return;
    const mine = this.handles.filter(({ control, echo, held }) => controls[control] && !echo.isOld(...controls[control]) && !held);
    if (!mine.length) return;
    for (const handle of mine) {
      this.parts[handle.name] = this.toPart(handle, controls[handle.control][0]);
      this.tell(handle, controls[handle.control][0]);
    }
    if (this.handles.every(({ name }) => name in this.parts)) this.paint();
  }

  paint() {
    if (this.hidden) return;
    const points = this.kind.line(this.parts).map(([x, y]) => `${(x * WIDTH).toFixed(1)} ${(y * HEIGHT).toFixed(1)}`);
    const line = this.kind.bars
      ? points.map((point) => `M${point}V${HEIGHT}`).join("")
      : `M${points.join("L")}`;
    this.path.setAttribute("d", line);
    this.area.setAttribute("d", this.kind.bars ? "" : `${line}V${HEIGHT}H0Z`);
    const places = this.kind.at(this.parts);
    for (const { name, node } of this.handles) {
      node.style.left = `${100 * clamp(places[name][0])}%`;
      node.style.top = `${100 * clamp(places[name][1])}%`;
    }
  }
}

customElements.define("cm-curve", Curve);
