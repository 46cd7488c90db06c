// <cm-drop>: takes sound files, dropped anywhere on the page or chosen, and has the instrument learn them as timbres.
import { listen, live } from "./live.js";

const IDLE = "drop or choose a sound to learn";
const PATIENCE_MS = 20000;

class Drop extends HTMLElement {
  connectedCallback() {
    if (this.input) return;
    this.innerHTML = '<label><input type="file" accept="audio/*" multiple><span role="status"></span></label>';
    [this.input, this.text] = [this.querySelector("input"), this.querySelector("span")];
    this.input.setAttribute("aria-label", "sound files to learn as timbres");
    this.text.textContent = IDLE;
    this.input.addEventListener("change", () => this.take(this.input.files));
    const hasFiles = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
    for (const kind of ["dragover", "dragleave", "drop"])
      document.addEventListener(kind, (event) => {
        if (!hasFiles(event)) return;
        event.preventDefault();
        this.classList.toggle("over", kind === "dragover");
        if (kind === "drop") this.take(event.dataTransfer.files);
      });
    for (const kind of ["hello", "refused"]) listen(kind, () => this.say(IDLE)); // learned, or not
  }

  say(text, forMs = 0) {
    this.text.textContent = text;
    clearTimeout(this.timer);
    if (forMs) this.timer = setTimeout(() => this.say(IDLE), forMs);
  }

  async take(files) {
    for (const file of [...files]) {
      this.say(`learning ${file.name} …`, PATIENCE_MS);
      const query = new URLSearchParams({ client: live.client, name: file.name });
      try {
        const answer = await fetch(`/examples?${query}`, { method: "POST", body: file });
        if (!answer.ok) this.say(`${file.name}: ${(await answer.json()).detail}`, PATIENCE_MS);
      } catch {
        this.say(`${file.name} upload failed; try again`, PATIENCE_MS);
      }
    }
    this.input.value = "";
  }
}

customElements.define("cm-drop", Drop);
