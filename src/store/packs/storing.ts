import { randomBytes } from "node:crypto";
import type { BlobServiceClient } from "@azure/storage-blob";
import { weigh } from "../../ledger/cut.ts";
import { Ledger } from "../../ledger/ledger.ts";
import { attributesOf, type Entry } from "../../model/entry.ts";
import type { Outcome } from "../../model/outcome.ts";
import { type Budget, forEachItem } from "../../storage/budget.ts";
import { Buffers } from "../../storage/buffers.ts";
import { inContainer } from "../../storage/connect.ts";
import { PutBlobRequests } from "../../storage/put-blob-request.ts";
import { inOrder } from "../in-order.ts";
import type { Storing, Writer } from "../storing.ts";
import { removeFromAvoid, readAvoid } from "./avoid.ts";
import { ChunkStore } from "./chunks.ts";
import { EarlierRuns, findBase } from "./earlier-runs.ts";
import { LARGEST_WHOLE, settleFormat, type At } from "./format.ts";
import { inventoryOf, listPacks, recordInventory } from "./inventory.ts";
import { packContent, packEntry } from "./pack-entry.ts";
import { PackWriter, type Known, type ToPack } from "./pack-writer.ts";
import { sendSpan } from "./send-file.ts";

const MIB = 1024 * 1024;
/** Target size of a pack, in bytes of content. */
const PACK = 8 * MIB;
/** Entries of a pack: its footer is read whole. */
const MOST_OF_PACK = 8_192;
/** Packs of a batch that are filled or sent concurrently. */
const PACKS_AT_A_TIME = 3;

/** Reusable memory that packs are assembled in. */
const MEMORY = new Buffers(PACK);

export function storing({ service, ...at }: At & { service: BlobServiceClient }): Storing {
  const { container, prefix, behindProxy } = at;
  const requests = new PutBlobRequests(container, behindProxy);
  const send = (pack: PackWriter, budget: Budget) =>
    budget.request(() => inContainer(container, () => pack.send(requests, prefix)));
  const chunksOf = async ({ run, basis: { fresh } }: Writer, budget: Budget) => {
    const damaged = fresh ? new Set<string>() : (await inventoryOf(new Ledger(service, run))).damaged;
    return new ChunkStore(at, requests, { run, fresh, damaged }, budget);
  };
  const settle = async ({ healed }: ChunkStore): Promise<void> => {
    if (healed.size > 0) await removeFromAvoid({ service, ...at }, healed);
  };
  return {
    // A file costs little besides its bytes. A batch is at most some packs, so that no activity outlasts its time.
    cost: { ofFile: 2 * 1024, worth: 32 * MIB, most: 256 * MIB },
    whyNot: () => undefined,
    nameOf: (path) => path,

    begin: async (request, ledger) => {
      const isNew = await settleFormat(at);
      const [packs, avoid, base] = await Promise.all([
        listPacks(at),
        readAvoid({ service, ...at }),
        findBase(ledger, { ...request, container: container.containerName, prefix }),
      ]);
      // With a format but no packs there may be chunks, and packs in the archive.
      const fresh = isNew && packs.size === 0;
      for (const pack of avoid.packs) packs.delete(pack);
      if (fresh) return { basis: { fresh, keep: "nothing" } };
      await recordInventory(ledger, { packs, damaged: new Set(avoid.chunks) });
      const basis = { fresh, keep: "nothing", ...base } as const;
      const { base: run } = base;
      return request.mode === "full" || run === undefined ? { basis } : { basis, comparedWith: { run } };
    },

    compare: ({ run, basis: { base, later = [] } }, how) => {
      const runs = base === undefined ? later : [...later, base];
      const inventory = () => inventoryOf(new Ledger(service, run));
      return new EarlierRuns({ service, behindProxy }, runs, how, inventory);
    },

    put: async (writer, entries, budget, work) => {
      const { run, root, part, batch } = writer;
      const chunks = await chunksOf(writer, budget);
      const attempt = attemptName();
      const known: Known = new Map();
      const outcomes: Outcome[] = [];
      await inOrder(groups(entries).entries(), PACKS_AT_A_TIME, async ([number, group]) => {
        const weight = weigh(group, weightOf);
        const fill = async (memory: Buffer): Promise<void> => {
          const name = `${run}/${part}-${batch}-${attempt}-${number}`;
          const pack = new PackWriter(name, { run, root }, { memory, known });
          const means = { pack, chunks, budget };
          outcomes.push(
            ...(await forEachItem(group, budget, (entry) => work(entry, packEntry(entry, means)))),
          );
          await send(pack, budget);
        };
        await budget.held(weight, () => MEMORY.use(weight, fill));
      });
      await settle(chunks);
      return outcomes;
    },

    send: async (writer, entry, file, upload, budget) => {
      const { run, root, part, large } = writer;
      const chunks = await chunksOf(writer, budget);
      const done = await sendSpan(file, upload, { ledger: new Ledger(service, run), chunks, budget });
      await settle(chunks);
      if ("sent" in done) return done;
      const pack = new PackWriter(`${run}/${part}-large${large}-${attemptName()}-0`, { run, root });
      const { path, kind } = entry;
      const attributes = attributesOf(file.stats);
      const content: ToPack = { path, kind, attributes, content: done.recipe, recipe: true };
      const outcome = packContent(entry, content, file.size, pack);
      await send(pack, budget);
      return { outcome };
    },
  };
}

/** Distinguishes the packs of different attempts at the same work. */
function attemptName(): string {
  return randomBytes(4).toString("hex");
}

/** Memory for an entry until its pack is sent: its content, and its footer line, where a character takes up to 6 bytes. */
function weightOf({ path, size }: Entry): number {
  return size > LARGEST_WHOLE ? 64 * 1024 : size + 512 + 6 * path.length;
}

/** Divides a batch among packs, by the listed sizes. */
function groups(entries: readonly Entry[]): Entry[][] {
  const cut: Entry[][] = [];
  let weight = 0;
  for (const entry of entries) {
    const group = cut.at(-1);
    weight += weightOf(entry);
    if (group && weight <= PACK && group.length < MOST_OF_PACK) group.push(entry);
    else {
      cut.push([entry]);
      weight = weightOf(entry);
    }
  }
  return cut;
}
