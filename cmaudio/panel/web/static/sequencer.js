// <cm-sequencer>: the step sequencer of the instrument, and its arpeggiator; every page shows the same patterns.
import { Echo } from "./echo.js";
import { listen, live, send } from "./live.js";
import { grid } from "./sequencer_grid.js";
import { song } from "./sequencer_song.js";
import { stepEditor } from "./sequencer_step.js";

const DIVISIONS = [[0.5, "1/8"], [1 / 3, "1/8 triplet"], [0.25, "1/16"], [1 / 6, "1/16 triplet"], [0.125, "1/32"], [1, "1/4"]];
const LENGTHS = [4, 6, 8, 12, 16, 24, 32, 48, 64];
const MODES = ["up", "down", "up-down", "played", "random", "chord"];
const OPEN = "cm-sequencer-open";

const options = (pairs) => pairs.map(([value, text]) => `<option value="${value}">${text}</option>`).join("");
const named = (text, title) => `${text}: ${title}`;
const button = (name, text, title) => `<button class="${name}" type="button" title="${title}" aria-label="${named(text, title)}">${text}</button>`;

const BAR = `
  <button class="fold" type="button" aria-expanded="false">Sequencer</button>
  ${button("play", "play", "play or stop the chosen pattern")}
  ${button("record", "record steps", "put what you play into the pattern")}
  ${button("click", "click", "a metronome, where there is a drum kit; takes hold it too")}
  <label>tempo <input class="tempo" type="number" min="10" max="400" step="0.5"></label>
  <div class="patterns" role="group" aria-label="patterns"></div>`;

const BODY = `
  <div class="settings">
    ${button("copy", "copy", "duplicate this pattern")} ${button("remove", "remove", "remove this pattern")}
    ${button("clear", "clear", "remove all lanes of this pattern")}
    <label>steps <select class="length">${options(LENGTHS.map((n) => [n, n]))}</select></label>
    <label>step size <select class="division">${options(DIVISIONS)}</select></label>
    <label>swing <input class="swing" type="range" min="0" max="0.9" step="0.02"></label>
    <label>quantise <input class="strength" type="range" min="0" max="1" step="0.05" value="1"></label>
    <span class="exports">export ${button("mid", "MIDI", "four rounds as a MIDI file")}
      ${button("py", "Python", "as a Python program")} ${button("json", "JSON", "all patterns")}
      <a class="exported" title="the file that was exported" hidden download></a></span>
  </div>
  <div class="song" role="group" aria-label="song"></div>
  <div class="lanes" role="group" aria-label="steps"></div>
  <div class="adding">
    <label>add lane <select class="sound"></select></label>
    <label>automate <select class="control"></select></label>
  </div>
  <div class="editor" role="group" aria-label="the chosen step"></div>
  <div class="arp" role="group" aria-label="arpeggiator">
    ${button("arp-on", "arpeggio", "play held keys one after another")}
    <label>mode <select class="mode">${options(MODES.map((each) => [each, each]))}</select></label>
    <label>octaves <select class="octaves">${options([1, 2, 3, 4].map((n) => [n, n]))}</select></label>
    <label>rate <select class="rate">${options(DIVISIONS)}</select></label>
    <label>gate <input class="gate" type="range" min="0.1" max="1.5" step="0.05"></label>
    <label>swing <input class="arp-swing" type="range" min="0" max="0.9" step="0.02"></label>
    ${button("hold", "hold", "keep playing after the keys are released")}
  </div>`;

class Sequencer extends HTMLElement {
  connectedCallback() {
    if (this.bar) return;
    this.innerHTML = `<div class="bar">${BAR}</div><div class="body" hidden>${BODY}</div>`;
    [this.bar, this.body] = this.children;
    this.editor = stepEditor(this.find(".editor"));
    this.song = song(this.find(".song"));
    this.grid = grid(this.find(".lanes"), (chosen) => this.editor.show(chosen));
    this.bindBar();
    this.bindSettings();
    this.bindArpeggiator();
    this.fold(localStorage.getItem(OPEN) !== "yes");
    listen("hello", (hello) => this.introduce(hello));
    listen("state", (changes) => this.follow(changes));
  }

  find(selector) { return this.querySelector(selector); }
  get state() { return live.state.sequencer; }
  get pattern() { return this.state.pattern; }
  on(selector, kind, act) { this.find(selector).addEventListener(kind, act); }

  // A field that is moved by keys keeps what was typed until the instrument has it.
  onNumber(selector, act) {
    const field = this.find(selector);
    field.echo = new Echo();
    field.addEventListener("change", () => {
      const value = parseFloat(field.value);
      field.echo.set(value, field.shown);
      act(value);
    });
  }

  fold(folded) {
    this.body.hidden = folded;
    this.find(".fold").setAttribute("aria-expanded", !folded);
    this.closest(".panel")?.classList.toggle("sequencing", !folded);
    localStorage.setItem(OPEN, folded ? "no" : "yes");
  }

  bringIntoView() {
    if (!this.body.hidden) this.scrollIntoView({ block: "end" });
  }

  bindBar() {
    this.on(".fold", "click", () => {
      this.fold(!this.body.hidden);
      this.bringIntoView();
    });
    this.on(".play", "click", () => send("sequencer", { action: this.state.playing ? "stop" : "play" }));
    this.on(".record", "click", () => {
      if (!this.state.recording) { this.fold(false); this.bringIntoView(); } // the steps appear as they are played
      const strength = parseFloat(this.find(".strength").value);
      send("sequencer", this.state.recording ? { action: "stop_recording" } : { action: "record", strength });
    });
    this.on(".click", "click", () => send("click", { on: !this.state.click }));
    this.on(".tempo", "change", ({ target }) => {
      const tempo = Math.max(10, Math.min(400, parseFloat(target.value) || this.state.tempo));
      send("tempo", { tempo });
    });
    this.on(".patterns", "click", ({ target }) => {
      const { name, add } = target.dataset;
      if (add) send("pattern", { action: "add", pattern: this.pattern.name });
      else if (name) send("pattern", { action: "select", pattern: name });
    });
  }

  bindSettings() {
    const pattern = () => ({ pattern: this.pattern.name });
    for (const action of ["copy", "remove", "clear"])
      this.on(`.${action}`, "click", () => send("pattern", { action, ...pattern() }));
    this.on(".length", "change", ({ target }) => send("set_pattern", { ...pattern(), length: parseInt(target.value) }));
    for (const name of ["division", "swing"]) this.onNumber(`.${name}`, (value) => send("set_pattern", { ...pattern(), [name]: value }));
    for (const format of ["mid", "py", "json"]) this.on(`.${format}`, "click", () => send("export", { format }));
    this.on(".sound", "change", ({ target }) => {
      const [kind, name] = target.value.split(/:(.*)/s);
      send("add_lane", { ...pattern(), ...(name && { [kind]: name }) });
      target.value = "";
    });
    this.on(".control", "change", ({ target }) => {
      if (target.value) send("automate", { action: "add", control: target.value, ...pattern() });
      target.value = "";
    });
  }

  bindArpeggiator() {
    const arpeggiator = () => this.state.arpeggiator;
    this.on(".arp-on", "click", () => send("arpeggiator", { on: !arpeggiator().on }));
    this.on(".hold", "click", () => send("arpeggiator", { hold: !arpeggiator().hold }));
    this.on(".mode", "change", ({ target }) => send("arpeggiator", { mode: target.value }));
    this.on(".octaves", "change", ({ target }) => send("arpeggiator", { octaves: parseInt(target.value) }));
    for (const [selector, name] of [[".rate", "rate"], [".gate", "gate"], [".arp-swing", "swing"]])
      this.onNumber(selector, (value) => send("arpeggiator", { [name]: value }));
  }

  introduce({ map, drums, definitions }) {
    const group = (label, kind, names) => (names.length ? `<optgroup label="${label}">${
      names.map((name) => `<option value="${kind}:${name}">${name}</option>`).join("")}</optgroup>` : "");
    const pitched = map.filter(({ name }) => !drums.includes(name)).map(({ name }) => name);
    this.find(".sound").innerHTML = `<option value="" disabled selected>choose</option><option value="present">the current timbre</option>${
      group("pads", "pad", drums)}${group("timbres", "timbre", pitched)}`;
    this.find(".control").innerHTML = `<option value="" disabled selected>choose</option>${
      options(definitions.map(({ name }) => [name, name.replaceAll("_", " ")]))}`;
    this.find(".sound").value = this.find(".control").value = "";
  }

  follow({ sequencer, step, keys, pads }) {
    if (sequencer) this.show(sequencer);
    if (step !== undefined) {
      this.grid.mark(step && step[0] === this.pattern?.name ? step[1] : null);
      this.song.mark(step && step[2]);
    }
    if (keys?.length) this.grid.pitch = keys.at(-1);
  }

  show(state) {
    const { pattern, arpeggiator } = state;
    this.press(".play", state.playing, state.playing ? "stop" : "play");
    this.press(".record", state.recording, "record steps");
    this.press(".click", Boolean(state.click), "click");
    this.find(".click").hidden = state.click === null;
    this.set(".tempo", state.tempo);
    this.find(".patterns").replaceChildren(...state.patterns.map((name) => this.choice(name, state)), this.adder());
    this.find(".remove").disabled = state.patterns.length < 2;
    this.set(".length", pattern.length);
    this.set(".swing", pattern.swing);
    this.choose(".division", pattern.division);
    this.choose(".rate", arpeggiator.rate);
    for (const name of ["mode", "octaves", "gate"]) this.set(`.${name}`, arpeggiator[name]);
    this.set(".arp-swing", arpeggiator.swing);
    this.press(".arp-on", arpeggiator.on, "arpeggio");
    this.press(".hold", arpeggiator.hold, "hold");
    const link = this.find(".exported");
    link.hidden = !state.exported;
    if (state.exported) Object.assign(link, { href: `/files/${encodeURIComponent(state.exported)}`, textContent: state.exported });
    this.song.show(state);
    this.grid.show(pattern);
  }

  press(selector, pressed, text) {
    const found = this.find(selector);
    found.setAttribute("aria-pressed", pressed);
    found.textContent = text;
    found.setAttribute("aria-label", named(text, found.title));
  }

  set(selector, value) {
    const field = this.find(selector);
    if (field.echo?.isOld(value) || (document.activeElement === field && field.type === "number")) return;
    field.value = field.shown = value;
  }

  // The division of the list that is nearest: thirds are not exact.
  choose(selector, beats) {
    const near = DIVISIONS.reduce((a, b) => (Math.abs(b[0] - beats) < Math.abs(a[0] - beats) ? b : a));
    this.set(selector, near[0]);
  }

  choice(name, { pattern, queued }) {
    const found = document.createElement("button");
    found.type = "button";
    found.dataset.name = name;
    found.textContent = name;
    found.classList.toggle("queued", name === queued);
    found.setAttribute("aria-pressed", name === pattern.name);
    found.setAttribute("aria-label", `pattern ${name}`);
    return found;
  }

  adder() {
    const found = document.createElement("button");
    Object.assign(found, { type: "button", textContent: "+", title: "add an empty pattern" });
    found.dataset.add = "yes";
    found.setAttribute("aria-label", "add a pattern");
    return found;
  }
}

customElements.define("cm-sequencer", Sequencer);
