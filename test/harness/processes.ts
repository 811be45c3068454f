/** What the kernel says of processes (Linux). */
import { readdirSync, readFileSync } from "node:fs";

/** The processes that a process has started and that have not ended. */
export function childrenOf(parent: number): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && field(Number(name), "PPid") === parent)
    .map(Number);
}

/** Whether a process has not ended: neither gone, nor waiting for its parent to take notice. */
export function isRunning(pid: number): boolean {
  const state = /^State:\t(\w)/m.exec(statusOf(pid))?.[1];
  return state !== undefined && state !== "Z";
}

/** The most memory that a process has held, in KiB; 0 when it has ended. */
export function peakMemoryOf(pid: number): number {
  return field(pid, "VmHWM") ?? 0;
}

function field(pid: number, name: string): number | undefined {
  const value = new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(statusOf(pid))?.[1];
  return value === undefined ? undefined : Number(value);
}

function statusOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/status`, "utf8");
  } catch {
    return "";
  }
}
