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
