// The rows of steps: notes, pads and automation. Arrow keys move, Enter or a click sets and clears, the context menu chooses.
import { live, send } from "./live.js";
import { spoken } from "./written.js";

const NEW_STEP = { pitches: [], velocity: 96, gate: 0.9, probability: 1, ratchets: 1, shift: 0 };
const NAMES = ["C", "C♯", "D", "D♯", "E", "F", "F♯", "G", "G♯", "A", "A♯", "B"];
const MOVES = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const LOUDER = 8;

export const noteName = (pitch) => `${NAMES[pitch % 12]}${Math.floor(pitch / 12) - 1}`;

function element(kind, className, text = "") {
  const found = document.createElement(kind);
  found.className = className;
  found.textContent = text;
  return found;
}

export const definitionOf = (control) => live.hello.definitions.find(({ name }) => name === control);

function says(row, index, value) {
  const place = `${row.name} step ${index + 1}`;
  if (value === undefined) return `${place}, empty`;
  if (row.control) {
    const { unit, min, max } = definitionOf(row.control);
    return `${place}, ${spoken(value, unit, max - min)}`;
  }
  return `${place}, ${value.pitches.map(noteName).join(" ") || "struck"}, velocity ${value.velocity}`;
}

class Grid {
  constructor(lanes, onChoose) {
    Object.assign(this, { lanes, onChoose, rows: [], chosen: null, pitch: 60, pattern: null });
    lanes.addEventListener("click", (event) => this.clicked(event));
    lanes.addEventListener("contextmenu", (event) => this.asked(event));
    lanes.addEventListener("keydown", (event) => this.typed(event));
    lanes.addEventListener("focusin", ({ target }) => target.matches(".cell") && this.choose(target));
  }

  show(pattern) {
    const focused = document.activeElement?.closest?.(".cell");
    const place = focused && this.lanes.contains(focused) && { ...focused.dataset };
    this.pattern = pattern;
    const row = (lane, values, control) => ({ pattern: pattern.name, lane, values: { ...values }, control, name: control?.replaceAll("_", " ") ?? lane.name });
    this.rows = [
      ...pattern.lanes.map((lane) => row(lane, lane.steps)),
      ...pattern.automation.map((lane) => row(lane, lane.values, lane.control)),
    ];
    this.lanes.style.setProperty("--steps", pattern.length);
    this.lanes.replaceChildren(...this.rows.map((row, number) => this.row(row, number)));
    const cell = place && this.cell(place.row, Math.min(place.index, pattern.length - 1));
    if (cell) cell.focus({ preventScroll: true });
    else this.onChoose(null, pattern.name);
    this.mark(this.at ?? null);
  }

  row(row, number) {
    const found = element("div", row.control ? "lane automated" : "lane");
    found.setAttribute("role", "group");
    found.setAttribute("aria-label", row.name);
    const head = element("div", "head");
    head.append(element("span", "name", row.name), ...this.buttons(row, number));
    found.append(head, ...Array.from({ length: this.pattern.length }, (_, index) => this.step(row, number, index)));
    return found;
  }

  buttons(row, number) {
    const make = (action, text, label, pressed) => {
      const found = element("button", action, text);
      found.type = "button";
      found.title = label;
      Object.assign(found.dataset, { action, row: number });
      found.setAttribute("aria-label", `${label}: ${row.name}`);
      if (pressed !== undefined) found.setAttribute("aria-pressed", pressed);
      return found;
    };
    const first = row.control ? make("smooth", "ramp", "glide from value to value", row.lane.smooth) : make("mute", "mute", "mute", row.lane.muted);
    return [first, make("drop", "×", "remove the lane")];
  }

  step(row, number, index) {
    const found = element("button", "cell");
    found.type = "button";
    Object.assign(found.dataset, { row: number, index });
    found.tabIndex = number === 0 && index === 0 ? 0 : -1;
    if (index % 4 === 0) found.classList.add("beat");
    this.paint(found, row, index);
    return found;
  }

  paint(cell, row, index) {
    const value = row.values[index];
    cell.setAttribute("aria-pressed", value !== undefined);
    cell.setAttribute("aria-label", says(row, index, value));
    cell.replaceChildren();
    if (value === undefined) return;
    cell.append(element("i", ""));
    cell.style.setProperty("--level", `${Math.round(100 * this.level(row, value))}%`);
    if (row.control) return;
    cell.style.setProperty("--chance", value.probability);
    cell.append(element("b", "", value.ratchets > 1 ? `×${value.ratchets}` : value.pitches.length ? noteName(value.pitches[0]) : ""));
  }

  level(row, value) {
    if (!row.control) return value.velocity / 127;
    const { min, max } = definitionOf(row.control);
    return (value - min) / (max - min);
  }

  cell(row, index) { return this.lanes.querySelector(`.cell[data-row="${row}"][data-index="${index}"]`); }

  clicked({ target }) {
    const place = target.closest("button")?.dataset;
    if (!place) return;
    const row = this.rows[place.row];
    if (place.index !== undefined) this.toggle(row, parseInt(place.index));
    else this.act(place.action, row);
  }

  // The context menu (a long press of a finger) chooses a step to edit, and leaves it as it is.
  asked(event) {
    const cell = event.target.closest(".cell");
    if (!cell) return;
    event.preventDefault();
    cell.focus();
  }

  act(action, row) {
    const { pattern } = row;
    if (row.control) {
      const does = action === "drop" ? "remove" : row.lane.smooth ? "stepped" : "smooth";
      send("automate", { action: does, control: row.control, pattern });
    } else {
      const does = action === "drop" ? "remove" : row.lane.muted ? "unmute" : "mute";
      send("lane", { action: does, lane: row.name, pattern });
    }
  }

  toggle(row, index) {
    const value = row.values[index];
    const made = row.control ? live.controls[row.control][0] : { ...NEW_STEP, pitches: row.lane.pad ? [] : [this.pitch] };
    this.send(row, index, value === undefined ? made : null);
    if (value === undefined) row.values[index] = made; // at once, so that a second click clears it
    else delete row.values[index];
    this.paint(this.cell(this.rows.indexOf(row), index), row, index);
  }

  send(row, index, value) {
    const { pattern } = row;
    if (row.control) send("automation", { pattern, control: row.control, index, value });
    else send("step", { pattern, lane: row.name, index, step: value });
  }

  // Of a step, only what changes is sent: what is shown may be older than the last changes.
  change(row, index, change) {
    if (row.control) this.send(row, index, change);
    else send("change_step", { pattern: row.pattern, lane: row.name, index, ...change });
  }

  typed(event) {
    const cell = event.target.closest(".cell");
    if (!cell) return;
    const [row, index] = [parseInt(cell.dataset.row), parseInt(cell.dataset.index)];
    const move = MOVES[event.key];
    const value = this.rows[row].values[index];
    if (move) {
      this.cell(row + move[1], index + move[0])?.focus();
    } else if (["+", "-"].includes(event.key) && value?.velocity) {
      this.change(this.rows[row], index, { louder: event.key === "+" ? LOUDER : -LOUDER });
    } else return;
    event.preventDefault();
  }

  choose(cell) {
    for (const each of this.lanes.querySelectorAll('.cell[tabindex="0"]')) each.tabIndex = -1;
    cell.tabIndex = 0;
    const [row, index] = [this.rows[cell.dataset.row], parseInt(cell.dataset.index)];
    this.onChoose({ row, index, value: row.values[index], change: (change) => this.change(row, index, change) });
  }

  mark(index) {
    this.at = index;
    for (const cell of this.lanes.querySelectorAll(".cell.now")) cell.classList.remove("now");
    if (index !== null) for (const cell of this.lanes.querySelectorAll(`.cell[data-index="${index}"]`)) cell.classList.add("now");
  }
}

export const grid = (lanes, onChoose) => new Grid(lanes, onChoose);
