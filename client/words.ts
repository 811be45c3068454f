import type { Run } from "./answers.ts";

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"];

/** A number of bytes: 12.3 MiB. */
export function bytes(count: number): string {
  let unit = 0;
  let value = count;
  while (value >= 1023.95 && unit < UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 ? Math.round(value) : value.toFixed(1)} ${UNITS[unit]}`;
}

/** A part of a number of bytes: 20.1 of 39.1 MiB, with one unit if both have the same. */
export function bytesOf(part: number, whole: number): string {
  const [some = "", unit] = bytes(part).split(" ");
  const all = bytes(whole);
  return all.endsWith(` ${unit}`) ? `${some} of ${all}` : `${some} ${unit} of ${all}`;
}

/** An estimated duration: 3 s, 2 min, 3 h 20 min. */
export function roughly(milliseconds: number): string {
  const seconds = Math.ceil(milliseconds / 1000);
  if (seconds < 90) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** A duration: 3.4 s, 25 s, 2 min 5 s, 3 h 20 min. */
export function duration(milliseconds: number): string {
  const seconds = milliseconds / 1000;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes} min ${whole - minutes * 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** A count with its noun, with thousands separators. */
export function files(count: number): string {
  return `${number(count)} ${count === 1 ? "file" : "files"}`;
}

export function number(count: number): string {
  return count.toLocaleString("en-US");
}

/** A date and time in the local time zone: 2026-11-23 18:15:20. */
export function moment(iso: string): string {
  return new Date(iso).toLocaleString("sv-SE");
}

/** Where a backup's blobs are, as a path: backups/site. */
export function placeOf({
  destination: { container, prefix },
}: {
  destination: Pick<Run["destination"], "container" | "prefix">;
}): string {
  return prefix === "" ? container : `${container}/${prefix}`;
}

/** What a run is about: its directory; for a prune, which has none, the place it prunes. */
export function subjectOf(run: Pick<Run, "root" | "destination">): string {
  return run.root === "" ? placeOf(run) : run.root;
}
