import { mkdtempSync, readFileSync, readdirSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { SCHEMA_VERSION, openDatabase } from "../../local/durable/database.ts";
import { timerCreated, timerFired } from "../../local/durable/new-event.ts";
import { Status } from "../../local/durable/status.ts";
import { Store } from "../../local/durable/store.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "store-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

it("undoes a transaction that the disk has no room for, says so, and leaves a whole file", () => {
  const file = path.join(folder, "hub.sqlite");
  const database = openDatabase(file);
  const problems: string[] = [];
  const store = new Store(database, (error) => problems.push((error as Error).message));
  store.transaction(() => store.setSetting("before", "kept"));
  // As a full disk: SQLite may not take another page.
  database.exec("PRAGMA max_page_count = 24");
  const overfill = () =>
    store.transaction(() => {
      for (let i = 0; i < 100; i += 1) store.setSetting(`large ${i}`, "x".repeat(4_000));
    });
  expect(overfill).toThrow("full");
  expect(problems).toEqual(["database or disk is full"]);
  store.close();
  const again = new Store(openDatabase(file));
  expect([again.setting("before"), again.setting("large 0")]).toEqual(["kept", undefined]);
  again.close();
});

it("makes transactions in transactions part of the outer one", () => {
  const store = new Store(openDatabase(path.join(folder, "hub.sqlite")));
  const failing = () =>
    store.transaction(() => {
      store.transaction(() => store.setSetting("inner", "1"));
      throw new Error("outer");
    });
  expect(failing).toThrow("outer");
  expect(store.setting("inner")).toBeUndefined();
  store.close();
});

describe("a file that cannot be used is refused, and not touched", () => {
  const made = (): string => {
    const file = path.join(folder, "hub.sqlite");
    const store = new Store(openDatabase(file));
    store.transaction(() => {
      for (let i = 0; i < 100; i += 1)
        store.appendHistory("instance", i, JSON.stringify({ text: "x".repeat(500) }), null);
    });
    store.close();
    return file;
  };
  const refusal = (file: string): string => {
    const before = readFileSync(file);
    let said = "";
    try {
      openDatabase(file).close();
    } catch (error) {
      said = (error as Error).message;
    }
    expect(readFileSync(file).equals(before)).toBe(true);
    expect(readdirSync(folder)).toEqual(["hub.sqlite"]);
    return said;
  };

  it("when a newer version wrote it", () => {
    const file = made();
    const database = new DatabaseSync(file);
    database.exec(`PRAGMA user_version = ${SCHEMA_VERSION + 1}`);
    database.close();
    expect(refusal(file)).toMatch(new RegExp(`newer version.* ${SCHEMA_VERSION + 1}\\b`));
  });

  it.each([0, 50, 8192, 32768])("when it is cut to %i bytes", (size) => {
    const file = made();
    truncateSync(file, size);
    expect(refusal(file)).toMatch(/is damaged \(.*\)/);
  });

  it("when a page is overwritten", () => {
    const file = made();
    writeFileSync(file, readFileSync(file).fill(0xa5, 4096, 4096 * 6));
    expect(refusal(file)).toMatch(/is damaged/);
  });

  it("when it is another program's", () => {
    const file = path.join(folder, "hub.sqlite");
    const database = new DatabaseSync(file);
    database.exec("CREATE TABLE other (x)");
    database.close();
    expect(refusal(file)).toMatch(/not the local host/);
  });

  it("but one that is whole opens again, with what is in it", () => {
    const file = made();
    const store = new Store(openDatabase(file));
    expect(store.history("instance")).toHaveLength(100);
    store.close();
  });
});

it("brings a file of version 1 to the present schema, with the timers that version lost", () => {
  const file = path.join(folder, "hub.sqlite");
  const store = new Store(openDatabase(file));
  const at = "2026-11-27T10:00:00.000Z";
  const row = { executionId: "e", name: "o", input: null, output: null, customStatus: null, version: null };
  for (const [id, status] of [
    ["waits", Status.Running],
    ["ended", Status.Completed],
  ] as const) {
    store.saveInstance({ ...row, id, status, parent: null, created: 1, updated: 1 });
    [timerCreated(0, at), timerFired(0, at), timerCreated(1, at), timerCreated(2, at)].forEach((event, seq) =>
      store.appendHistory(id, seq, JSON.stringify(event), null),
    );
  }
  store.addTimer({ instanceId: "waits", executionId: "e", eventId: 2, fireAt: at });
  store.addTask({ instanceId: "waits", executionId: "e", eventId: 3, name: "a", input: "1" });
  store.close();
  asVersion1(file);

  const migrated = new Store(openDatabase(file));
  const timer = { instanceId: "waits", executionId: "e", fireAt: at };
  expect(migrated.timers()).toEqual([
    { id: 1, eventId: 2, ...timer },
    { id: 2, eventId: 1, ...timer },
  ]);
  expect(migrated.tasks()).toMatchObject([{ eventId: 3, name: "a", input: "1" }]);
  // An id is never given twice.
  migrated.removeTimer(2);
  expect(migrated.addTimer({ ...timer, eventId: 4 }).id).toBe(3);
  migrated.close();
});

/** Gives the tables the form that they had before ids were kept from being used again. */
function asVersion1(file: string): void {
  const database = new DatabaseSync(file);
  const columns = {
    inbox: "instance_id TEXT NOT NULL, execution_id TEXT, event TEXT NOT NULL",
    tasks:
      "instance_id TEXT NOT NULL, execution_id TEXT NOT NULL, event_id INTEGER NOT NULL, name TEXT NOT NULL, input TEXT",
    timers:
      "instance_id TEXT NOT NULL, execution_id TEXT NOT NULL, event_id INTEGER NOT NULL, fire_at TEXT NOT NULL",
  };
  for (const [table, its] of Object.entries(columns)) {
    database.exec(`
      ALTER TABLE ${table} RENAME TO new_${table}; DROP INDEX ${table}_of;
      CREATE TABLE ${table} (id INTEGER PRIMARY KEY, ${its}); CREATE INDEX ${table}_of ON ${table} (instance_id);
      INSERT INTO ${table} SELECT * FROM new_${table}; DROP TABLE new_${table};`);
  }
  database.exec("DROP TABLE turns; PRAGMA user_version = 1;");
  database.close();
}
