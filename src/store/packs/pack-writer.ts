import { createHash, hash } from "node:crypto";
import { toLine } from "../../ledger/ledger.ts";
import type { Attributes, EntryKind } from "../../model/entry.ts";
import type { Packed } from "../../model/packed.ts";
import type { PutBlobRequests } from "../../storage/put-blob-request.ts";
import { BLOB_HEAD, blobHead, encodeFrame } from "./frame.ts";
import { packBlob } from "./names.ts";
import { putOnce } from "./put-once.ts";

/** Bytes of the end of a pack: where the footer is, how long, and its hash. */
export const TRAILER = 48;

/** A content and whose it is. */
export interface ToPack {
  path: string;
  kind: EntryKind;
  attributes: Attributes;
  /** The content, or the recipe that stands for it. */
  content: Buffer;
  /** Bytes of the file; 0 for links and directories. */
  size: number;
  recipe?: true;
}

/** A line of a pack's footer: what it takes to find and name a content without any run's record. */
export interface FooterLine extends Pick<Attributes, "mtime" | "mode"> {
  path: string;
  kind: EntryKind;
  offset: number;
  length: number;
  size: number;
  sha256: string;
  /** The pack that the content lies in, where it is another one. */
  pack?: string;
  /** Bytes of the content, where they are not `size`: of links and recipes. */
  raw?: number;
  recipe?: true;
}

/** Contents that a batch has packed, by hash: equal ones are stored once. */
export type Known = Map<string, Promise<Packed>>;

/** Fills one pack in memory and writes it. Locations are whole once `send` has resolved. */
export class PackWriter {
  readonly #name: string;
  readonly #known: Known;
  readonly #frames: Buffer[] = [blobHead("P")];
  readonly #footer: string[];
  /** Locations in this pack, whose length is not known before it is whole. */
  readonly #mine: Packed[] = [];
  #length = BLOB_HEAD;

  /**
   * @param name below `packs/`
   * @param head the first line of the footer
   */
  constructor(name: string, head: { run: string; root: string }, known: Known = new Map()) {
    this.#name = name;
    this.#known = known;
    this.#footer = [toLine({ ...head, time: new Date().toISOString() })];
  }

  /** Adds a content, unless the batch has an equal one. Its line stands in the footer in any case. */
  async add({ path, kind, attributes, content, size, recipe }: ToPack): Promise<Packed> {
    const sha256 = hash("sha256", content, "base64");
    const key = `${recipe ?? false} ${sha256}`;
    const packing = this.#known.get(key) ?? this.#append(content, sha256, recipe);
    this.#known.set(key, packing);
    const packed = await packing;
    const { pack, offset, length, size: raw } = packed;
    const { mtime, mode } = attributes;
    const line: FooterLine = { path, kind, mtime, mode, offset, length, size, sha256 };
    const more: Partial<FooterLine> = {
      ...(pack === this.#name ? {} : { pack }),
      ...(raw === size ? {} : { raw }),
      ...(recipe ? { recipe } : {}),
    };
    this.#footer.push(toLine({ ...line, ...more }));
    return packed;
  }

  async #append(content: Buffer, sha256: string, recipe: true | undefined): Promise<Packed> {
    const frame = await encodeFrame(content);
    const packed: Packed = {
      pack: this.#name,
      packLength: 0,
      offset: this.#length,
      length: frame.length,
      size: content.length,
      sha256,
      ...(recipe ? { recipe } : {}),
    };
    this.#frames.push(frame);
    this.#length += frame.length;
    this.#mine.push(packed);
    return packed;
  }

  /** Writes the pack, if anything is in it. May be repeated. */
  async send(requests: PutBlobRequests, prefix: string): Promise<void> {
    if (this.#footer.length === 1) return;
    const footer = await encodeFrame(Buffer.from(this.#footer.join("")));
    const trailer = Buffer.alloc(TRAILER);
    trailer.writeBigUInt64LE(BigInt(this.#length), 0);
    trailer.writeUInt32LE(footer.length, 8);
    createHash("sha256").update(footer).digest().copy(trailer, 16);
    const blob = Buffer.concat([...this.#frames, footer, trailer]);
    await putOnce(requests, packBlob(prefix, this.#name), blob);
    for (const packed of this.#mine) packed.packLength = blob.length;
  }
}
