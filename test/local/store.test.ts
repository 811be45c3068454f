import { mkdtempSync, readFileSync, readdirSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { SCHEMA_VERSION, openDatabase } from "../../local/durable/database.ts";
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
    expect(refusal(file)).toContain(`was written by a newer version (schema ${SCHEMA_VERSION + 1}`);
  });

  it.each([0, 50, 8192, 32768])("when it is cut to %i bytes", (size) => {
    const file = made();
    truncateSync(file, size);
    expect(refusal(file)).toMatch(/is damaged \(.*\)\. Nothing was changed\./);
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
    expect(refusal(file)).toContain("it is not the local host's");
  });

  it("but one that is whole opens again, with what is in it", () => {
    const file = made();
    const store = new Store(openDatabase(file));
    expect(store.history("instance")).toHaveLength(100);
    store.close();
  });
});
