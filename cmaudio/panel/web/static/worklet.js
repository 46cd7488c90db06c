// A small jitter buffer: waits for a little sound, fades over gaps, and drops what is too old.

const READY_SECONDS = 0.06;
const MAX_SECONDS = 0.25;
const FADE = 1 / 128; // per sample
const REPORT_EVERY = 100; // render quanta

class JitterBuffer extends AudioWorkletProcessor {
  constructor() {
    super();
    Object.assign(this, { ring: new Float32Array(sampleRate), written: 0, read: 0, gain: 0, last: 0, dry: -1, heard: 0, quanta: 0 });
    this.filling = true;
    this.port.onmessage = ({ data }) => this.take(new Int16Array(data));
  }

  take(samples) {
    for (const sample of samples) this.ring[this.written++ % this.ring.length] = sample / 32768;
    if (this.written - this.read > MAX_SECONDS * sampleRate) this.read = this.written - Math.round(READY_SECONDS * sampleRate);
  }

  process(_inputs, [channels]) {
    const ready = this.written - this.read;
    if (this.filling && ready >= READY_SECONDS * sampleRate) this.filling = false;
    for (let i = 0; i < channels[0].length; i++) {
      if (!this.filling && this.read === this.written) { this.filling = true; this.dry++; }
      this.gain = Math.max(0, Math.min(1, this.gain + (this.filling ? -FADE : FADE)));
      if (!this.filling) this.last = this.ring[this.read++ % this.ring.length];
      const sample = this.last * this.gain;
      if (sample) this.heard++;
      for (const channel of channels) channel[i] = sample;
    }
    if (++this.quanta % REPORT_EVERY === 0)
      this.port.postMessage({ buffered_ms: (1000 * (this.written - this.read)) / sampleRate, dry: Math.max(0, this.dry), heard: this.heard });
    return true;
  }
}

registerProcessor("cm-jitter-buffer", JitterBuffer);
