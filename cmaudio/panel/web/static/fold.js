// On small screens the parts of the page fold away by their titles.
const small = matchMedia("(max-width: 600px)");

function toggle(title) {
  const folded = title.closest("section").classList.toggle("folded");
  title.setAttribute("aria-expanded", !folded);
}

function prepare() {
  for (const title of document.querySelectorAll(".panel section > h2 > *")) {
    if (small.matches) {
      title.tabIndex = 0;
      title.setAttribute("role", "button");
      title.setAttribute("aria-expanded", !title.closest("section").classList.contains("folded"));
    } else {
      for (const name of ["tabindex", "role", "aria-expanded"]) title.removeAttribute(name);
    }
  }
}

const titleOf = (event) => (small.matches ? event.target.closest?.(".panel section > h2 > *") : null);
addEventListener("click", (event) => titleOf(event) && toggle(titleOf(event)));
addEventListener("keydown", (event) => {
  if (!titleOf(event) || !["Enter", " "].includes(event.key)) return;
  event.preventDefault();
  toggle(titleOf(event));
});
small.addEventListener("change", prepare);
customElements.whenDefined("cm-load").then(() => requestAnimationFrame(prepare));
