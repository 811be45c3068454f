/** How much memory a process and those it started take, from /proc; nothing where there is none. */
import { readdirSync, readFileSync } from "node:fs";

/** Looking costs the kernel a walk through all pages of a process: never more than this share of a processor's time. */
const SHARE = 0.01;
const LEAST_MS = 200;

/** Watches a process and its descendants until it is stopped. */
export class MemoryWatch {
  readonly #root: number;
  #timer: NodeJS.Timeout | undefined;
  #peak = 0;

  constructor(pid: number) {
    this.#root = pid;
    this.#watch();
  }

  #watch(): void {
    const begin = performance.now();
    this.#sample();
    const took = performance.now() - begin;
    this.#timer = setTimeout(() => this.#watch(), Math.max(LEAST_MS, took / SHARE));
  }

  /**
   * The most that all of them took together, in MB (10^6 bytes). A page that several share, as the code of Node itself,
   * counts once ("proportional set size"). Undefined where there is no /proc.
   */
  stop(): number | undefined {
    clearTimeout(this.#timer);
    this.#sample();
    return this.#peak === 0 ? undefined : (this.#peak * 1024) / 1e6;
  }

  #sample(): void {
    const together = family(this.#root).reduce((sum, pid) => sum + proportional(pid), 0);
    this.#peak = Math.max(this.#peak, together);
  }
}

/** The process and all below it. */
function family(root: number): number[] {
  const parents = new Map(processIds().map((pid) => [pid, parentOf(pid)]));
  const isBelow = (pid: number | undefined): boolean =>
    pid !== undefined && pid !== 0 && (pid === root || isBelow(parents.get(pid)));
  return [...parents.keys()].filter(isBelow);
}

function processIds(): number[] {
  try {
    return readdirSync("/proc").map(Number).filter(Number.isInteger);
  } catch {
    return [];
  }
}

function parentOf(pid: number): number | undefined {
  const parent = /^PPid:\s+(\d+)/m.exec(read(`/proc/${pid}/status`) ?? "")?.[1];
  return parent === undefined ? undefined : Number(parent);
}

/** KiB; 0 for a process that has ended. */
function proportional(pid: number): number {
  return Number(/^Pss: +(\d+)/m.exec(read(`/proc/${pid}/smaps_rollup`) ?? "")?.[1] ?? 0);
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}
