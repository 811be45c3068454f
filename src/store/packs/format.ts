import zlib from "node:zlib";
import type { ContainerClient } from "@azure/storage-blob";
import { z } from "zod";
import { PartProblem } from "../../ledger/part-kind.ts";
import { Recent } from "../../model/recent.ts";
import { inContainer } from "../../storage/connect.ts";
import { classify, TooLarge } from "../../storage/errors.ts";
import { PutBlobRequests } from "../../storage/put-blob-request.ts";
import { readChecked } from "../../storage/read-checked.ts";
import { CHUNKER } from "./chunker.ts";
import { below } from "./names.ts";
import { putOnce } from "./put-once.ts";

/** A destination of packs. */
export interface At {
  container: ContainerClient;
  prefix: string;
  behindProxy: boolean;
}

const MIB = 1024 * 1024;
/** Contents up to this size lie whole in a pack; larger files are cut into chunks. */
export const LARGEST_WHOLE = 4 * MIB;
const FORMAT = { version: 1, id: "sha256", chunker: CHUNKER, codecs: ["none", "zstd"] };
/** Bytes; ours has a few hundred. */
const MOST = 64 * 1024;

/**
 * Makes sure that this version can read a destination; one without `format.json`, as a new one, gets it.
 * @returns whether this call wrote it
 * @throws PartProblem
 */
export async function settleFormat(at: At): Promise<boolean> {
  assertCodecs();
  if (await isReadable(at)) return false;
  const requests = new PutBlobRequests(at.container, at.behindProxy);
  const text = Buffer.from(`${JSON.stringify(FORMAT, undefined, 2)}\n`);
  const isMine = await inContainer(at.container, () =>
    putOnce(requests, nameOf(at), [text], { contentType: "application/json" }),
  );
  // Another run may have written it first.
  if (!isMine) await isReadable(at);
  return isMine;
}

/** Destinations whose format this process has checked. */
const known = new Recent<true>(64);

/** The same for a reader, which writes nothing. Without its `format.json` a destination is read as this version's. @throws PartProblem */
export async function assertReadable(at: At): Promise<void> {
  assertCodecs();
  await known.get(keyOf(at), async () => ((await isReadable(at)) ? true : undefined));
}

/** @throws PartProblem on a Node without zstd. There the app serves the layout `files` only. */
function assertCodecs(): void {
  if ("zstdCompress" in zlib) return;
  throw new PartProblem(
    `The layout packs needs Node 22.15 or later; the app runs on Node ${process.versions.node}.`,
  );
}

/** @returns false if there is no `format.json` */
async function isReadable(at: At): Promise<boolean> {
  const problem = (what: string) => new PartProblem(`The destination's ${nameOf(at)} ${what}`);
  let text: string;
  try {
    const { content } = await readChecked(at.container.getBlobClient(nameOf(at)), undefined, { most: MOST });
    text = content.toString("utf8");
  } catch (error) {
    if (classify(error) === "missing") return false;
    if (error instanceof TooLarge) throw problem(`is damaged: ${error.message}. ${RESTORE}`);
    throw error;
  }
  const why = whyNot(text);
  if (why === undefined) return true;
  throw problem(why);
}

const chunker = z.object({
  name: z.string(),
  min: z.number(),
  average: z.number(),
  max: z.number(),
  span: z.number(),
});
const schema = z.object({ version: z.number(), id: z.string(), chunker, codecs: z.array(z.string()) });

const RESTORE = "Restore it; docs/format.md says what it holds.";

function whyNot(text: string): string | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return `is damaged: it is not JSON. ${RESTORE}`;
  }
  const { version } = Object(value) as { version?: unknown };
  const update = "Update this app.";
  if (typeof version === "number" && version !== FORMAT.version)
    return `says version ${version}; this version of the app reads ${FORMAT.version}. ${update}`;
  const read = schema.safeParse(value);
  if (!read.success) return `is damaged. ${RESTORE}`;
  const { id, codecs } = read.data;
  if (id !== FORMAT.id)
    return `names contents by "${id.slice(0, 64)}", which this version of the app does not know. ${update}`;
  const codec = codecs.find((name) => !FORMAT.codecs.includes(name));
  if (codec !== undefined)
    return `names the codec "${codec.slice(0, 64)}", which this version of the app does not know. ${update}`;
  const isOurs = Object.entries(CHUNKER).every(
    ([key, is]) => read.data.chunker[key as keyof typeof CHUNKER] === is,
  );
  return isOurs ? undefined : `cuts larger files in another way than this version of the app. ${update}`;
}

function nameOf({ prefix }: At): string {
  return below(prefix, "format.json");
}

function keyOf({ container, prefix }: At): string {
  return `${container.url}\n${prefix}`;
}
