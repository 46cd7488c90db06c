// <cm-browse>: presets and timbres in one list, searched by name, description and tag. One that the mouse rests on, or
// that is focused, is heard quietly; a click or Enter chooses it, and Enter after a search the first.
import { live, send } from "./live.js";

const REST_MS = 250;
const MOST = 120; // rows

const words = (text) => text.toLowerCase().split(/\s+/).filter(Boolean);

function sounds() {
  const favourites = live.state.favourites ?? {};
  const presets = (live.state.presets ?? []).map((each) => ({ ...each, what: "preset" }));
  const timbres = (live.hello?.map ?? []).map(({ name, family }) => ({ name, description: "", tags: [family].filter(Boolean), what: "timbre" }));
  return [...presets, ...timbres].map((each) => ({ ...each, star: favourites[each.what]?.includes(each.name) }))
    .sort((a, b) => b.star - a.star || (a.what > b.what) - (a.what < b.what) || a.name.localeCompare(b.name));
}

// A sound that this model lacks may be one of another.
function nothingFound() {
  const { model, other_models: others } = live.hello;
  return [`no matches in ${model}`, ...(others.length ? [`other models: ${others.join(", ")}`] : [])].join("; ");
}

class Browse extends HTMLElement {
  connectedCallback() {
    if (this.list) return;
    this.innerHTML = `<input type="search" placeholder="warm pad, bells, rain …" aria-label="search presets and timbres">
      <div class="found" role="status"></div><div class="list" role="list"></div>`;
    [this.search, this.found, this.list] = this.children;
    this.search.addEventListener("input", () => this.show());
    this.list.addEventListener("pointerover", (event) => this.rest(event.target.closest("button")));
    this.list.addEventListener("pointerleave", () => this.rest(null));
    this.list.addEventListener("focusin", (event) => this.rest(event.target.closest("button")));
    this.list.addEventListener("focusout", () => this.rest(null));
    this.addEventListener("keydown", (event) => this.move(event));
    this.show();
    requestAnimationFrame(() => this.search.focus());
  }

  disconnectedCallback() { this.rest(null); }

  show() {
    const wanted = words(this.search.value);
    const all = sounds();
    const hits = all.filter(({ name, description, tags, what }) => {
      const text = [name, description, what, ...tags].join(" ").toLowerCase();
      return wanted.every((word) => text.includes(word));
    });
    this.found.textContent = hits.length ? `${hits.length} of ${all.length}` : nothingFound();
    this.list.replaceChildren(...hits.slice(0, MOST).map((each) => this.row(each)));
  }

  row({ name, description, tags, what, star }) {
    const item = document.createElement("div");
    item.setAttribute("role", "listitem");
    const button = item.appendChild(document.createElement("button"));
    Object.assign(button.dataset, { what, name });
    button.appendChild(document.createElement("b")).textContent = `${star ? "★ " : ""}${name}`;
    button.appendChild(document.createElement("small")).textContent = [what, ...tags].join(" · ");
    if (description) button.appendChild(document.createElement("span")).textContent = description;
    button.addEventListener("click", () => {
      this.rest(null);
      send(what, { name });
      this.dispatchEvent(new CustomEvent("chosen"));
    });
    return item;
  }

  // Hears a sound once the mouse or the focus rests on it; what was heard ends.
  rest(button) {
    const key = button && `${button.dataset.what} ${button.dataset.name}`;
    if (key === this.rests) return;
    this.rests = key;
    clearTimeout(this.waiting);
    if (this.heard) { this.heard = false; send("audition", { name: null }); }
    if (!button) return;
    this.waiting = setTimeout(() => {
      this.heard = true;
      send("audition", { what: button.dataset.what, name: button.dataset.name });
    }, REST_MS);
  }

  move(event) {
    if (event.key === "Enter" && event.target === this.search && this.search.value.trim()) {
      event.preventDefault();
      this.list.querySelector("button")?.click();
    }
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    event.stopPropagation();
    const rows = [...this.list.querySelectorAll("button")];
    const next = rows.indexOf(document.activeElement) + step;
    (rows[next] ?? (next < 0 ? this.search : null))?.focus();
  }
}

customElements.define("cm-browse", Browse);
