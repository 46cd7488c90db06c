// Ctrl-Z undoes and Ctrl-Shift-Z (or Ctrl-Y) redoes the last change of the sound; text fields keep their own undo.
import { send } from "./live.js";

addEventListener("keydown", (event) => {
  if (!(event.ctrlKey || event.metaKey) || event.altKey) return;
  if (event.target.closest?.('textarea, [contenteditable], input:not([type="range"], [readonly])')) return;
  const key = event.key.toLowerCase();
  const kind = key === "z" ? (event.shiftKey ? "redo" : "undo") : key === "y" && !event.shiftKey ? "redo" : null;
  if (!kind) return;
  event.preventDefault();
  send(kind);
});
