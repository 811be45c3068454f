import { createMD5, type IHasher } from "hash-wasm";

/**
 * An MD5 that continues where another activity left off. MD5 is a chain that cannot be computed in parallel, and no
 * activity may last as long as a huge file takes, so its state passes from activity to activity (node:crypto cannot
 * export it, hash-wasm can).
 * @param state base64; undefined at the start
 */
export async function resumeMd5(state: string | undefined): Promise<IHasher> {
  const hash = await createMD5();
  hash.init();
  if (state !== undefined) hash.load(Buffer.from(state, "base64"));
  return hash;
}

/** The state to pass on: about 150 characters of base64. */
export function stateOf(hash: IHasher): string {
  return Buffer.from(hash.save()).toString("base64");
}

/** The MD5 of what was hashed, in base64. */
export function digestOf(hash: IHasher): string {
  return Buffer.from(hash.digest("binary")).toString("base64");
}
