/** Damage to a record: what bad disks, half writes and people who can write the container make of it. */
import fc from "fast-check";
import { value } from "./fuzz.ts";

export type Damage =
  | { kind: "cut"; at: number }
  | { kind: "flip"; at: number[]; by: number }
  | { kind: "set"; at: number; to: string }
  | { kind: "remove"; at: number }
  | { kind: "whole"; to: string };

/** 0 to 1: a place, whatever the length is. */
const place = fc.noBias(fc.integer({ min: 0, max: 999_999 }).map((part) => part / 1_000_000));
/** JSON text, so that what JSON.stringify does not write can be had too. */
const json: fc.Arbitrary<string> = fc.oneof(
  value.map((some) => JSON.stringify(some)),
  fc.constantFrom(
    '{"__proto__":{"status":"running"}}',
    "1e999",
    "-0",
    '"\\ud800"',
    '"../../../etc/passwd"',
    '"//x"',
    `"${"n".repeat(5000)}"`,
    '"2"',
    '"restore"',
    '"9999-12-31T23:59:59Z"',
    "[[[[]]]]",
    '{"copied":-1}',
  ),
);

export const damage: fc.Arbitrary<Damage> = fc.oneof(
  fc.record({ kind: fc.constant("cut" as const), at: place }),
  fc.record({
    kind: fc.constant("flip" as const),
    at: fc.array(place, { minLength: 1, maxLength: 4 }),
    by: fc.integer({ min: 1, max: 255 }),
  }),
  { arbitrary: fc.record({ kind: fc.constant("set" as const), at: place, to: json }), weight: 4 },
  { arbitrary: fc.record({ kind: fc.constant("remove" as const), at: place }), weight: 2 },
  fc.record({ kind: fc.constant("whole" as const), to: json }),
);

/** JSON, or JSON lines: a value is set or removed in one of them. */
export function damaged(content: Buffer, damage: Damage): Buffer {
  switch (damage.kind) {
    case "cut":
      return content.subarray(0, Math.floor(damage.at * content.length));
    case "flip": {
      const copy = Buffer.from(content);
      for (const at of damage.at) {
        const index = Math.floor(at * copy.length);
        if (index < copy.length) copy[index] = (copy[index] ?? 0) ^ damage.by;
      }
      return copy;
    }
    case "whole":
      return Buffer.from(damage.to);
    case "set":
    case "remove": {
      const lines = content.toString().split("\n");
      const full = lines.flatMap((line, index) => (line === "" ? [] : [index]));
      const index = full[Math.floor(damage.at * full.length)];
      if (index === undefined) return Buffer.from(damage.kind === "set" ? damage.to : "");
      // The same number again, for a place in the line.
      const within = (damage.at * full.length) % 1;
      lines[index] = changed(lines[index] ?? "", within, damage.kind === "set" ? damage.to : undefined);
      return Buffer.from(lines.join("\n"));
    }
  }
}

const MARK = "\u2021here\u2021";

function changed(line: string, at: number, to: string | undefined): string {
  const root: unknown = JSON.parse(line);
  const places: [Record<string, unknown>, string][] = [];
  collect(root, places);
  const [holder, name] = places[Math.floor(at * places.length)] ?? [];
  if (holder === undefined || name === undefined) return to ?? "";
  if (to === undefined) {
    if (Array.isArray(holder)) holder.splice(Number(name), 1);
    else delete holder[name];
    return JSON.stringify(root);
  }
  holder[name] = MARK;
  return JSON.stringify(root).replace(JSON.stringify(MARK), () => to);
}

function collect(value: unknown, places: [Record<string, unknown>, string][]): void {
  if (typeof value !== "object" || value === null) return;
  for (const [name, each] of Object.entries(value)) {
    places.push([value as Record<string, unknown>, name]);
    collect(each, places);
  }
}
