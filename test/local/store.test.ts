import { mkdtempSync, rmSync } from "node:fs";
import type { DatabaseSync } from "node:sqlite";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { openDatabase } from "../../local/durable/database.ts";
import { Store } from "../../local/durable/store.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "store-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

it("undoes a transaction that the disk has no room for, says so, and leaves a whole file", () => {
  const file = path.join(folder, "hub.sqlite");
  const database: DatabaseSync = openDatabase(file);
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
