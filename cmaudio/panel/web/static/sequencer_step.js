// The fields of the chosen step: its notes, and how they are played; of automation, its value.
import { definitionOf, noteName } from "./sequencer_grid.js";
import { written } from "./written.js";

const RANGES = [
  ["velocity", "velocity", 1, 127, 1], ["gate", "gate", 0.1, 8, 0.1], ["probability", "probability", 0, 1, 0.05],
  ["ratchets", "ratchets", 1, 8, 1], ["shift", "timing", -0.5, 0.5, 0.05],
];

class StepEditor {
  constructor(place) {
    this.place = place;
    place.addEventListener("change", ({ target }) => this.changed(target));
  }

  // None is chosen after a change of the pattern: what is being edited stays, unless it is of another pattern.
  show(chosen, pattern = null) {
    const editing = this.place.contains(document.activeElement) && document.activeElement.dataset.field;
    if (!chosen && editing && this.chosen?.row.pattern === pattern) return;
    this.chosen = chosen;
    if (!chosen) this.place.textContent = "Add a lane, then click its steps to set or clear them; right-click or long-press one to edit it.";
    else if (chosen.value === undefined) this.place.textContent = `${chosen.row.name}, step ${chosen.index + 1}: empty`;
    else this.build(chosen);
  }

  build({ row, index, value }) {
    this.place.replaceChildren(`${row.name}, step ${index + 1}`);
    if (row.control) {
      const { min, max, unit } = definitionOf(row.control);
      this.range("value", "value", min, max, (max - min) / 200, value, unit);
      return;
    }
    if (!row.lane.pad) {
      const field = this.field("pitches", "notes", "text");
      field.value = value.pitches.map((pitch) => noteName(pitch).replace("♯", "#")).join(" ");
    }
    for (const [name, label, min, max, step] of RANGES) this.range(name, label, min, max, step, value[name]);
  }

  field(name, label, type) {
    const box = this.place.appendChild(document.createElement("label"));
    box.append(`${label} `);
    const field = box.appendChild(document.createElement("input"));
    field.type = type;
    field.dataset.field = name;
    return field;
  }

  range(name, label, min, max, step, value, unit = "") {
    const field = this.field(name, label, "range");
    Object.assign(field, { min, max, step, value });
    const output = field.parentElement.appendChild(document.createElement("output"));
    const show = () => { output.textContent = written(field.valueAsNumber, unit, Number.isInteger(step) ? Infinity : max - min); };
    field.addEventListener("input", show);
    show();
  }

  changed({ dataset, value }) {
    if (!this.chosen) return;
    if (this.chosen.row.control) this.chosen.change(parseFloat(value));
    else if (dataset.field === "pitches") this.chosen.change({ pitches: value.trim().split(/[\s,]+/).filter(Boolean) });
    else this.chosen.change({ [dataset.field]: parseFloat(value) });
  }
}

export const stepEditor = (place) => new StepEditor(place);
