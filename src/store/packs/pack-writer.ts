import { createHash } from "node:crypto";
import { toLine } from "../../ledger/ledger.ts";
import type { Attributes, EntryKind } from "../../model/entry.ts";
import type { Packed } from "../../model/packed.ts";
import type { PutBlobRequests } from "../../storage/put-blob-request.ts";
import { BLOB_HEAD, blobHead, encodeFrame } from "./frame.ts";
import { packBlob } from "./names.ts";
import { lengthOf, putOnce } from "./put-once.ts";

/** Bytes of the end of a pack: where the footer is, how long, and its hash. */
export const TRAILER = 48;

/** A content and whose it is. */
export interface ToPack {
  path: string;
  kind: EntryKind;
  attributes: Attributes;
  /** The content, or the recipe that stands for it. */
  content: Buffer;
  recipe?: true;
}

/** A line of a pack's footer: what it takes to find and name a content without any run's record. */
export interface FooterLine extends Omit<Packed, "pack" | "packLength"> {
  path: string;
  kind: EntryKind;
  mtime: number;
  mode: number;
  /** The pack that the content lies in, where it is another one. */
  pack?: string;
}

/** Contents that a batch has packed, by hash: equal ones are stored once. */
export type Known = Map<string, Packed>;

/** Smaller contents share a frame: each call of the compressor costs, and similar files are shorter together. */
const SMALL = 64 * 1024;
/** Bytes of such a frame, decoded: what is decoded to restore one of its files. */
const SHARED = 256 * 1024;

/** Fills one pack in memory and writes it. A location is whole only once `send` has resolved. */
export class PackWriter {
  readonly #name: string;
  readonly #head: object;
  readonly #known: Known;
  readonly #lines: { of: Pick<FooterLine, "path" | "kind" | "mtime" | "mode">; packed: Packed }[] = [];
  readonly #frames: Buffer[] = [blobHead("P")];
  readonly #encoding: Promise<void>[] = [];
  /** Contents of the next shared frame. */
  #shared: { content: Buffer; packed: Packed }[] = [];
  #sharedBytes = 0;
  #length = BLOB_HEAD;

  /**
   * @param name below `packs/`
   * @param head what the footer says of the run
   */
  constructor(name: string, head: { run: string; root: string }, known: Known = new Map()) {
    this.#name = name;
    this.#head = head;
    this.#known = known;
  }

  /**
   * Adds a content, unless the batch has an equal one; the footer names it in any case. The pack keeps the buffer.
   * @param sha256 of the content, in base64
   */
  add({ path, kind, attributes: { mtime, mode }, content, recipe }: ToPack, sha256: string): Packed {
    const key = `${recipe ?? false} ${sha256}`;
    let packed = this.#known.get(key);
    // In another pack it must have its place already, for the footer says where.
    if (!packed || (packed.pack !== this.#name && packed.length === 0)) {
      packed = this.#place(content, sha256, recipe);
      this.#known.set(key, packed);
    }
    this.#lines.push({ of: { path, kind, mtime, mode }, packed });
    return packed;
  }

  #place(content: Buffer, sha256: string, recipe: true | undefined): Packed {
    const { length: size } = content;
    const unknown = { packLength: 0, offset: 0, length: 0, raw: 0, from: 0 };
    const packed: Packed = { pack: this.#name, ...unknown, size, sha256, ...(recipe ? { recipe } : {}) };
    if (size >= SMALL) this.#encode([{ content, packed }]);
    else {
      this.#shared.push({ content, packed });
      this.#sharedBytes += size;
      if (this.#sharedBytes >= SHARED) this.#encodeShared();
    }
    return packed;
  }

  #encodeShared(): void {
    if (this.#shared.length > 0) this.#encode(this.#shared);
    this.#shared = [];
    this.#sharedBytes = 0;
  }

  #encode(contents: readonly { content: Buffer; packed: Packed }[]): void {
    const encode = async (): Promise<void> => {
      const frame = await encodeFrame(joined(contents.map(({ content }) => content)));
      const length = lengthOf(frame);
      let from = 0;
      for (const { content, packed } of contents) {
        Object.assign(packed, { offset: this.#length, length, from });
        from += content.length;
      }
      for (const { packed } of contents) packed.raw = from;
      this.#frames.push(...frame);
      this.#length += length;
    };
    this.#encoding.push(encode());
  }

  /** Writes the pack, if anything is in it. */
  async send(requests: PutBlobRequests, prefix: string): Promise<void> {
    if (this.#lines.length === 0) return;
    this.#encodeShared();
    await Promise.all(this.#encoding);
    const footer = await encodeFrame(Buffer.from(this.#footer()));
    const trailer = Buffer.alloc(TRAILER);
    trailer.writeBigUInt64LE(BigInt(this.#length), 0);
    trailer.writeUInt32LE(lengthOf(footer), 8);
    const hashed = createHash("sha256");
    for (const piece of footer) hashed.update(piece);
    hashed.digest().copy(trailer, 16);
    const blob = [...this.#frames, ...footer, trailer];
    await putOnce(requests, packBlob(prefix, this.#name), blob);
    const packLength = lengthOf(blob);
    for (const { packed } of this.#lines) if (packed.pack === this.#name) packed.packLength = packLength;
  }

  #footer(): string {
    const lines = this.#lines.map(({ of, packed: { pack, packLength: _packLength, ...at } }) =>
      toLine({ ...of, ...at, ...(pack === this.#name ? {} : { pack }) } satisfies FooterLine),
    );
    return toLine({ ...this.#head, time: new Date().toISOString() }) + lines.join("");
  }
}

function joined(pieces: readonly Buffer[]): Buffer {
  const [only, ...more] = pieces;
  return only && more.length === 0 ? only : Buffer.concat(pieces);
}
