// The wire to the engine: what is sent down it are commands, what comes up is state. One for the whole page.

const RETRY_MS = 500;
const client = document.querySelector('meta[name="cm-client"]').content;
const listeners = { hello: [], state: [], end: [] };
let socket = null;

export const live = { client, hello: null, controls: {}, state: {} };

// `listen("state", f)` calls f(changes) now and at every change; "hello" once a connection; "end" when it is lost.
export function listen(kind, listener) {
  listeners[kind].push(listener);
  if (kind === "hello" && live.hello) listener(live.hello);
  if (kind === "state" && live.hello) listener({ ...live.state, controls: live.controls });
}

export function send(kind, fields = {}) {
  if (socket && socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify({ kind, ...fields }));
}

// Moves of a finger come faster than they can be heard: at most one a frame is sent, and the last one always.
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

function tell(kind, what) {
  for (const listener of listeners[kind]) listener(what);
}

function receive(message) {
  if (message.kind === "hello") {
    live.hello = message;
    tell("hello", message);
  } else if (message.kind === "state") {
    const { kind, columns, controls = {}, ...rest } = message;
    Object.assign(live.controls, controls);
    Object.assign(live.state, rest);
    tell("state", { ...rest, columns, controls });
  }
}

function open() {
  socket = new WebSocket(url(`/live?client=${encodeURIComponent(client)}`));
  socket.onmessage = (event) => receive(JSON.parse(event.data));
  socket.onclose = () => { tell("end"); setTimeout(open, RETRY_MS); };
}

open();
