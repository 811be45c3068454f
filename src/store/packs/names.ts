import { isPackName } from "../../model/packed.ts";
import type { BlobKind } from "./frame.ts";

/** Names in a destination of packs. All other names there are not the product's. */

/** A name below a destination's prefix. */
export function below(prefix: string, name: string): string {
  return prefix === "" ? name : `${prefix}/${name}`;
}

/** @param pack as in Packed */
export function packBlob(prefix: string, pack: string): string {
  return below(prefix, `packs/${pack}`);
}

/** @param id SHA-256 of the chunk, in hex */
export function chunkBlob(prefix: string, id: string): string {
  return below(prefix, `chunks/${id.slice(0, 2)}/${id}`);
}

const CHUNK = /^chunks\/([0-9a-f]{2})\/(\1[0-9a-f]{62})$/;

/** What a blob is by its name: a pack, as Packed names it, or a chunk, by its id; undefined if the name is not the product's. */
export function blobOf(prefix: string, name: string): { kind: BlobKind; id: string } | undefined {
  const top = below(prefix, "");
  if (!name.startsWith(top)) return undefined;
  const rest = name.slice(top.length);
  const pack = rest.startsWith("packs/") ? rest.slice("packs/".length) : undefined;
  if (pack !== undefined) return isPackName(pack) ? { kind: "P", id: pack } : undefined;
  const id = CHUNK.exec(rest)?.[2];
  return id === undefined ? undefined : { kind: "C", id };
}
