import { mkdtempSync, readFileSync, rmSync, statSync, existsSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { SCHEMA_VERSION } from "../../local/durable/database.ts";
import { type LocalHostProcess, runLocalHost } from "../harness/local-host.ts";
import { FIXTURE_APP, begin, ended, raise, startFixture, statusOf, until } from "./durable-helpers.ts";

let folder: string;
let state: string;
let host: LocalHostProcess | undefined;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "durability-"));
  state = path.join(folder, "state");
});
afterEach(async () => {
  await host?.stop();
  host = undefined;
  rmSync(folder, { recursive: true, force: true });
});

function lines(file: string): string[] {
  return existsSync(file) ? readFileSync(file, "utf8").trim().split("\n") : [];
}

/** The key in an address that it hands out. */
async function codeOf({ url }: LocalHostProcess): Promise<string | null> {
  const response = await fetch(`${url}/orchestrators/fan`, { method: "POST" });
  return new URL(response.headers.get("location") ?? "").searchParams.get("code");
}

describe("a host that is killed", () => {
  it("runs queued activities again after the next start, and completed ones no more", async () => {
    host = await startFixture({ state });
    const file = path.join(folder, "notes");
    const id = await begin(host, "notes", { file, count: 200, wait: 100 });
    let recorded = 0;
    while (recorded < 20) {
      const { historyEvents = [] } = await statusOf(host, id, "?showHistory=true");
      recorded = historyEvents.filter((event) => event["EventType"] === "TaskCompleted").length;
    }
    await host.kill();
    expect(lines(file).filter((line) => line.startsWith("end")).length).toBeLessThan(200);

    host = await host.restart();
    expect(await ended(host, id)).toMatchObject({ runtimeStatus: "Completed", output: 200 });
    const startsOf = new Map<string, number>();
    for (const line of lines(file).filter((each) => each.startsWith("start"))) {
      const key = line.split(" ")[1] ?? "";
      startsOf.set(key, (startsOf.get(key) ?? 0) + 1);
    }
    expect(startsOf.size).toBe(200);
    const starts = [...startsOf.values()];
    expect(starts.filter((count) => count === 1).length).toBeGreaterThanOrEqual(recorded);
    // Those that were running when it was killed.
    expect(starts.filter((count) => count > 1).length).toBeGreaterThan(0);
  });

  it("still knows events, timers, inputs and ids, and its key: addresses handed out before still work", async () => {
    host = await startFixture({ state });
    const code = await codeOf(host);
    expect(code).toMatch(/^[\w-]{44}$/);
    const waiting = await begin(host, "events");
    const retrying = await begin(host, "timer");
    await until(host, retrying, ({ runtimeStatus }) => runtimeStatus !== "Pending");
    await raise(host, waiting, "two", "second");
    await host.kill();
    host = await host.restart();
    expect((await ended(host, retrying)).runtimeStatus).toBe("Completed");
    await raise(host, waiting, "three", "third");
    await raise(host, waiting, "one", "first");
    expect((await ended(host, waiting)).output).toEqual(["first", "second", "third"]);
    expect((await statusOf(host, waiting)).name).toBe("events");
    expect(await codeOf(host)).toBe(code);
  });
});

describe("a host that is asked to stop", () => {
  it("lets what runs finish, and takes up what it had not begun when it starts again", async () => {
    const file = path.join(folder, "notes");
    host = await startFixture({ state, app: FIXTURE_APP });
    // More than run at once.
    const id = await begin(host, "notes", { file, count: 150, wait: 300 });
    while (lines(file).length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(await host.stop()).toBe(0);
    const begun = lines(file).filter((line) => line.startsWith("start")).length;
    expect(lines(file).filter((line) => line.startsWith("end"))).toHaveLength(begun);
    expect(begun).toBeLessThan(150);
    host = await host.restart();
    expect((await ended(host, id)).output).toBe(150);
    expect(lines(file).filter((line) => line.startsWith("start"))).toHaveLength(150);
  });
});

describe("the state", () => {
  const file = () => path.join(state, "Fixture.sqlite");

  it("is for its owner's eyes only, and used by one host at a time", async () => {
    host = await startFixture({ state });
    expect(statSync(file()).mode & 0o777).toBe(0o600);
    expect(statSync(`${file()}-wal`).mode & 0o777).toBe(0o600);
    const second = await runLocalHost({ app: FIXTURE_APP, state });
    expect(second.code).toBe(1);
    expect(second.stderr).toMatch(/^Another local host .*--state.*\n$/);
    expect(second.stderr).toContain(` ${file()}`);
    expect((await fetch(`${host.url}/pid`)).status).toBe(200);
  });

  it("of a newer version stops the host, with exit code 1", async () => {
    const first = await startFixture({ state });
    await first.stop();
    const database = new DatabaseSync(file());
    database.exec(`PRAGMA user_version = ${SCHEMA_VERSION + 1}`);
    database.close();
    const { code, stderr } = await runLocalHost({ app: FIXTURE_APP, state });
    expect(code).toBe(1);
    expect(stderr).toContain(file());
    expect(stderr).toMatch(new RegExp(`newer version.* ${SCHEMA_VERSION + 1}\\b`));
  });
});
