/** Row 5: two attempts of one batch write the same blobs at the same time, while the files change. */
import { createHash } from "node:crypto";
import { rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { copyBatch } from "../../src/backup/copy-batch.ts";
import { Ledger } from "../../src/ledger/ledger.ts";
import { closeRun } from "../../src/ledger/runs.ts";
import { sum } from "../../src/model/outcome.ts";
import { outcomesByPath, readBlobs, readLedger } from "../harness/blobs.ts";
import { listPart, newRun, requestFor, startDomain, type Domain } from "../harness/domain.ts";
import { Drive } from "../harness/drive.ts";
import { counted, full, PATIENCE } from "../harness/faults.ts";
import type { StorageRequest } from "../harness/storage-proxy.ts";
import { bytes, makeFolder, makeTree } from "../harness/tree.ts";
import { expectSameOnDisk } from "./rig.ts";

const ROUNDS = full ? 20 : 2;
const BLOCK = 8 * 1024 * 1024;
/** By one request, and by three blocks. */
const SIZES = { "small.bin": 40_000, "big.bin": 2 * BLOCK + 7 };
type Name = keyof typeof SIZES;

let domain: Domain;
let folder: string;

beforeAll(async () => {
  domain = await startDomain();
  folder = await makeFolder("two-attempts");
});
afterAll(async () => {
  await domain.stop();
  await rm(folder, { recursive: true, force: true });
});

const hashOf = (content: Uint8Array) => createHash("md5").update(content).digest("base64");

describe("row 5: two attempts of one batch while its files change", () => {
  it(
    "each blob is wholly one version, its MD5 and the ledger agree, both attempts say the same",
    async () => {
      const { service, settings, budget, proxy } = domain;
      let [versions, blobs, writes] = [0, 0, 0];
      for (let round = 0; round < ROUNDS; round++) {
        const run = newRun();
        const root = path.join(folder, run);
        /** The hashes of all versions that a file ever had. */
        const known: Record<Name, Set<string>> = { "small.bin": new Set(), "big.bin": new Set() };
        const write = async (name: Name) => {
          const version = versions++;
          const content = bytes(SIZES[name], `${round}-${version}`);
          known[name].add(hashOf(content));
          // In one step, as editors save: what is read is one version, unless the reader mixes two.
          await writeFile(path.join(folder, `next-${version}`), content);
          await rename(path.join(folder, `next-${version}`), path.join(root, name));
        };
        await makeTree(root, {});
        await write("small.bin");
        await write("big.bin");
        const request = requestFor(root);
        const whole = { run, part: "0", request };
        const { batches } = await listPart(whole, domain);
        // The files change as often as a write comes by, for a while.
        let changes = 4;
        proxy.before = async ({ method, container, comp, blob }) => {
          if (method !== "PUT" || container !== request.container || blob === "") return undefined;
          writes++;
          if (changes-- > 0 && comp !== "") await write(blob as Name);
          else if (changes > 0) await write("small.bin");
          return undefined;
        };
        const attempt = () =>
          Promise.all(batches.map((batch) => copyBatch(batch, service, settings, budget)));
        const [first, second] = await Promise.all([attempt(), attempt()]);
        expect(second).toEqual(first);
        proxy.before = () => undefined;

        const stored = await readBlobs(service.getContainerClient(request.container));
        const outcomes = outcomesByPath(await readLedger(service, run));
        expect([...outcomes.keys()].sort()).toEqual(["big.bin", "small.bin"]);
        for (const name of ["small.bin", "big.bin"] as const) {
          const outcome = outcomes.get(name)!;
          // One that changed under each of three reads has no blob.
          expect(stored.has(name)).toBe(outcome.outcome === "copied");
          if (!stored.has(name)) continue;
          const { content, item } = stored.get(name)!;
          const hash = hashOf(content);
          expect(known[name], `${name} is a mixture`).toContain(hash);
          expect(Buffer.from(item.properties.contentMD5 ?? []).toString("base64")).toBe(hash);
          expect(outcome).toMatchObject({ outcome: "copied", md5: hash, size: content.length });
          blobs++;
        }
      }
      expect(blobs).toBeGreaterThan(ROUNDS);
      counted(5, { rounds: ROUNDS, versions, writes, blobs });
    },
    PATIENCE,
  );

  it("a block of an old version that comes late does not get into another attempt's blob", async () => {
    const { service, settings, budget, proxy } = domain;
    const run = newRun();
    const root = await makeTree(path.join(folder, run), { "big.bin": bytes(SIZES["big.bin"], "old") });
    const request = requestFor(root);
    const whole = { run, part: "0", request };
    const [batch] = (await listPart(whole, domain)).batches;
    const attempt = () => copyBatch(batch!, service, settings, budget);
    let late: StorageRequest | undefined;
    let other: Promise<unknown> | undefined;
    const commits = Promise.withResolvers<void>();
    const stored = Promise.withResolvers<void>();
    proxy.before = async (asked) => {
      if (asked.method !== "PUT" || asked.blob !== "big.bin") return;
      if (asked.comp === "block" && late === undefined) {
        late = asked;
        // The file becomes another one, and another attempt at it begins.
        await writeFile(path.join(folder, "new"), bytes(SIZES["big.bin"], "new"));
        await rename(path.join(folder, "new"), path.join(root, "big.bin"));
        other = attempt();
        // Storage gets this block just before the other attempt makes the blob of its own.
        await commits.promise;
      } else if (asked.comp === "blocklist") {
        commits.resolve();
        await stored.promise;
      }
    };
    proxy.after = (done) => {
      if (done === late) stored.resolve();
    };
    const first = await attempt();
    expect(await other).toEqual(first);
    proxy.before = proxy.after = () => undefined;
    const stores = await readBlobs(service.getContainerClient(request.container));
    expect(hashOf(stores.get("big.bin")!.content)).toBe(hashOf(bytes(SIZES["big.bin"], "new")));
  });

  it("in packs, an attempt that is slower than another one says what that has recorded, and that is there", async () => {
    const { service, settings, budget, proxy } = domain;
    const run = newRun();
    const root = path.join(folder, run);
    const write = (version: string) =>
      makeTree(root, {
        "small.bin": bytes(SIZES["small.bin"], version),
        "big.bin": bytes(SIZES["big.bin"], version),
      });
    await write("old");
    const request = requestFor(root, { layout: "packs" });
    const { batches } = await listPart({ run, part: "0", request }, domain);
    const attempt = () => Promise.all(batches.map((batch) => copyBatch(batch, service, settings, budget)));
    let other: ReturnType<typeof attempt> | undefined;
    const recorded = Promise.withResolvers<void>();
    proxy.after = async ({ method, container, blob }) => {
      if (method !== "PUT") return;
      if (blob.startsWith(`${run}/outcomes/0-0000`)) recorded.resolve();
      if (other || container !== request.container || !blob.startsWith("packs/")) return;
      // Before it hears that its pack is there, the files become other ones, and another attempt packs and records those.
      await write("new");
      other = attempt();
      await recorded.promise;
    };
    const first = await attempt();
    expect(await other).toEqual(first);
    proxy.after = () => undefined;

    await closeRun(new Ledger(service, run), { status: "completed", counts: sum(first).counts });
    const to = path.join(folder, `${run}-restored`);
    expect((await new Drive(service).restore({ run, to })).tally.failures).toEqual([]);
    await expectSameOnDisk(root, to);
  });
});
