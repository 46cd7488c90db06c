// <cm-outline file="...">: the outline of a sound file, drawn once it is in sight. Rows of files are dragged out of the
// browser, where that can be (Chromium), as files for the desktop or another program.

const PARTS = 64;
const HIGHEST = 100;
const known = new Map(); // outlines, by name: lists are built again with every change

async function read(name) {
  if (!known.has(name)) {
    const answer = await fetch(`/outlines/${encodeURIComponent(name)}`);
    if (!answer.ok) return [];
    known.set(name, await answer.json());
  }
  return known.get(name);
}

class Outline extends HTMLElement {
  connectedCallback() {
    if (this.watcher) return;
    this.setAttribute("aria-hidden", "true");
    this.watcher = new IntersectionObserver(([{ isIntersecting }]) => isIntersecting && this.show());
    this.watcher.observe(this);
  }

  async show() {
    this.watcher.disconnect();
    const peaks = await read(this.getAttribute("file")).catch(() => []);
    const bars = peaks.map((peak, x) => `M${x + 0.5} ${HIGHEST}V${HIGHEST - Math.max(2, peak)}`).join("");
    this.innerHTML = `<svg viewBox="0 0 ${PARTS} ${HIGHEST}" preserveAspectRatio="none"><path d="${bars}"/></svg>`;
  }
}

customElements.define("cm-outline", Outline);

addEventListener("dragstart", ({ target, dataTransfer }) => {
  const link = target.closest?.(".file")?.querySelector("a.get");
  if (!link) return;
  dataTransfer.effectAllowed = "copy";
  dataTransfer.setData("DownloadURL", `audio/${link.download.split(".").pop()}:${link.download}:${link.href}`);
  dataTransfer.setData("text/uri-list", link.href);
});
