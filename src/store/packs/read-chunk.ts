import { hash } from "node:crypto";
import { TooLarge } from "../../storage/errors.ts";
import { readChecked } from "../../storage/read-checked.ts";
import { Corrupt, Lost } from "../fetching.ts";
import type { At } from "./format.ts";
import { assertHead, BLOB_HEAD, decodeFrame, FRAME_HEAD } from "./frame.ts";
import { chunkBlob } from "./names.ts";
import { lostBlob, type Requests } from "./read-pack.ts";
import type { Chunk } from "./recipe.ts";

/** The blob with a chunk's name is not the chunk, or not readable by this version: it is to be written anew. */
export class DamagedChunk extends Corrupt {
  readonly id: string;

  constructor(name: string, id: string, cause: Lost) {
    super(`corrupt: its chunk, the blob ${name}: ${cause.message.replace(/^corrupt: /, "")}`, { cause });
    this.id = id;
  }
}

/**
 * Fetches a chunk and checks it. The caller reserves the memory: twice the chunk's length.
 * @throws Lost, Corrupt; storage errors, after retries
 */
export async function readChunk({ container, prefix }: At, chunk: Chunk, budget: Requests): Promise<Buffer> {
  const { id, length } = chunk;
  const name = chunkBlob(prefix, id);
  try {
    const most = BLOB_HEAD + FRAME_HEAD + length;
    const blob = container.getBlobClient(name);
    const { content } = await budget.request(() => readChecked(blob, undefined, { most }));
    return await chunkIn(content, chunk);
  } catch (error) {
    const damage = error instanceof TooLarge ? new Corrupt("it is too long", { cause: error }) : error;
    if (damage instanceof Lost) throw new DamagedChunk(name, id, damage);
    throw lostBlob(`its chunk, the blob ${name},`, error);
  }
}

async function chunkIn(blob: Buffer, { id, length }: Chunk): Promise<Buffer> {
  assertHead(blob, "C");
  const content = await decodeFrame(blob.subarray(BLOB_HEAD), length);
  if (hash("sha256", content) !== id) throw new Corrupt("corrupt: its content does not match its name");
  return content;
}
