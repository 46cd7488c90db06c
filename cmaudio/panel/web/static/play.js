// <cm-play file="...">: plays a sound file of the takes folder, one at a time.

const player = new Audio();
let playing = null;

function stop() {
  player.pause();
  playing?.classList.remove("on");
  playing = null;
}

player.addEventListener("ended", stop);
player.addEventListener("error", stop);

class Play extends HTMLElement {
  connectedCallback() {
    if (this.button) return;
    this.innerHTML = "<button></button>";
    this.button = this.firstChild;
    this.button.setAttribute("aria-label", `play ${this.getAttribute("file")}`);
    this.button.addEventListener("click", () => {
      const again = playing === this;
      stop();
      if (again) return;
      playing = this;
      this.classList.add("on");
      player.src = `/files/${encodeURIComponent(this.getAttribute("file"))}`;
      player.play().catch(stop);
    });
  }
}

customElements.define("cm-play", Play);
