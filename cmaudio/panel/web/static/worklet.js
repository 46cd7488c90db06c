// A small jitter buffer: waits for a little sound, fades over gaps, and drops what is too old.

const READY_SECONDS = 0.06;
const MAX_SECONDS = 0.25;
const FADE = 1 / 128; // per sample
const REPORT_EVERY = 100; // render quanta

class JitterBuffer extends AudioWorkletProcessor {
  constructor({ processorOptions: { sides } }) {
    super();
    Object.assign(this, { sides, rings: [], last: [0, 0], written: 0, read: 0, gain: 0, dry: -1, heard: 0, quanta: 0 });
    for (let side = 0; side < sides; side++) this.rings.push(new Float32Array(sampleRate));
    this.filling = true;
    this.port.onmessage = ({ data }) => this.take(new Int16Array(data));
  }

  take(samples) { // sides interleaved
    for (let i = 0; i < samples.length; i += this.sides) {
      const at = this.written++ % sampleRate;
      this.rings.forEach((ring, side) => { ring[at] = samples[i + side] / 32768; });
    }
    if (this.written - this.read > MAX_SECONDS * sampleRate) this.read = this.written - Math.round(READY_SECONDS * sampleRate);
  }

  process(_inputs, [channels]) {
    const ready = this.written - this.read;
    if (this.filling && ready >= READY_SECONDS * sampleRate) this.filling = false;
    for (let i = 0; i < channels[0].length; i++) {
      if (!this.filling && this.read === this.written) { this.filling = true; this.dry++; }
      this.gain = Math.max(0, Math.min(1, this.gain + (this.filling ? -FADE : FADE)));
      if (!this.filling) {
        const at = this.read++ % sampleRate;
        this.rings.forEach((ring, side) => { this.last[side] = ring[at]; });
      }
      if ((this.last[0] || this.last[1]) && this.gain) this.heard++;
      channels.forEach((channel, side) => { channel[i] = this.gain * this.last[Math.min(side, this.sides - 1)]; });
    }
    if (++this.quanta % REPORT_EVERY === 0)
      this.port.postMessage({ buffered_ms: (1000 * (this.written - this.read)) / sampleRate, dry: Math.max(0, this.dry), heard: this.heard });
    return true;
  }
}

registerProcessor("cm-jitter-buffer", JitterBuffer);
