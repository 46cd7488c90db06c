// The song: patterns in order, each for some rounds. A part that is pressed can be moved, repeated and removed.
import { live, send } from "./live.js";

const ROUNDS = 16;

const BAR = `
  <button class="play-song" type="button" title="play the song from its first part">play song</button>
  <button class="loop" type="button" title="start over after the last part">loop</button>
  <span class="parts" role="group" aria-label="parts of the song"></span>
  <button class="add-part" type="button" title="add this pattern at the end of the song"></button>
  <span class="part-actions" role="group" aria-label="the chosen part" hidden>
    <label>rounds <select class="rounds">${Array.from({ length: ROUNDS }, (_, i) => `<option>${i + 1}</option>`).join("")}</select></label>
    <button class="earlier" type="button" aria-label="earlier" title="earlier">◀</button>
    <button class="later" type="button" aria-label="later" title="later">▶</button>
    <button class="drop-part" type="button" aria-label="remove the part" title="remove the part">×</button>
  </span>
  <span class="song-exports">export ${["mid MIDI", "py Python"].map((each) => each.split(" ")).map(([format, text]) =>
    `<button class="song-${format}" type="button" title="the song as a ${text} file" aria-label="${text}: the song">${text}</button>`).join("")}</span>`;

class Song {
  constructor(place) {
    this.place = place;
    place.innerHTML = BAR;
    Object.assign(this, { chosen: null, song: { parts: [] } });
    this.parts = this.find(".parts");
    this.on(".play-song", () => send("sequencer", { action: live.state.sequencer.plays_song ? "stop" : "play_song" }));
    this.on(".loop", () => send("loop_song", { on: !this.song.loop }));
    this.on(".add-part", () => send("add_part", { pattern: live.state.sequencer.pattern.name }));
    for (const action of ["earlier", "later"]) this.on(`.${action}`, () => this.change("part", { action }));
    this.on(".drop-part", () => this.change("part", { action: "remove" }));
    for (const format of ["mid", "py"]) this.on(`.song-${format}`, () => send("export", { format, song: true }));
    this.find(".rounds").addEventListener("change", ({ target }) => this.change("part_rounds", { rounds: parseInt(target.value) }));
    this.parts.addEventListener("click", ({ target }) => {
      const index = parseInt(target.closest(".part")?.dataset.index);
      if (!Number.isNaN(index)) this.choose(index === this.chosen ? null : index);
    });
  }

  find(selector) { return this.place.querySelector(selector); }
  on(selector, act) { this.find(selector).addEventListener("click", act); }

  // The part that is named is that of the page: the instrument refuses what meant another.
  change(kind, fields) {
    const { pattern } = this.song.parts[this.chosen];
    send(kind, { ...fields, index: this.chosen, pattern });
    this.chosen += { earlier: -1, later: 1 }[fields.action] ?? 0;
    if (fields.action === "remove") this.chosen = null;
    this.chosen = this.chosen === null ? null : Math.max(0, Math.min(this.song.parts.length - 1, this.chosen));
  }

  show({ song, plays_song: plays, pattern }) {
    this.song = song;
    if (this.chosen !== null && this.chosen >= song.parts.length) this.chosen = null;
    const focused = this.parts.contains(document.activeElement) ? document.activeElement.dataset.index : null;
    this.parts.replaceChildren(...song.parts.map((part, index) => this.part(part, index)));
    if (focused !== null) this.parts.children[focused]?.focus({ preventScroll: true });
    this.find(".play-song").textContent = plays ? "stop song" : "play song";
    this.find(".play-song").setAttribute("aria-pressed", plays);
    this.find(".play-song").disabled = !song.parts.length && !plays;
    this.find(".loop").setAttribute("aria-pressed", song.loop);
    this.find(".add-part").textContent = `+ ${pattern.name}`;
    this.find(".song-exports").hidden = this.find(".loop").hidden = !song.parts.length;
    this.mark(this.at ?? null);
    this.choose(this.chosen);
  }

  part({ pattern, rounds }, index) {
    const found = document.createElement("button");
    Object.assign(found, { type: "button", className: "part", textContent: rounds > 1 ? `${pattern} ×${rounds}` : pattern });
    found.dataset.index = index;
    found.setAttribute("aria-label", `part ${index + 1}: ${pattern}, ${rounds === 1 ? "1 round" : `${rounds} rounds`}`);
    return found;
  }

  choose(index) {
    this.chosen = index;
    [...this.parts.children].forEach((part, at) => part.setAttribute("aria-pressed", at === index));
    this.find(".part-actions").hidden = index === null;
    if (index === null) return;
    this.find(".rounds").value = this.song.parts[index].rounds;
    this.find(".earlier").disabled = index === 0;
    this.find(".later").disabled = index === this.song.parts.length - 1;
  }

  mark(index) {
    this.at = index;
    [...this.parts.children].forEach((part, at) => part.classList.toggle("now", at === index));
  }
}

export const song = (place) => new Song(place);
