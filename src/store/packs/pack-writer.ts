import { createHash } from "node:crypto";
import { QUICK_SIZE } from "../../files/asks.ts";
import { toLine } from "../../ledger/ledger.ts";
import type { Attributes, EntryKind } from "../../model/entry.ts";
import type { Packed } from "../../model/packed.ts";
import type { PutBlobRequests } from "../../storage/put-blob-request.ts";
import { blobHead, encodeFrame } from "./frame.ts";
import { packBlob } from "./names.ts";
import { lengthOf, putOnce } from "./put-once.ts";

/** Bytes of the end of a pack: where the footer is, how long, and its hash. */
export const TRAILER = 48;

/** A content and its entry. */
export interface ToPack {
  path: string;
  kind: EntryKind;
  attributes: Attributes;
  /** The content, or the recipe that stands for it. */
  content: Buffer;
  recipe?: true;
}

/** A line of a pack's footer: what it takes to find and name a content without any run's record. */
interface FooterLine extends Omit<Packed, "pack" | "packLength"> {
  path: string;
  kind: EntryKind;
  mtime: number;
  mode: number;
  /** The pack that the content lies in, where it is another one. */
  pack?: string;
}

/** Contents that a batch has packed, by hash: equal ones are stored once. */
export type Known = Map<string, Packed>;

/**
 * Contents up to this size share a frame: each call of the compressor costs, and similar files compress better together. They
 * are copied when added, because the file thread reuses its memory.
 */
const SMALL = QUICK_SIZE;
/** Bytes of the files in a pack at most, apart from small ones: twice what one is begun for, as files may have grown since they were listed. */
const MOST = 16 * 1024 * 1024;
/** Bytes of such a frame, decoded: what is decoded to restore one of its files. */
const SHARED = 256 * 1024;

/** A frame that several contents share, while it is filled. */
interface Shared {
  bytes: Buffer;
  length: number;
  contents: Packed[];
}

/** Fills one pack in memory and writes it. A location is whole only once `send` has resolved. */
export class PackWriter {
  readonly #name: string;
  readonly #head: object;
  readonly #known: Known;
  readonly #lines: { of: Pick<FooterLine, "path" | "kind" | "mtime" | "mode">; packed: Packed }[] = [];
  readonly #encoding: Promise<void>[] = [];
  readonly #memory: Buffer;
  /** Bytes of the pack in `#memory`; what follows them did not fit. */
  #filled = 0;
  readonly #more: Buffer[] = [];
  #length = 0;
  /** Bytes of the files that have a place. */
  #reserved = 0;
  #shared: Shared | undefined;
  /** Memory of shared frames that are encoded. */
  readonly #spare: Buffer[] = [];

  /**
   * @param name below `packs/`
   * @param head what the footer says of the run
   * @param memory in which the pack is assembled; what does not fit is allocated
   */
  constructor(
    name: string,
    head: { run: string; root: string },
    { memory = Buffer.alloc(0), known = new Map() }: { memory?: Buffer; known?: Known } = {},
  ) {
    this.#name = name;
    this.#head = head;
    this.#memory = memory;
    this.#known = known;
    this.#append([blobHead("P")]);
  }

  /** Reserves the place of a file that is about to be read. @returns false if there is none for so many bytes */
  reserve(size: number): boolean {
    if (this.#reserved + size > MOST) return false;
    this.#reserved += size;
    return true;
  }

  /**
   * Adds a content, unless the batch has an equal one; the footer names it in any case. One of more than `SMALL` bytes must
   * stay as it is until `send` has resolved.
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
    if (size > SMALL) this.#encoding.push(this.#encode(content, [packed]));
    else this.#share(content, packed);
    return packed;
  }

  #share(content: Buffer, packed: Packed): void {
    const bytes = () => this.#spare.pop() ?? Buffer.allocUnsafeSlow(SHARED + SMALL);
    const shared = (this.#shared ??= { bytes: bytes(), length: 0, contents: [] });
    content.copy(shared.bytes, shared.length);
    packed.from = shared.length;
    shared.contents.push(packed);
    shared.length += content.length;
    if (shared.length >= SHARED) this.#encodeShared();
  }

  #encodeShared(): void {
    if (!this.#shared) return;
    const { bytes, length, contents } = this.#shared;
    this.#shared = undefined;
    const encoded = this.#encode(bytes.subarray(0, length), contents);
    this.#encoding.push(encoded.then(() => void this.#spare.push(bytes)));
  }

  async #encode(content: Buffer, contents: readonly Packed[]): Promise<void> {
    const frame = await encodeFrame(content);
    const at = { offset: this.#length, length: lengthOf(frame), raw: content.length };
    for (const packed of contents) Object.assign(packed, at);
    this.#append(frame);
  }

  #append(pieces: readonly Buffer[]): void {
    for (const piece of pieces) {
      this.#length += piece.length;
      if (this.#length > this.#memory.length) this.#more.push(Buffer.from(piece));
      else this.#filled += piece.copy(this.#memory, this.#filled);
    }
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
    this.#append([...footer, trailer]);
    const blob = [this.#memory.subarray(0, this.#filled), ...this.#more];
    await putOnce(requests, packBlob(prefix, this.#name), blob);
    for (const { packed } of this.#lines) if (packed.pack === this.#name) packed.packLength = this.#length;
  }

  #footer(): string {
    const lines = this.#lines.map(({ of, packed: { pack, packLength: _packLength, ...at } }) =>
      toLine({ ...of, ...at, ...(pack === this.#name ? {} : { pack }) } satisfies FooterLine),
    );
    return toLine({ ...this.#head, time: new Date().toISOString() }) + lines.join("");
  }
}
