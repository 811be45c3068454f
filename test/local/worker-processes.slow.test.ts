import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { LocalHostProcess } from "../harness/local-host.ts";
import { begin, ended, run, startFixture } from "./durable-helpers.ts";

let folder: string;
let host: LocalHostProcess;

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), "workers-"));
  host = await startFixture({ env: { FUNCTIONS_WORKER_PROCESS_COUNT: "2" } });
});
afterAll(async () => {
  await host.stop();
  rmSync(folder, { recursive: true, force: true });
});

function lines(file: string): string[][] {
  try {
    return readFileSync(file, "utf8")
      .trim()
      .split("\n")
      .map((line) => line.split(" "));
  } catch {
    return [];
  }
}

function pidsIn(file: string): number[] {
  return [...new Set(lines(file).map((line) => Number(line[2])))];
}

async function waitFor(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 10));
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe("with two worker processes", () => {
  it("runs activities in both, and none in the host", async () => {
    const file = path.join(folder, "spread");
    expect((await run(host, "notes", { file, count: 20, wait: 20 })).output).toBe(20);
    expect(pidsIn(file)).toHaveLength(2);
    expect(pidsIn(file)).not.toContain(host.pid);
  });

  it("gives errors and results back as the host's own process does", async () => {
    expect((await run(host, "fan")).output).toBe(9);
    expect((await run(host, "caught")).output).toMatch(
      /^caught Activity function 'boom' failed: {2}kaput 2 \n \{"\$type"/,
    );
  });

  it("delivers the activities of a killed process again", async () => {
    const file = path.join(folder, "killed");
    const id = await begin(host, "notes", { file, count: 8, wait: 1_000 });
    await waitFor(() => lines(file).filter(([what]) => what === "start").length === 8);
    const [victim] = pidsIn(file);
    process.kill(victim ?? -1, "SIGKILL");
    expect(await ended(host, id)).toMatchObject({ runtimeStatus: "Completed", output: 8 });
    const starts = lines(file).filter(([what]) => what === "start");
    expect(starts.length).toBeGreaterThan(8);
    expect(host.logs()).toMatch(/activity.* again/);
  });

  it("ends a process whose activity takes longer than functionTimeout, and fails the activity", async () => {
    const file = path.join(folder, "long");
    const { runtimeStatus, output } = await run(host, "tooLong", file);
    expect(runtimeStatus).toBe("Failed");
    expect(output).toContain("Timeout value of 00:00:03 exceeded by function: 'Functions.note'");
    const [pid] = pidsIn(file);
    await waitFor(() => !isAlive(pid ?? -1));
    expect((await run(host, "fan")).output).toBe(9);
  });

  it("takes them along when it is killed", async () => {
    const file = path.join(folder, "orphans");
    await run(host, "notes", { file, count: 8, wait: 20 });
    const pids = pidsIn(file).filter(isAlive);
    expect(pids.length).toBeGreaterThan(0);
    await host.kill();
    await waitFor(() => !pids.some(isAlive));
    host = await host.restart();
    expect((await run(host, "fan")).output).toBe(9);
  });
});
