/** Where a content of the layout `packs` is; see docs/format.md. */
export interface Packed {
  /** The pack's name below `packs/`. */
  pack: string;
  /** Bytes of the whole pack. */
  packLength: number;
  /** Where the frame with the content begins in the pack. */
  offset: number;
  /** Bytes of the frame. */
  length: number;
  /** Bytes of the frame, decoded. */
  raw: number;
  /** Where the content begins in the decoded frame, which small contents share. */
  from: number;
  /** Bytes of the content. */
  size: number;
  /** Base64 of the SHA-256 of the content. */
  sha256: string;
  /** The content is a recipe: the list of the chunks that the file consists of. */
  recipe?: true;
}

/** Names a run, and after it a batch or a large file, a try, and the number of the pack. */
const PACK = /^(?!\.+\/)[\w.~-]{1,128}\/[\d.]{1,200}-(?:large)?\d{1,9}-[0-9a-f]{8}-\d{1,9}$/;
const SHA256 = /^[A-Za-z0-9+/]{43}=$/;

/** Whether a value from a record is a location that a backup may have written. Checked by hand: a schema takes ten times as long. */
export function isPacked(value: unknown): value is Packed {
  const { pack, packLength, offset, length, raw, from, size, sha256, recipe } = Object(value) as Partial<
    Record<keyof Packed, unknown>
  >;
  return (
    typeof pack === "string" &&
    isPackName(pack) &&
    isCount(offset) &&
    isCount(length) &&
    isCount(packLength) &&
    offset + length <= packLength &&
    isCount(raw) &&
    isCount(from) &&
    isCount(size) &&
    from + size <= raw &&
    typeof sha256 === "string" &&
    SHA256.test(sha256) &&
    (recipe === undefined || recipe === true)
  );
}

/** Whether a name below `packs/` is one that a backup may have given to a pack. */
export function isPackName(name: string): boolean {
  return PACK.test(name);
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}
