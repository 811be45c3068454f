/**
 * The SQLite file that holds a task hub. WAL with synchronous=NORMAL: every commit is handed to the operating system
 * before it is acted on, so a killed process loses nothing. Only a power cut may undo the last commits, and even that
 * leaves the file whole.
 */
import { closeSync, existsSync, openSync, readSync, renameSync, rmSync, statSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { StartUpError, messageOf } from "../start-up-error.ts";
import { EventType } from "./history-event.ts";
import { Status } from "./status.ts";

/** "SBLH": marks the file as the local host's. */
const APPLICATION_ID = 0x53424c48;
export const SCHEMA_VERSION = 2;

/**
 * Tables whose rows are also kept in memory, by id: AUTOINCREMENT never reuses an id, so an entry in memory for a
 * deleted row cannot be mistaken for another row.
 */
const KEYED = {
  inbox: `
    CREATE TABLE inbox (
      id INTEGER PRIMARY KEY AUTOINCREMENT, instance_id TEXT NOT NULL, execution_id TEXT, event TEXT NOT NULL
    );
    CREATE INDEX inbox_of ON inbox (instance_id);`,
  tasks: `
    CREATE TABLE tasks (
      id INTEGER PRIMARY KEY AUTOINCREMENT, instance_id TEXT NOT NULL, execution_id TEXT NOT NULL,
      event_id INTEGER NOT NULL, name TEXT NOT NULL, input TEXT
    );
    CREATE INDEX tasks_of ON tasks (instance_id);`,
  timers: `
    CREATE TABLE timers (
      id INTEGER PRIMARY KEY AUTOINCREMENT, instance_id TEXT NOT NULL, execution_id TEXT NOT NULL,
      event_id INTEGER NOT NULL, fire_at TEXT NOT NULL
    );
    CREATE INDEX timers_of ON timers (instance_id);`,
};

/** Turns that have begun and not ended, and how many hosts have ended in the middle of them. */
const TURNS = "CREATE TABLE turns (instance_id TEXT PRIMARY KEY, hosts INTEGER NOT NULL) WITHOUT ROWID;";

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
  ${Object.values(KEYED).join("")}
  ${TURNS}
  CREATE TABLE schedules (name TEXT PRIMARY KEY, last TEXT NOT NULL, next TEXT NOT NULL, updated TEXT NOT NULL) WITHOUT ROWID;
`;

/**
 * Timers that version 1 lost: it reused the id of a deleted timer, and the entry in memory of the first then took the
 * row of the second. They become due again, so that their orchestrations continue.
 */
const RECOVER_TIMERS = `
  INSERT INTO timers (instance_id, execution_id, event_id, fire_at)
  SELECT i.id, i.execution_id, h.event ->> 'EventId', h.event ->> 'FireAt'
  FROM instances i JOIN history h ON h.instance_id = i.id
  WHERE i.status IN (${[Status.Pending, Status.Running, Status.Suspended].join()})
    AND h.event ->> 'EventType' = ${EventType.TimerCreated}
    AND NOT EXISTS (SELECT 1 FROM timers t WHERE t.instance_id = i.id AND t.event_id = h.event ->> 'EventId')
    AND NOT EXISTS (
      SELECT 1 FROM (
        SELECT instance_id, event FROM history UNION ALL SELECT instance_id, event FROM inbox
      ) fired
      WHERE fired.instance_id = i.id AND fired.event ->> 'EventType' = ${EventType.TimerFired}
        AND fired.event ->> 'TimerId' = h.event ->> 'EventId'
    );
`;

/**
 * Opens the file, creating it if there is none, and holds it exclusively until it is closed. Throws StartUpError if
 * another process has it open, if a newer version wrote it, or if it is damaged; it is unchanged then.
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
    migrate(database);
    return database;
  } catch (error) {
    if (database?.isOpen) database.close();
    if (/locked|busy/i.test(messageOf(error))) throw new StateInUseError(file);
    throw damaged(file, messageOf(error));
  }
}

/** Migrates a file from an older version to the current schema; all or nothing. */
function migrate(database: DatabaseSync): void {
  const { user_version: version } = database.prepare("PRAGMA user_version").get() as { user_version: number };
  if (version === SCHEMA_VERSION) return;
  const rebuilt = Object.entries(KEYED).map(
    ([table, schema]) => `
      ALTER TABLE ${table} RENAME TO old_${table};
      DROP INDEX ${table}_of;
      ${schema}
      INSERT INTO ${table} SELECT * FROM old_${table};
      DROP TABLE old_${table};`,
  );
  database.exec(
    `BEGIN; ${rebuilt.join("")} ${TURNS} ${RECOVER_TIMERS} PRAGMA user_version = ${SCHEMA_VERSION}; COMMIT;`,
  );
}

/** Another process uses the state. */
export class StateInUseError extends StartUpError {
  constructor(file: string) {
    super(
      `Another local host is using ${file}. Stop it first, or give this one its own folder with --state.`,
    );
  }
}

/** Created under another name first: a file with the real name is always whole, so an empty one is damaged. */
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
