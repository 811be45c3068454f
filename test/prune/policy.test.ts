/** The policy against restic itself (recorded by record-restic.ts), and what is chosen beyond restic. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { emptyCounts } from "../../src/model/outcome.ts";
import { chooseRuns } from "../../src/prune/choose-runs.ts";
import type { KnownRun } from "../../src/prune/known-runs.ts";
import { applyPolicy, type Policy } from "../../src/prune/policy.ts";

const { version, times, recorded } = JSON.parse(
  readFileSync(new URL("restic.json", import.meta.url), "utf8"),
) as { version: string; times: string[]; recorded: { policy: Policy; kept: Record<string, string[]> }[] };

const NOW = new Date("2026-11-24T12:00:00Z");

describe(`as ${version.split(" compiled", 1)[0]} keeps`, () => {
  const runs = times.map((time) => ({ started: new Date(time) }));

  it.each(recorded)("$policy", ({ policy, kept }) => {
    const ours = applyPolicy(runs, policy, NOW).filter(({ reasons }) => reasons.length > 0);
    // restic says "oldest" of such a snapshot since 0.17.
    const plain = (reasons: string[]) => reasons.map((reason) => reason.replace(/^oldest /, "")).sort();
    expect(
      Object.fromEntries(ours.map(({ run, reasons }) => [run.started.toISOString(), plain(reasons)])),
    ).toEqual(Object.fromEntries(Object.entries(kept).map(([time, reasons]) => [time, plain(reasons)])));
  });
});

it('"unlimited" keeps one of each, whatever their number', () => {
  const runs = times.map((time) => ({ started: new Date(time) }));
  const kept = applyPolicy(runs, { keepYearly: "unlimited" }, NOW).filter(
    ({ reasons }) => reasons.length > 0,
  );
  expect(kept.map(({ run }) => run.started.toISOString().slice(0, 10))).toEqual([
    "2025-10-31",
    "2024-12-31",
    "2023-12-31",
  ]);
});

describe("which runs are snapshots", () => {
  const run = (id: string, hour: number, more: Partial<KnownRun> = {}): KnownRun => ({
    id,
    kind: "backup",
    root: "/site",
    container: "c",
    prefix: "",
    status: "completed",
    counts: { ...emptyCounts(), copied: 1 },
    filters: "none",
    started: new Date(Date.UTC(2026, 10, 20, hour)).toISOString(),
    finished: new Date(Date.UTC(2026, 10, 20, hour, 30)).toISOString(),
    ...more,
  });
  const failed = { status: "failed", counts: { ...emptyCounts(), copied: 1, failed: 1 } } as const;
  /** The runs that stay, newest first, and those of them that a rule of the policy counts: by restic's word for it. */
  const kept = (runs: KnownRun[], read: string[] = []) => {
    const { kept: stay } = chooseRuns(runs, { keepLast: 1 }, new Set(read), NOW);
    const counted = stay.filter(({ reasons }) => reasons.includes("last snapshot"));
    return { stay: stay.map(({ id }) => id), counted: counted.map(({ id }) => id) };
  };

  it("runs with failed files count, but the newest complete one never goes", () => {
    const runs = [run("old", 1), run("whole", 2), run("f1", 3, failed), run("f2", 4, failed)];
    expect(kept(runs)).toEqual({ stay: ["f2", "whole"], counted: ["f2"] });
  });

  it("a run that was broken off is no snapshot, whatever failed before", () => {
    const broken = run("broken", 2, { ...failed, brokenOff: true });
    expect(kept([run("a", 1), broken])).toEqual({ stay: ["broken", "a"], counted: ["a"] });
    expect(kept([run("a", 1), broken, run("b", 3)])).toEqual({ stay: ["b"], counted: ["b"] });
  });

  it("a run that was canceled stays until a later snapshot stands", () => {
    const canceled = run("canceled", 2, { status: "canceled" });
    expect(kept([run("a", 1), canceled])).toEqual({ stay: ["canceled", "a"], counted: ["a"] });
    expect(kept([run("a", 1), canceled, run("b", 3)])).toEqual({ stay: ["b"], counted: ["b"] });
  });

  it("each root has a policy of its own", () => {
    const runs = [run("a", 1), run("b", 2), run("x", 1, { root: "/other" })];
    expect(kept(runs)).toEqual({ stay: ["b", "x"], counted: ["b", "x"] });
  });

  it("each set of filters has a policy of its own; a run that was never listed goes with any later snapshot", () => {
    const narrow = { filters: "narrow" };
    const unlisted = run("unlisted", 2, { status: "failed", counts: emptyCounts(), filters: undefined });
    const both = [run("a", 1), unlisted, run("n1", 3, narrow), run("n2", 4, narrow)];
    expect(kept(both)).toEqual({ stay: ["n2", "a"], counted: ["n2", "a"] });
    const broken = run("broken", 2, { status: "canceled" });
    expect(kept([run("a", 1), broken, run("n", 3, narrow)])).toEqual({
      stay: ["n", "broken", "a"],
      counted: ["n", "a"],
    });
  });

  it("a suspect run is counted by no rule, and goes when a later snapshot stands", () => {
    const suspect = run("suspect", 2, { ...failed, suspect: true });
    expect(kept([run("a", 1), suspect])).toEqual({ stay: ["suspect", "a"], counted: ["a"] });
    expect(kept([run("a", 1), suspect, run("b", 3)])).toEqual({ stay: ["b"], counted: ["b"] });
  });

  it("a run dated in the future is counted by no rule, and stays until then", () => {
    const future = run("future", 24 * 365);
    expect(kept([run("a", 1), run("b", 2), future])).toEqual({ stay: ["future", "b"], counted: ["b"] });
  });

  it("what is being read stays, and what a prune has begun to delete goes", () => {
    const runs = [run("a", 1), run("b", 2), run("c", 3, { forgotten: "prune" })];
    expect(kept(runs, ["a"])).toEqual({ stay: ["b", "a"], counted: ["b"] });
  });

  it("a run whose record is damaged stays", () => {
    const damaged = run("d", 1, { status: "damaged" });
    const { stay, counted } = kept([{ ...damaged, started: undefined }, run("b", 2)]);
    expect([stay.toSorted(), counted]).toEqual([["b", "d"], ["b"]]);
  });
});
