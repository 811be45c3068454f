/** Who may write to a destination, now and at all. */
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
