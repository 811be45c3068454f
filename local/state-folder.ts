/** The host's own folder: made for its owner alone. */
import { randomBytes } from "node:crypto";
import { mkdirSync, chmodSync, existsSync } from "node:fs";
import path from "node:path";
import { openDatabase } from "./durable/database.ts";
import { Store } from "./durable/store.ts";
import { StartUpError, messageOf } from "./start-up-error.ts";

export interface State {
  store: Store;
  /** Random, made once per task hub: the `code` in the Durable API's addresses. */
  systemKey: string;
}

/** Opens a task hub's state, making it at first. Throws StartUpError as openDatabase does. */
export function openState(folder: string, hubName: string, broken: (error: unknown) => void): State {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new StartUpError(`Cannot create the state folder ${folder}: ${messageOf(error)}.`);
  }
  const file = path.join(folder, `${hubName}.sqlite`);
  const store = new Store(openDatabase(file), broken);
  for (const suffix of ["", "-wal"]) if (existsSync(file + suffix)) chmodSync(file + suffix, 0o600);
  let systemKey = store.setting("systemKey");
  if (systemKey === undefined) {
    systemKey = randomBytes(33).toString("base64url");
    store.setSetting("systemKey", systemKey);
  }
  return { store, systemKey };
}
