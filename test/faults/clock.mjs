// Loaded into the host before anything else (node --import): its wall clock is off by what the file CLOCK_OFFSET_FILE
// says, in milliseconds. performance.now and timers continue as they do when somebody sets the clock of a machine.
import { readFileSync } from "node:fs";

const file = process.env.CLOCK_OFFSET_FILE;
const RealDate = Date;

function now() {
  let offset = 0;
  try {
    offset = Number(readFileSync(file, "utf8"));
  } catch {
    // Not set yet.
  }
  return RealDate.now() + (Number.isFinite(offset) ? offset : 0);
}

globalThis.Date = class Date extends RealDate {
  constructor(...args) {
    super(...(args.length === 0 ? [now()] : args));
  }

  static now() {
    return now();
  }
};
