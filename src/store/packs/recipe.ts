import { Corrupt } from "../fetching.ts";
import { CHUNKER } from "./chunker.ts";

/** A piece of a larger file. */
export interface Chunk {
  /** The SHA-256 of its bytes, in hex. */
  id: string;
  length: number;
}

/** A chunk and its place in the file. */
export interface Placed extends Chunk {
  start: number;
}

/** Bytes of the longest recipe, which is held in memory: that of a file of some 8 TiB. */
export const LONGEST_RECIPE = 64 * 1024 * 1024;

const HASH = 32;
/** Bytes of a chunk in a recipe: its hash, and its length as a little-endian integer. */
const LINE = HASH + 4;

/** A file's chunks in order, as the content that stands for it. */
export function encodeRecipe(chunks: readonly Chunk[]): Buffer {
  const recipe = Buffer.alloc(chunks.length * LINE);
  for (const [number, { id, length }] of chunks.entries()) {
    recipe.write(id, number * LINE, "hex");
    recipe.writeUInt32LE(length, number * LINE + HASH);
  }
  return recipe;
}

/** The most bytes that the recipe of a file of this size can have: check before reading it into memory. */
export function longestRecipe(size: number): number {
  return (Math.ceil(size / CHUNKER.min) + Math.ceil(size / CHUNKER.span)) * LINE;
}

/**
 * A file's chunks in order. They are made when they are asked for: all of them take several times the memory of the recipe.
 * @throws Corrupt if it is not a recipe of so many bytes
 */
export function decodeRecipe(recipe: Buffer, size: number): Generator<Placed, void> {
  if (recipe.length % LINE !== 0) throw new Corrupt("corrupt: the list of its chunks is cut short");
  if (recipe.length > longestRecipe(size))
    throw new Corrupt(`corrupt: the list of its chunks is too long for ${size} bytes`);
  let sum = 0;
  for (let at = 0; at < recipe.length; at += LINE) {
    const length = recipe.readUInt32LE(at + HASH);
    if (length < 1 || length > CHUNKER.max)
      throw new Corrupt(`corrupt: its recipe gives a chunk of ${length} bytes`);
    sum += length;
  }
  if (sum !== size) throw new Corrupt(`corrupt: its chunks have ${sum} bytes, the run recorded ${size}`);
  return chunksIn(recipe);
}

function* chunksIn(recipe: Buffer): Generator<Placed, void> {
  let start = 0;
  for (let at = 0; at < recipe.length; at += LINE) {
    const length = recipe.readUInt32LE(at + HASH);
    yield { id: recipe.toString("hex", at, at + HASH), length, start };
    start += length;
  }
}
