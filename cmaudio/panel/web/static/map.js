// <cm-map>: the named timbres on a plane. Dragging morphs the sound to the mix at that place.
import { Echo } from "./echo.js";
import { listen, live, send, throttled } from "./live.js";

const MARGIN = 22;
const LABEL_FONT = '12px system-ui, sans-serif';
const NEAR_PIXELS = 16;
const MOST_NAMED = 5;
const OF_TEXTURES = { "one-shots": "hsl(29 76% 64%)", rhythms: "hsl(90 54% 62%)", beds: "hsl(219 81% 69%)" };

class TimbreMap extends HTMLElement {
  connectedCallback() {
    if (this.canvas) return;
    this.canvas = this.appendChild(document.createElement("canvas"));
    this.context = this.canvas.getContext("2d");
    Object.assign(this, { timbres: [], varied: [], at: [0, 0], mix: {}, hovered: null, dragging: false });
    this.setAttribute("tabindex", "0");
    this.setAttribute("role", "application");
    this.setAttribute("aria-label", "timbre map: drag to morph, arrow keys to move");
    this.echoes = [new Echo(), new Echo()]; // of x and y
    this.goTo = throttled((x, y) => send("place", { x, y }));
    this.bind();
    new ResizeObserver(() => this.resize()).observe(this);
    listen("hello", (hello) => { this.timbres = coloured(hello.map); this.glow = null; this.redraw(); });
    listen("state", (state) => this.follow(state));
  }

  bind() {
    this.addEventListener("pointerdown", (event) => {
      this.setPointerCapture(event.pointerId);
      this.dragging = true;
      this.pointer = null;
      this.moveTo(event);
    });
    this.addEventListener("pointermove", (event) => (this.dragging ? this.moveTo(event) : this.hover(event)));
    for (const kind of ["pointerup", "pointercancel", "lostpointercapture"])
      this.addEventListener(kind, () => { this.dragging = false; });
    this.addEventListener("pointerleave", () => { this.hovered = this.pointer = null; this.redraw(); });
    this.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
      if (!step) return;
      event.preventDefault();
      const size = event.shiftKey ? 0.1 : 0.02;
      this.set(this.at[0] + step[0] * size, this.at[1] + step[1] * size);
    });
  }

  moveTo(event) {
    const box = this.getBoundingClientRect();
    const near = this.nearest(event);
    if (near) return this.set(near.x, near.y); // a name under the pointer is reached exactly
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    this.set((2 * (x - MARGIN)) / (box.width - 2 * MARGIN) - 1, 1 - (2 * (y - MARGIN)) / (box.height - 2 * MARGIN));
  }

  set(x, y) {
    const to = [x, y].map((value) => Math.max(-1, Math.min(1, value)));
    to.forEach((value, axis) => this.echoes[axis].set(value, this.at[axis]));
    this.at = to;
    this.goTo(...this.at);
    this.redraw();
  }

  hover(event) {
    const box = this.getBoundingClientRect();
    this.pointer = [event.clientX - box.left, event.clientY - box.top];
    this.hovered = this.nearest(event, 2 * NEAR_PIXELS);
    this.redraw();
  }

  nearest(event, within = NEAR_PIXELS / 2) {
    const box = this.getBoundingClientRect();
    const distance = (t) => Math.hypot(this.px(t.x) - (event.clientX - box.left), this.py(t.y) - (event.clientY - box.top));
    let found = null;
    for (const timbre of this.timbres) if (distance(timbre) < within) { found = timbre; within = distance(timbre); }
    return found;
  }

  follow({ controls, timbre, variations }) {
    if (variations) this.varied = variations.files;
    if (timbre !== undefined) this.mix = timbre ?? {};
    const moved = [controls.timbre_x, controls.timbre_y];
    moved.forEach((value, axis) => {
      if (!value || this.echoes[axis].isOld(...value) || (this.dragging && value[1] === live.client)) return;
      this.at[axis] = value[0];
    });
    if (timbre !== undefined || variations || moved.some(Boolean)) this.redraw();
  }

  px(x) { return MARGIN + ((x + 1) / 2) * (this.clientWidth - 2 * MARGIN); }
  py(y) { return MARGIN + ((1 - y) / 2) * (this.clientHeight - 2 * MARGIN); }

  resize() {
    const scale = devicePixelRatio;
    this.canvas.width = this.clientWidth * scale;
    this.canvas.height = this.clientHeight * scale;
    this.context.setTransform(scale, 0, 0, scale, 0, 0);
    this.glow = null;
    this.redraw();
  }

  redraw() {
    if (this.drawing) return;
    this.drawing = requestAnimationFrame(() => { this.drawing = null; this.draw(); });
  }

  draw() {
    const { context, clientWidth: width, clientHeight: height } = this;
    context.clearRect(0, 0, width, height);
    this.glow ??= this.drawGlows();
    if (width && height) context.drawImage(this.glow, 0, 0, width, height);
    const [x, y] = [this.px(this.at[0]), this.py(this.at[1])];
    const mixed = this.timbres.filter((t) => this.mix[t.name] > 0);
    for (const t of mixed) {
      context.strokeStyle = `rgba(255, 255, 255, ${0.15 + 0.7 * this.mix[t.name]})`;
      context.lineWidth = 1 + 2.5 * this.mix[t.name];
      context.beginPath();
      context.moveTo(x, y);
      context.lineTo(this.px(t.x), this.py(t.y));
      context.stroke();
    }
    for (const t of mixed) drawDot(context, this.px(t.x), this.py(t.y), 5.5, t.colour);
    for (const { x: vx, y: vy } of this.varied) drawRing(context, this.px(vx), this.py(vy));
    this.legend();
    this.labels(mixed);
    drawPlace(context, x, y);
  }

  // Many, and always the same: drawn once per size.
  drawGlows() {
    const glow = new OffscreenCanvas(Math.max(1, this.clientWidth), Math.max(1, this.clientHeight));
    const context = glow.getContext("2d");
    for (const t of this.timbres) drawGlow(context, this.px(t.x), this.py(t.y), t.colour, this.clientWidth / 9);
    for (const t of this.timbres) drawDot(context, this.px(t.x), this.py(t.y), 3.2, t.colour);
    return glow;
  }

  // Labels that would overlap are left out, except those that sound and the one under the pointer. Those near the pointer,
  // or near the sound, come first, so that every name is shown by going there.
  labels(mixed) {
    const { context } = this;
    context.font = LABEL_FONT;
    context.textBaseline = "middle";
    const first = [...(this.hovered ? [this.hovered] : []), ...mixed];
    const taken = [[this.px(this.at[0]) - 12, this.py(this.at[1]) - 12, 24, 24]];
    const strong = []; // these may cover dots and other names, but not each other
    for (const t of this.timbres) taken.push([this.px(t.x) - 3, this.py(t.y) - 3, 6, 6]);
    if (this.legendWidth) taken.push([0, this.clientHeight - 22, this.legendWidth, 22]);
    for (const t of [...first, ...this.byNearness().filter((other) => !first.includes(other))]) {
      const important = first.includes(t);
      const wide = context.measureText(t.name).width;
      const spots = this.spots(t, wide).filter(([left]) => left >= 2 && left + wide <= this.clientWidth - 2);
      const free = spots.find((spot) => !taken.some((box) => overlap(box, [spot[0] - 2, spot[1] - 7, wide + 4, 14])));
      const spot = free ?? (important ? apart(spots, strong, wide) : null);
      if (!spot) continue;
      if (important) strong.push([spot[0] - 3, spot[1] - 8, wide + 6, 16]);
      taken.push([spot[0] - 2, spot[1] - 7, wide + 4, 14]);
      if (important) {
        context.fillStyle = "rgba(10, 13, 18, 0.8)";
        context.fillRect(spot[0] - 3, spot[1] - 8, wide + 6, 16);
      }
      context.fillStyle = important ? "#fff" : "rgba(200, 210, 222, 0.62)";
      context.fillText(t.name, spot[0], spot[1]);
    }
  }

  // Few families are named; many would hide what they name.
  legend() {
    const families = new Map(this.timbres.filter((t) => t.family).map((t) => [t.family, t.colour]));
    this.legendWidth = 0;
    if (families.size < 2 || families.size > MOST_NAMED) return;
    let x = 10;
    this.context.font = LABEL_FONT;
    this.context.textBaseline = "middle";
    for (const [family, colour] of families) {
      drawDot(this.context, x + 4, this.clientHeight - 12, 4, colour);
      this.context.fillStyle = "rgba(200, 210, 222, 0.9)";
      this.context.fillText(family, x + 12, this.clientHeight - 12);
      x += this.context.measureText(family).width + 26;
    }
    this.legendWidth = x;
  }

  byNearness() {
    const [x, y] = this.pointer ?? [this.px(this.at[0]), this.py(this.at[1])];
    const distance = (t) => Math.hypot(this.px(t.x) - x, this.py(t.y) - y);
    return [...this.timbres].sort((a, b) => distance(a) - distance(b));
  }

  spots(t, wide) {
    const [x, y] = [this.px(t.x), this.py(t.y)];
    const [left, middle, right] = [x - 7 - wide, x - wide / 2, x + 7];
    return [[right, y], [left, y], [middle, y - 12], [middle, y + 12], [right, y - 8], [right, y + 8], [left, y - 8], [left, y + 8]];
  }
}

function coloured(timbres) {
  const families = [...new Set(timbres.map((t) => t.family))];
  const hue = (family) => (families.indexOf(family) * 360) / families.length;
  return timbres.map((t) => ({ ...t, colour: OF_TEXTURES[t.family] ?? `hsl(${hue(t.family)} 75% ${families.indexOf(t.family) % 2 ? 72 : 60}%)` }));
}

function drawGlow(context, x, y, colour, radius) {
  const glow = context.createRadialGradient(x, y, 0, x, y, radius);
  glow.addColorStop(0, colour.replace(")", " / 0.13)"));
  glow.addColorStop(1, colour.replace(")", " / 0)"));
  context.fillStyle = glow;
  context.fillRect(x - radius, y - radius, 2 * radius, 2 * radius);
}

function drawDot(context, x, y, radius, colour) {
  context.fillStyle = colour;
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  context.fill();
}

function drawRing(context, x, y) {
  context.lineWidth = 1.5;
  context.strokeStyle = "rgba(79, 195, 217, 0.9)";
  context.beginPath();
  context.arc(x, y, 6, 0, 2 * Math.PI);
  context.stroke();
}

function drawPlace(context, x, y) {
  context.lineWidth = 2.5;
  context.strokeStyle = "#ffb454";
  context.fillStyle = "rgba(255, 180, 84, 0.25)";
  context.beginPath();
  context.arc(x, y, 10, 0, 2 * Math.PI);
  context.fill();
  context.stroke();
}

// The spot, or one above or below, that overlaps none of the boxes.
function apart(spots, boxes, wide) {
  const further = [0, -18, 18, -36, 36].flatMap((down) => spots.map(([x, y]) => [x, y + down]));
  return further.find(([x, y]) => !boxes.some((box) => overlap(box, [x - 3, y - 8, wide + 6, 16]))) ?? spots[0];
}

function overlap([ax, ay, aw, ah], [bx, by, bw, bh]) {
  return ax < bx + bw && bx < ax + aw && ay < by + bh && by < ay + ah;
}

customElements.define("cm-map", TimbreMap);
