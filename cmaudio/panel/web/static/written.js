// How the value of a control is written: times of the envelope, which are stored in octaves, as multiples of the recorded.
const OCTAVES = "octaves of time";

function times(factor) {
  return `× ${factor < 10 ? factor.toPrecision(2) : factor.toFixed(0)}`;
}

// Without its unit, with as many digits as a range of this span needs.
export function written(value, unit, span) {
  if (unit === OCTAVES) return times(2 ** value);
  return value.toFixed(span > 100 ? 0 : span > 30 ? 1 : 2);
}

// The unit as it is read aloud; fractions are plain numbers.
export function spokenUnit(unit) {
  if (unit === OCTAVES) return "the recorded time";
  return unit.startsWith("of ") ? "" : unit;
}

export function spoken(value, unit, span) {
  return `${written(value, unit, span)} ${spokenUnit(unit)}`.trim();
}
