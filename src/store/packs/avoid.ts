import type { BlobServiceClient } from "@azure/storage-blob";
import { z } from "zod";
import { keyOfDestination } from "../../ledger/claim.ts";
import { ConditionalBlob } from "../../ledger/conditional-blob.ts";
import { damagedAsMissing } from "../../ledger/damaged.ts";
import type { At } from "./format.ts";
import { lookUpBlobs } from "./look-up.ts";
import { chunkBlob, packBlob } from "./names.ts";

/**
 * What later backups of a destination must not reuse: packs that are damaged or that a prune wants emptied, by their names
 * below `packs/`; and damaged chunks, by id, which are written anew.
 */
interface Avoid {
  packs: string[];
  chunks: string[];
}

/** Upper bound on entries. The next verification finds the rest. */
const MOST = 10_000;

const schema = z.looseObject({ packs: z.array(z.string()), chunks: z.array(z.string()) });

interface Where {
  service: BlobServiceClient;
  container: { containerName: string };
  prefix: string;
}

function listOf({ service, container, prefix }: Where): ConditionalBlob<Avoid> {
  const key = keyOfDestination({ container: container.containerName, prefix });
  return new ConditionalBlob<Avoid>(service, `destinations/${key}-avoid.json`, schema);
}

/** Removes chunks from the list that have been written anew. */
export async function removeFromAvoid(where: Where & At, ids: ReadonlySet<string>): Promise<void> {
  await changeAvoid(where, ({ packs, chunks }) => {
    const left = chunks.filter((id) => !ids.has(id));
    return left.length === chunks.length ? undefined : { packs, chunks: left };
  });
}

/** A list that cannot be read counts as empty: a verification finds the damage again, and writes it anew. */
const NONE: Avoid = { packs: [], chunks: [] };

export async function readAvoid(where: Where): Promise<Avoid> {
  const read = await listOf(where).read(NONE).catch(damagedAsMissing);
  return read?.content ?? NONE;
}

/**
 * Changes the list, and drops blobs that are gone; retries after concurrent changes.
 * @param change returns undefined if there is nothing to change
 */
export async function changeAvoid(
  where: Where & At,
  change: (list: Avoid) => Avoid | undefined,
): Promise<void> {
  const list = listOf(where);
  for (;;) {
    const current = await list.read(NONE);
    const { packs, chunks } = current?.content ?? NONE;
    const changed = change({ packs, chunks });
    if (!changed) return;
    const next = await withoutGone(where, {
      packs: [...new Set(changed.packs)].slice(-MOST),
      chunks: [...new Set(changed.chunks)].slice(-MOST),
    });
    if (await list.write(next, current)) return;
  }
}

async function withoutGone(at: At, { packs, chunks }: Avoid): Promise<Avoid> {
  const nameOfPack = (pack: string) => packBlob(at.prefix, pack);
  const nameOfChunk = (id: string) => chunkBlob(at.prefix, id);
  const there = await lookUpBlobs(at, [...packs.map(nameOfPack), ...chunks.map(nameOfChunk)]);
  return {
    packs: packs.filter((pack) => there.has(nameOfPack(pack))),
    chunks: chunks.filter((id) => there.has(nameOfChunk(id))),
  };
}

/** Adds new entries to the list. */
export async function addToAvoid(where: Where & At, { packs, chunks }: Avoid): Promise<void> {
  await changeAvoid(where, (list) => {
    const isKnown =
      packs.every((name) => list.packs.includes(name)) && chunks.every((id) => list.chunks.includes(id));
    if (isKnown) return undefined;
    return { packs: [...list.packs, ...packs], chunks: [...list.chunks, ...chunks] };
  });
}
