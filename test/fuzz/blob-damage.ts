/** Damage to the blobs of a destination: what bad disks, half copies, mixed-up restores and people's hands make of them. */
import fc from "fast-check";

type Change =
  | { kind: "flip"; at: number; by: number }
  | { kind: "set"; at: number; to: Uint8Array }
  | { kind: "move"; at: number; from: number }
  | { kind: "cut"; at: number }
  | { kind: "extend"; by: Uint8Array };

/** What happens to a blob, or between it and another one: these by number, whatever blobs there are. */
export type BlobDamage = { blob: number } & (
  Change | { kind: "exchange"; other: number } | { kind: "copy"; other: number } | { kind: "delete" }
);

const blob = fc.nat(999);
/** A part of a blob's length; or so many bytes from its beginning, or its end where that is negative. */
const place = fc.oneof(
  fc.noBias(fc.integer({ min: 0, max: 999_999 }).map((part) => part / 1_000_000)),
  fc.integer({ min: 1, max: 40 }),
  fc.integer({ min: -70, max: -1 }),
);
const some = fc.uint8Array({ minLength: 1, maxLength: 40 });
const number = fc.constantFrom(new Uint8Array(4), new Uint8Array(4).fill(255));
const kind = <const Kind extends string>(...kinds: Kind[]) => fc.constantFrom<Kind[]>(...kinds);

export const blobDamage: fc.Arbitrary<BlobDamage> = fc.oneof(
  fc.record({ kind: kind("flip"), blob, at: place, by: fc.integer({ min: 1, max: 255 }) }),
  fc.record({ kind: kind("set"), blob, at: place, to: fc.oneof(some, number) }),
  fc.record({ kind: kind("move"), blob, at: place, from: place }),
  fc.record({ kind: kind("cut"), blob, at: place }),
  fc.record({ kind: kind("extend"), blob, by: some }),
  { weight: 2, arbitrary: fc.record({ kind: kind("exchange", "copy"), blob, other: blob }) },
  fc.record({ kind: kind("delete"), blob }),
);

/** The blobs as damage leaves them, by name. */
export function damagedBlobs(
  blobs: ReadonlyMap<string, Buffer>,
  damage: readonly BlobDamage[],
): Map<string, Buffer> {
  const after = new Map(blobs);
  for (const each of damage) {
    const all = [...after];
    const [name, content] = all[each.blob % all.length]!;
    if (each.kind === "delete") after.delete(name);
    else if (each.kind === "exchange" || each.kind === "copy") {
      const [other, itsContent] = all[each.other % all.length]!;
      after.set(name, itsContent);
      if (each.kind === "exchange") after.set(other, content);
    } else after.set(name, changed(Buffer.from(content), each));
  }
  return after;
}

function changed(content: Buffer, change: Change): Buffer {
  if (change.kind === "extend") return Buffer.concat([content, change.by]);
  const { length } = content;
  const indexOf = (place: number): number =>
    Math.floor(
      place < 0 ? Math.max(0, length + place) : place < 1 ? place * length : Math.min(place, length),
    );
  const at = indexOf(change.at);
  switch (change.kind) {
    case "cut":
      return content.subarray(0, at);
    case "flip":
      if (at < length) content[at]! ^= change.by;
      return content;
    case "set":
      content.set(change.to.subarray(0, length - at), at);
      return content;
    case "move": {
      const from = indexOf(change.from);
      return content.copyWithin(at, from, from + 64);
    }
  }
}
