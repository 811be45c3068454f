/**
 * The SQLite file that holds a task hub. WAL with synchronous=NORMAL: every commit is in the operating system's
 * hands before it is acted on, so that a killed process loses nothing; only a power cut may undo the last
 * commits, and even that leaves the file whole.
 */
import { closeSync, existsSync, openSync, readSync, renameSync, rmSync, statSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { StartUpError, messageOf } from "../start-up-error.ts";

/** "SBLH": marks the file as the local host's. */
const APPLICATION_ID = 0x53424c48;
export const SCHEMA_VERSION = 1;

const SCHEMA = `
  CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE instances (
    id TEXT PRIMARY KEY, execution_id TEXT NOT NULL, name TEXT NOT NULL, status INTEGER NOT NULL,
    input TEXT, output TEXT, custom_status TEXT, version TEXT, parent TEXT,
    created INTEGER NOT NULL, updated INTEGER NOT NULL
  ) WITHOUT ROWID;
  CREATE TABLE history (
    instance_id TEXT NOT NULL, seq INTEGER NOT NULL, event TEXT NOT NULL, caused_by INTEGER,
    PRIMARY KEY (instance_id, seq)
  ) WITHOUT ROWID;
  CREATE TABLE inbox (id INTEGER PRIMARY KEY, instance_id TEXT NOT NULL, execution_id TEXT, event TEXT NOT NULL);
  CREATE INDEX inbox_of ON inbox (instance_id);
  CREATE TABLE tasks (
    id INTEGER PRIMARY KEY, instance_id TEXT NOT NULL, execution_id TEXT NOT NULL, event_id INTEGER NOT NULL,
    name TEXT NOT NULL, input TEXT
  );
  CREATE INDEX tasks_of ON tasks (instance_id);
  CREATE TABLE timers (
    id INTEGER PRIMARY KEY, instance_id TEXT NOT NULL, execution_id TEXT NOT NULL, event_id INTEGER NOT NULL,
    fire_at TEXT NOT NULL
  );
  CREATE INDEX timers_of ON timers (instance_id);
  CREATE TABLE schedules (name TEXT PRIMARY KEY, last TEXT NOT NULL, next TEXT NOT NULL, updated TEXT NOT NULL) WITHOUT ROWID;
`;

/**
 * Opens the file, making it when there is none, and holds it alone until it is closed. Throws StartUpError when
 * another process has it open, when a newer version wrote it, and when it is damaged; it is unchanged then.
 */
export function openDatabase(file: string): DatabaseSync {
  if (!existsSync(file)) create(file);
  else checkHeader(file);
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(file);
    database.exec("PRAGMA locking_mode = EXCLUSIVE; PRAGMA busy_timeout = 0; BEGIN EXCLUSIVE; COMMIT;");
    const check = database.prepare("PRAGMA quick_check(1)").get() as { quick_check: string };
    if (check.quick_check !== "ok") throw new Error(check.quick_check);
    database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON;");
    return database;
  } catch (error) {
    if (database?.isOpen) database.close();
    if (/locked|busy/i.test(messageOf(error))) throw new StateInUseError(file);
    throw damaged(file, messageOf(error));
  }
}

/** Another process holds the state. */
export class StateInUseError extends StartUpError {
  constructor(file: string) {
    super(
      `Another local host is using ${file}. Stop it first, or give this one its own folder with --state.`,
    );
  }
}

/** Made under another name first: a file under the real name is always whole, so an empty one is a damaged one. */
function create(file: string): void {
  const draft = `${file}.new`;
  rmSync(draft, { force: true });
  closeSync(openSync(draft, "w", 0o600));
  const database = new DatabaseSync(draft);
  try {
    database.exec(
      `PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${SCHEMA_VERSION}; ${SCHEMA}`,
    );
  } catch (error) {
    throw new StartUpError(`Cannot create ${file}: ${messageOf(error)}.`);
  } finally {
    database.close();
  }
  renameSync(draft, file);
}

/** Reads the header without SQLite, which might write to the file on opening it. */
function checkHeader(file: string): void {
  const header = Buffer.alloc(100);
  const handle = openSync(file, "r");
  try {
    const read = readSync(handle, header, 0, header.length, 0);
    if (read < header.length || header.toString("latin1", 0, 16) !== "SQLite format 3\0") {
      throw damaged(file, "it has no SQLite header");
    }
  } finally {
    closeSync(handle);
  }
  if (header.readUInt32BE(68) !== APPLICATION_ID) throw damaged(file, "it is not the local host's");
  const version = header.readUInt32BE(60);
  if (version > SCHEMA_VERSION) {
    throw new StartUpError(
      `${file} was written by a newer version (schema ${version}; this one knows ${SCHEMA_VERSION}). ` +
        "Update this copy, or give it its own folder with --state. Nothing was changed.",
    );
  }
  const pageSize = header.readUInt16BE(16) === 1 ? 65_536 : header.readUInt16BE(16);
  const pages = header.readUInt32BE(28);
  if (statSync(file).size < pages * pageSize && !existsSync(`${file}-wal`))
    throw damaged(file, "it is cut short");
}

function damaged(file: string, why: string): StartUpError {
  return new StartUpError(
    `${file} is damaged (${why}). Nothing was changed. Restore it, or start afresh with npm run clean.`,
  );
}
