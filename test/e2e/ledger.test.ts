/** The record that every run leaves in the container `backup-runs`, and the custom status. */
import { execFileSync } from "node:child_process";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { outcomesByPath, readLedger } from "../harness/blobs.ts";
import { directory, link, makeTree, manyFiles } from "../harness/tree.ts";
import { backUp, inFiles, newContainer, newRoot, service } from "./client.ts";

/** Counts in metadata have no capitals: Blob Storage's metadata names ignore case. */
function lowerCased(counts: Record<string, number>): Record<string, number> {
  return Object.fromEntries(Object.entries(counts).map(([key, value]) => [key.toLowerCase(), value]));
}

describe("the ledger of a run", () => {
  it.runIf(inFiles)("lists every file, gives each exactly one outcome, and its counts add up", async () => {
    const root = await makeTree(await newRoot(), {
      ...manyFiles(150),
      "bad name.": "cannot be a blob",
      "a link": link("nowhere"),
      empty: directory(),
    });
    execFileSync("mkfifo", [path.join(root, "pipe")]);
    const container = newContainer();
    const status = await backUp({ root, container: container.containerName, prefix: "site" });
    expect(status.runtimeStatus).toBe("Failed");
    expect(status.output).toMatch(/\b1 of 153 files .* bad name\.: /);

    const ledger = await readLedger(service, status.instanceId);
    expect(ledger.names.filter((name) => name.startsWith("lists/")).length).toBeGreaterThan(0);
    const outcomes = [...outcomesByPath(ledger).values()];
    const expected = { copied: 151, unchanged: 0, vanished: 0, skipped: 1, failed: 1, directories: 1 };
    expect(outcomes).toHaveLength(154);
    for (const name of ["unchanged", "vanished", "skipped", "failed"] as const) {
      expect(outcomes.filter((it) => it.outcome === name)).toHaveLength(expected[name]);
    }
    expect(outcomes.filter((it) => it.outcome === "copied" && it.kind !== "directory")).toHaveLength(151);
    const bytes = outcomes.reduce((sum, it) => sum + it.size, 0);
    const counts = { ...expected, bytes, unchangedBytes: 0 };
    expect(ledger.counts).toEqual(lowerCased(counts));
    expect(ledger.run).toEqual({
      version: 1,
      id: status.instanceId,
      app: expect.any(String) as string,
      root,
      container: container.containerName,
      prefix: "site",
      mode: "full",
      started: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      finished: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      status: "failed",
      counts,
      message: expect.stringContaining("1 of 153 files failed"),
    });
    expect(status.customStatus).toEqual({ phase: "failed", runId: status.instanceId, counts });
  });

  it("of a run that succeeds: completed, with the bytes that are its output", async () => {
    const root = await makeTree(await newRoot(), { a: "12345" });
    const status = await backUp({ root, container: newContainer().containerName });
    const { run } = await readLedger(service, status.instanceId);
    expect(run).toMatchObject({ status: "completed", counts: { copied: 1, bytes: 5 } });
    expect(run).not.toHaveProperty("message");
    expect(status.customStatus).toMatchObject({ phase: "completed", counts: { copied: 1, bytes: 5 } });
    expect(status.output).toBe(5);
  });

  it("of a run whose root is missing: failed, with the message", async () => {
    const root = path.join(await newRoot(), "missing");
    const status = await backUp({ root, container: newContainer().containerName });
    const { run, outcomes } = await readLedger(service, status.instanceId);
    expect(run).toMatchObject({ status: "failed", message: `The directory ${root} does not exist.` });
    expect(outcomes).toEqual([]);
  });
});
