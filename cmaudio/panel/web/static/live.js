// The page's connection to the server: commands go down, state comes up.

const RETRY_MS = 500;
const client = document.querySelector('meta[name="cm-client"]').content;
const listeners = { hello: [], state: [], end: [], refused: [] };
let socket = null;

export const live = { client, hello: null, controls: {}, state: {} };

// listen("state", f) calls f(changes) now and at each change; "hello" once per connection; "end" when it is lost; "refused"
// when a command of this page was not carried out, after which all that is known comes again.
export function listen(kind, listener) {
  listeners[kind].push(listener);
  if (kind === "hello" && live.hello) listener(live.hello);
  if (kind === "state" && live.hello) listener({ ...live.state, controls: live.controls });
}

// What belongs to one drag, double click or held key is undone together.
const DOUBLE_MS = 300;
const GESTURES = ["set", "route", "place"];
let gesture = 0;
let pressedAt = -DOUBLE_MS;

addEventListener("pointerdown", (event) => {
  if (event.timeStamp - pressedAt >= DOUBLE_MS) gesture++;
  pressedAt = event.timeStamp;
}, true);
addEventListener("keydown", (event) => { if (!event.repeat) gesture++; }, true);

export function send(kind, fields = {}) {
  if (!socket || socket.readyState !== WebSocket.OPEN) return;
  socket.send(JSON.stringify({ kind, ...fields, ...(GESTURES.includes(kind) && { gesture: `${gesture}` }) }));
}

// Pointers move faster than can be heard: at most one move per frame is sent, and always the last one.
export function throttled(act) {
  let waiting = null;
  return (...values) => {
    if (waiting === null) requestAnimationFrame(() => { const last = waiting; waiting = null; act(...last); });
    waiting = values;
  };
}

export function url(path) {
  return `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}${path}`;
}

function notify(kind, message) {
  for (const listener of listeners[kind]) listener(message);
}

function receive(message) {
  if (message.kind === "hello") {
    live.hello = message;
    notify("hello", message);
  } else if (message.kind === "state") {
    const { kind, columns, controls = {}, ...rest } = message;
    Object.assign(live.controls, controls);
    Object.assign(live.state, rest);
    notify("state", { ...rest, columns, controls });
  } else if (message.kind === "refused") {
    notify("refused", message);
    notify("state", { ...live.state, controls: live.controls });
  }
}

function open() {
  socket = new WebSocket(url(`/live?client=${encodeURIComponent(client)}`));
  socket.onmessage = (event) => receive(JSON.parse(event.data));
  socket.onclose = () => { notify("end"); setTimeout(open, RETRY_MS); };
}

open();
