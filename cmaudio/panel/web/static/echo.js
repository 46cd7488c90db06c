// A value that is set here comes back as state a little later. While newer ones are under way, what comes back is old: it
// must move neither what a hand drags on nor where the next press of a key starts from.
import { listen, live } from "./live.js";

const DIGITS = 1e-5; // to which the instrument rounds
const same = (a, b) => Math.abs(a - b) <= DIGITS * Math.max(1, Math.abs(a));

export class Echo {
  constructor() {
    this.sent = []; // and not come back yet
    for (const kind of ["hello", "refused"]) listen(kind, () => { this.sent = []; });
  }

  // A value is set; `shown` is what was there before.
  set(value, shown) {
    if (!this.sent.length) this.before = shown;
    this.sent.push(value);
  }

  // Whether state is older than what was set last. `who` has set it, where that is known.
  isOld(value, who = null) {
    if (!this.sent.length) return false;
    const others = who !== null && who !== live.client;
    const back = others ? -1 : this.sent.findLastIndex((each) => same(each, value));
    if (back < 0 && who === null && same(this.before, value)) return true;
    this.sent = back < 0 ? [] : this.sent.slice(back + 1);
    return this.sent.length > 0;
  }
}
