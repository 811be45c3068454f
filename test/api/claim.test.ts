/** Who may write to a destination, now and at all. */
import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { emptyCounts } from "../../src/model/outcome.ts";
import { Ledger } from "../../src/ledger/ledger.ts";
import { closeRun, openRun } from "../../src/ledger/runs.ts";
import { claimDestination, releaseDestination } from "../../src/ledger/destination-claim.ts";
import { newRun, startDomain, type Domain } from "../harness/domain.ts";

let domain: Domain;
beforeAll(async () => {
  domain = await startDomain();
});
afterAll(() => domain.stop());

const place = () => ({ container: `test-${newRun()}`, prefix: "" });
type Place = ReturnType<typeof place>;

function claim(where: Place, run: string, active: (run: string) => boolean | undefined, more = {}) {
  const wanted = { ...where, root: "/site", run, allowOtherRoot: false, ...more };
  return claimDestination(domain.service, wanted, "files", (id) => Promise.resolve(active(id)));
}

describe("the claim of a destination", () => {
  it("is had by one run at a time, until it is released", async () => {
    const where = place();
    expect(await claim(where, "one", () => true)).toEqual({ claimed: true, layout: "files" });
    expect(await claim(where, "two", () => true)).toEqual({ claimed: false, activeRun: "one" });
    await releaseDestination(domain.service, { ...where, id: "two" });
    expect(await claim(where, "two", () => true)).toEqual({ claimed: false, activeRun: "one" });
    await releaseDestination(domain.service, { ...where, id: "one" });
    expect(await claim(where, "two", () => true)).toEqual({ claimed: true, layout: "files" });
  });

  it("passes on when its run has ended without releasing it: terminated, say", async () => {
    const where = place();
    await claim(where, "one", () => true);
    expect(await claim(where, "two", () => false)).toEqual({ claimed: true, layout: "files" });
  });

  it("of a run that is not known yet is honoured: it is just being started", async () => {
    const where = place();
    await claim(where, "one", () => true);
    expect(await claim(where, "two", () => undefined)).toEqual({ claimed: false, activeRun: "one" });
  });

  it.each([
    ["after a minute", -61_000],
    ["when the clock was set back since", 3_600_000],
  ])("of a run that never came to be passes on %s", async (_when, later) => {
    const where = place();
    await claim(where, "one", () => true);
    const runs = domain.service.getContainerClient("backup-runs");
    for await (const { name } of runs.listBlobsFlat({ prefix: "destinations/" })) {
      const blob = runs.getBlockBlobClient(name);
      const content = JSON.parse((await blob.downloadToBuffer()).toString("utf8")) as Record<string, unknown>;
      if (content["container"] !== where.container) continue;
      const body = JSON.stringify({ ...content, since: new Date(Date.now() + later).toISOString() });
      await blob.upload(body, body.length);
    }
    expect(await claim(where, "two", () => undefined)).toEqual({ claimed: true, layout: "files" });
  });

  it("another root is refused, unless that is wanted; the first root stays the owner", async () => {
    const where = place();
    const run = newRun();
    await claim(where, run, () => true);
    const ledger = new Ledger(domain.service, run);
    await openRun(ledger, { ...where, root: "/site", mode: "full" });
    await closeRun(ledger, { status: "completed", counts: emptyCounts() });
    const other = { root: "/other" };
    expect(await claim(where, "two", () => false, other)).toEqual({ claimed: false, otherRoot: "/site" });
    expect(await claim(where, "three", () => false, { ...other, allowOtherRoot: true })).toEqual({
      claimed: true,
      layout: "files",
    });
    expect(await claim(where, "four", () => false)).toEqual({ claimed: true, layout: "files" });
  });

  it("prefixes and containers are destinations of their own", async () => {
    const where = place();
    expect(await claim(where, "one", () => true)).toEqual({ claimed: true, layout: "files" });
    expect(await claim({ ...where, prefix: "a" }, "two", () => true)).toEqual({
      claimed: true,
      layout: "files",
    });
    expect(await claim(place(), "three", () => true)).toEqual({ claimed: true, layout: "files" });
  });

  it("of many at once one wins", async () => {
    const where = place();
    const results = await Promise.all(
      Array.from({ length: 12 }, (_, i) => claim(where, `run${i}`, () => true)),
    );
    expect(results.filter(({ claimed }) => claimed)).toHaveLength(1);
  });
});

/** A backup that ended well, as its record has it. */
async function record(where: Place, run = newRun()): Promise<void> {
  const ledger = new Ledger(domain.service, run);
  await openRun(ledger, { ...where, root: "/site", mode: "full" });
  await closeRun(ledger, { status: "completed", counts: emptyCounts() });
}

const packs = { layout: "packs" };
const files = { layout: "files" };
const never = () => false;

describe("the layout of a destination", () => {
  it("is the one that is named first, and stays once there are backups", async () => {
    const where = place();
    expect(await claim(where, "one", never, packs)).toEqual({ claimed: true, layout: "packs" });
    expect(await claim(where, "one", never, files)).toEqual({ claimed: true, layout: "packs" });
    await record(where);
    expect(await claim(where, "two", never)).toEqual({ claimed: true, layout: "packs" });
    expect(await claim(where, "three", never, files)).toEqual({ claimed: false, otherLayout: "packs" });
  });

  it("can change while nothing is there", async () => {
    const where = place();
    await claim(where, "one", never);
    expect(await claim(where, "two", () => true, packs)).toEqual({ claimed: false, activeRun: "one" });
    expect(await claim(where, "two", never, packs)).toEqual({ claimed: true, layout: "packs" });
    expect(await claim(where, "three", never, files)).toEqual({ claimed: true, layout: "files" });
    await record(where);
    expect(await claim(where, "four", never, packs)).toEqual({ claimed: false, otherLayout: "files" });
  });

  it("is files where an older version made the claim, which names none", async () => {
    const where = place();
    await record(where);
    const content = { ...where, root: "/site", run: null, since: new Date().toISOString() };
    const key = createHash("sha256").update(`${where.container}\n`).digest("hex").slice(0, 32);
    const blob = domain.service
      .getContainerClient("backup-runs")
      .getBlockBlobClient(`destinations/${key}.json`);
    const body = JSON.stringify(content);
    await blob.upload(body, body.length);
    expect(await claim(where, "one", never, packs)).toEqual({ claimed: false, otherLayout: "files" });
    expect(await claim(where, "two", never)).toEqual({ claimed: true, layout: "files" });
  });
});

describe("a destination of the layout packs overlaps no other", () => {
  it.each([
    ["files within packs", "", packs, "site", files],
    ["packs within files", "", files, "site", packs],
    ["packs within packs", "a", packs, "a/b/c", packs],
    ["files around packs", "a/b", packs, "a", files],
    ["packs around files", "a/b", files, "", packs],
  ] as const)("%s", async (_what, first, one, second, other) => {
    const where = { ...place(), prefix: first };
    const within = { ...where, prefix: second };
    await claim(where, "one", () => true, one);
    const refused = { claimed: false, overlaps: { ...where, ...one } };
    // While its run is active; once it has backups; not where it has left nothing.
    expect(await claim(within, "two", () => true, other)).toEqual(refused);
    await record(where);
    expect(await claim(within, "two", never, other)).toEqual(refused);
    expect(await claim({ ...within, container: place().container }, "two", never, other)).toMatchObject({
      claimed: true,
    });
  });

  it("but may be beside it, and yields where it has left nothing", async () => {
    const where = { ...place(), prefix: "a" };
    await claim(where, "one", never, packs);
    expect(await claim({ ...where, prefix: "ab" }, "two", never)).toEqual({ claimed: true, layout: "files" });
    expect(await claim({ ...where, prefix: "a/b" }, "three", never)).toMatchObject({ claimed: true });
    await record({ ...where, prefix: "a/b" });
    expect(await claim(where, "four", never)).toEqual({ claimed: true, layout: "files" });
    expect(await claim(where, "five", never, packs)).toMatchObject({ claimed: false, overlaps: files });
  });

  it("of two that start at once at most one is accepted, and a refused one is in nobody's way", async () => {
    for (let round = 0; round < 4; round++) {
      const where = place();
      const started = await Promise.all([
        claim(where, "outer", () => true, round % 2 ? packs : files),
        claim({ ...where, prefix: "a/b" }, "inner", () => true, packs),
      ]);
      expect(started.filter(({ claimed }) => claimed).length).toBeLessThan(2);
      if (started.some(({ claimed }) => claimed)) continue;
      expect(await claim({ ...where, prefix: "a" }, "later", () => true, packs)).toMatchObject({
        claimed: true,
      });
    }
  });
});
