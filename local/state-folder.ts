/** The host's own folder, created for its owner only. */
import { randomBytes } from "node:crypto";
import { mkdirSync, chmodSync, existsSync } from "node:fs";
import { hostname } from "node:os";
import path from "node:path";
import { openDatabase } from "./durable/database.ts";
import { Store } from "./durable/store.ts";
import { StartUpError, messageOf } from "./start-up-error.ts";

export interface State {
  store: Store;
  /** Random, created once per task hub: the `code` in the Durable API's addresses. */
  systemKey: string;
  /** Created once per task hub: tells its app from others on the same storage. */
  hostId: string;
}

/** Opens a task hub's state, creating it at first. Throws StartUpError as openDatabase does. */
export function openState(folder: string, hubName: string, broken: (error: unknown) => void): State {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new StartUpError(`Cannot create the state folder ${folder}: ${messageOf(error)}.`);
  }
  const file = path.join(folder, `${hubName}.sqlite`);
  const store = new Store(openDatabase(file), broken);
  for (const suffix of ["", "-wal"]) if (existsSync(file + suffix)) chmodSync(file + suffix, 0o600);
  const once = (name: string, make: () => string): string => {
    const kept = store.setting(name);
    if (kept !== undefined) return kept;
    const made = make();
    store.setSetting(name, made);
    return made;
  };
  return {
    store,
    systemKey: once("systemKey", () => randomBytes(33).toString("base64url")),
    hostId: once("hostId", newHostId),
  };
}

/**
 * By the Functions host's rule: at most 32 of a-z, 0-9 and single hyphens. It contains the machine's name, for
 * people.
 */
function newHostId(): string {
  const machine = (
    hostname()
      .toLowerCase()
      .match(/[a-z0-9]+/g) ?? []
  )
    .join("-")
    .slice(0, 19);
  return `${machine.replace(/-$/, "") || "local"}-${randomBytes(6).toString("hex")}`;
}
