// <cm-fold>: at the end of the page, folds its parts away by their titles, as they were left: groups on every screen, whole
// sections on small ones.
const small = matchMedia("(max-width: 600px)");
const TALL = matchMedia("(min-height: 1000px)");
const TITLES = ".panel section > h2 > *";

const key = (name) => `cm-fold-${name}`;
const read = (name) => localStorage.getItem(key(name));
const keep = (name, open) => localStorage.setItem(key(name), open ? "open" : "folded");

// -- groups ----------------------------------------------------------------------------------------------------------------

function isOpenAtFirst({ dataset: { opened } }) {
  return opened === "" || (opened === "tall" && TALL.matches);
}

function prepareGroups() {
  for (const group of document.querySelectorAll("details[data-fold]")) {
    const kept = read(group.dataset.fold);
    group.open = kept ? kept === "open" : isOpenAtFirst(group);
  }
}

// A press, and not whatever else unfolds it, is remembered, and shows what it unfolded.
addEventListener("click", ({ target }) => {
  const group = target.closest?.("summary")?.closest("details[data-fold]");
  if (!group) return;
  keep(group.dataset.fold, !group.open);
  if (!group.open) requestAnimationFrame(() => group.scrollIntoView({ block: "nearest" })); // it is open by then
});

// -- sections --------------------------------------------------------------------------------------------------------------

const sectionOf = (title) => title.closest("section");

function toggle(title) {
  const folded = sectionOf(title).classList.toggle("folded");
  title.setAttribute("aria-expanded", !folded);
  keep(sectionOf(title).classList[0], !folded);
}

function prepareSections() {
  for (const title of document.querySelectorAll(TITLES)) {
    if (small.matches) {
      sectionOf(title).classList.toggle("folded", read(sectionOf(title).classList[0]) === "folded");
      title.tabIndex = 0;
      title.setAttribute("role", "button");
      title.setAttribute("aria-expanded", !sectionOf(title).classList.contains("folded"));
    } else {
      for (const name of ["tabindex", "role", "aria-expanded"]) title.removeAttribute(name);
    }
  }
}

const titleOf = (event) => (small.matches ? event.target.closest?.(TITLES) : null);
addEventListener("click", (event) => titleOf(event) && toggle(titleOf(event)));
addEventListener("keydown", (event) => {
  if (!titleOf(event) || !["Enter", " "].includes(event.key)) return;
  event.preventDefault();
  toggle(titleOf(event));
});
small.addEventListener("change", prepareSections);

// It is connected when all before it is.
class Fold extends HTMLElement {
  connectedCallback() {
    prepareGroups();
    prepareSections();
  }
}

customElements.define("cm-fold", Fold);
