// <cm-listen>: plays the sound in this page, which browsers allow only after a click.
import { listen, live, url } from "./live.js";

const AHEAD_SECONDS = 0.08;
const RETRY_MS = 500;

class Listen extends HTMLElement {
  connectedCallback() {
    if (this.button) return;
    this.innerHTML = "<button></button>";
    this.button = this.firstChild;
    this.button.addEventListener("click", () => (this.context ? this.stop() : this.begin()));
    this.paint("press to listen");
    listen("state", ({ device }) => {
      if (device === undefined) return;
      this.hidden = device !== live.hello.page_device; // another output plays
      if (this.hidden && this.context) this.stop();
    });
  }

  paint(text, title = "browsers play sound only after a click") {
    this.button.textContent = text;
    this.button.title = title;
    this.classList.toggle("on", Boolean(this.context));
  }

  begin() {
    this.context = new AudioContext({ latencyHint: "interactive" });
    this.connect();
    this.paint("listening");
  }

  // A connection that is lost comes back, as that of the state does.
  connect() {
    this.socket = new WebSocket(url("/listen"));
    this.socket.binaryType = "arraybuffer";
    this.socket.onmessage = ({ data }) => (typeof data === "string" ? this.prepare(JSON.parse(data)) : this.play?.(data));
    this.socket.onclose = () => setTimeout(() => this.context && this.connect(), RETRY_MS);
  }

  async prepare({ sample_rate: rate, channels: sides }) {
    if (this.context.sampleRate !== rate) {
      this.context.close();
      this.context = new AudioContext({ sampleRate: rate, latencyHint: "interactive" });
    }
    this.context.resume();
    // Browsers have worklets only for pages of this machine or over TLS; elsewhere each packet is scheduled.
    this.play = this.context.audioWorklet ? await this.worklet(sides) : this.scheduler(rate, sides);
  }

  async worklet(sides) {
    await this.context.audioWorklet.addModule(new URL("worklet.js", import.meta.url));
    this.node?.disconnect();
    const node = this.node = new AudioWorkletNode(this.context, "cm-jitter-buffer", { outputChannelCount: [2], processorOptions: { sides } });
    node.connect(this.context.destination);
    node.port.onmessage = ({ data }) => {
      this.dataset.heard = data.heard;
      this.paint("listening", `${Math.round(data.buffered_ms)} ms buffered, ${data.dry} underruns; click to stop`);
    };
    return (packet) => node.port.postMessage(packet, [packet]);
  }

  scheduler(rate, sides) {
    let next = 0;
    return (packet) => {
      const samples = Float32Array.from(new Int16Array(packet), (value) => value / 32768);
      const buffer = this.context.createBuffer(sides, samples.length / sides, rate);
      for (let side = 0; side < sides; side++) buffer.copyToChannel(samples.filter((_, i) => i % sides === side), side);
      const source = new AudioBufferSourceNode(this.context, { buffer });
      source.connect(this.context.destination);
      const now = this.context.currentTime;
      if (next < now || next > now + 4 * AHEAD_SECONDS) next = now + AHEAD_SECONDS;
      source.start(next);
      next += buffer.duration;
    };
  }

  stop() {
    const { socket, context } = this;
    Object.assign(this, { socket: null, context: null, play: null, node: null });
    socket?.close();
    context?.close();
    this.paint("press to listen");
  }
}

customElements.define("cm-listen", Listen);
