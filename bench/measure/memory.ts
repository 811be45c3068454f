/** How much memory a process and those it started take, from /proc; nothing where there is none. */
import { readdirSync, readFileSync } from "node:fs";

const EVERY_MS = 100;

interface Sample {
  parent: number;
  /** KiB */
  resident: number;
  /** The most it ever was, KiB. */
  peak: number;
}

/** Watches a process and its descendants until it is stopped. */
export class MemoryWatch {
  readonly #root: number;
  readonly #timer: NodeJS.Timeout;
  readonly #peaks = new Map<number, number>();

  constructor(pid: number) {
    this.#root = pid;
    this.#sample();
    this.#timer = setInterval(() => this.#sample(), EVERY_MS);
  }

  /**
   * The sum of each process's own peak, in MiB: never less than the peak of the sum. Undefined where there is no /proc.
   */
  stop(): number | undefined {
    clearInterval(this.#timer);
    this.#sample();
    if (this.#peaks.size === 0) return undefined;
    return [...this.#peaks.values()].reduce((sum, peak) => sum + peak, 0) / 1024;
  }

  #sample(): void {
    const all = processes(this.#root);
    for (const [pid, { peak, resident }] of all) {
      this.#peaks.set(pid, Math.max(this.#peaks.get(pid) ?? 0, peak, resident));
    }
  }
}

/** The process and all below it. */
function processes(root: number): Map<number, Sample> {
  const samples = new Map<number, Sample>();
  for (const name of entries("/proc")) {
    const pid = Number(name);
    const sample = Number.isInteger(pid) ? read(pid) : undefined;
    if (sample) samples.set(pid, sample);
  }
  const isBelow = (pid: number): boolean => {
    if (pid === root) return true;
    const parent = samples.get(pid)?.parent;
    return parent !== undefined && parent !== 0 && isBelow(parent);
  };
  return new Map([...samples].filter(([pid]) => isBelow(pid)));
}

function read(pid: number): Sample | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/status`, "utf8");
    const value = (name: string): number =>
      Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(text)?.[1] ?? 0);
    return { parent: value("PPid"), resident: value("VmRSS"), peak: value("VmHWM") };
  } catch {
    return undefined;
  }
}

function entries(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
