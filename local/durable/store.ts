/** Every SQL statement of the durable engine. Only `transaction` commits; callers group their writes in it. */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { HistoryEvent, ParentInstance } from "./history-event.ts";
import type { HistoryRow, InstanceRow, Message, Task, Timer } from "./rows.ts";
import type { Status } from "./status.ts";

type Row = Record<string, string | number | null>;

export class Store {
  readonly #database: DatabaseSync;
  readonly #broken: (error: unknown) => void;
  readonly #statements = new Map<string, StatementSync>();
  #depth = 0;

  /** `broken` hears of a write that failed (a full disk): what is in memory is no longer what is in the file. */
  constructor(database: DatabaseSync, broken: (error: unknown) => void = () => undefined) {
    this.#database = database;
    this.#broken = broken;
  }

  /** All of `work` or nothing; a transaction inside another is part of it. */
  transaction<T>(work: () => T): T {
    if (this.#depth > 0) return work();
    this.#database.exec("BEGIN IMMEDIATE");
    this.#depth += 1;
    try {
      const result = work();
      this.#database.exec("COMMIT");
      return result;
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
      if (isSqliteError(error)) this.#broken(error);
      throw error;
    } finally {
      this.#depth -= 1;
    }
  }

  close(): void {
    if (this.#database.isOpen) this.#database.close();
  }

  setting(name: string): string | undefined {
    return (this.#get("SELECT value FROM settings WHERE name = ?", name) as { value: string } | undefined)
      ?.value;
  }

  setSetting(name: string, value: string): void {
    this.#run(
      "INSERT INTO settings VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
      name,
      value,
    );
  }

  instance(id: string): InstanceRow | undefined {
    const row = this.#get("SELECT * FROM instances WHERE id = ?", id);
    return row && toInstance(row);
  }

  saveInstance(row: InstanceRow): void {
    this.#run(
      "INSERT OR REPLACE INTO instances (id, execution_id, name, status, input, output, custom_status, version, parent, created, updated) VALUES (?,?,?,?,?,?,?,?,?,?,?)",
      row.id,
      row.executionId,
      row.name,
      row.status,
      row.input,
      row.output,
      row.customStatus,
      row.version,
      row.parent && JSON.stringify(row.parent),
      row.created,
      row.updated,
    );
  }

  /** Instances in the order of their ids, from `from` on (inclusive), at most `limit`. */
  instances(
    from: string,
    prefix: string,
    createdFrom: number,
    createdTo: number,
    statuses: Status[],
    limit: number,
  ): InstanceRow[] {
    return this.#all(
      `SELECT * FROM instances WHERE id >= ? AND substr(id, 1, length(?)) = ? AND created >= ? AND created <= ?
       AND (json_array_length(?) = 0 OR status IN (SELECT value FROM json_each(?))) ORDER BY id LIMIT ?`,
      from,
      prefix,
      prefix,
      createdFrom,
      createdTo,
      JSON.stringify(statuses),
      JSON.stringify(statuses),
      limit,
    ).map(toInstance);
  }

  /** Removes an instance and all that belongs to it. */
  purge(id: string): void {
    this.#run("DELETE FROM instances WHERE id = ?", id);
    this.clearExecution(id);
    this.clearTasks(id);
  }

  /** The outcomes of tasks that are running are dropped then. */
  clearTasks(id: string): void {
    this.#run("DELETE FROM tasks WHERE instance_id = ?", id);
  }

  /** Forgets history, messages and timers of an instance. Tasks already queued still run, as on the real host. */
  clearExecution(id: string): void {
    this.#run("DELETE FROM history WHERE instance_id = ?", id);
    this.clearMessages(id);
  }

  clearMessages(id: string): void {
    this.#run("DELETE FROM inbox WHERE instance_id = ?", id);
    this.#run("DELETE FROM timers WHERE instance_id = ?", id);
  }

  history(id: string): HistoryRow[] {
    return this.#all("SELECT event, caused_by FROM history WHERE instance_id = ? ORDER BY seq", id).map(
      (row) => ({
        event: JSON.parse(row["event"] as string) as HistoryEvent,
        causedBy: row["caused_by"] as number | null,
      }),
    );
  }

  appendHistory(id: string, seq: number, text: string, causedBy: number | null): void {
    this.#run("INSERT INTO history VALUES (?, ?, ?, ?)", id, seq, text, causedBy);
  }

  messages(): Message[] {
    return this.#all("SELECT * FROM inbox ORDER BY id").map((row) => ({
      id: row["id"] as number,
      instanceId: row["instance_id"] as string,
      executionId: row["execution_id"] as string | null,
      event: JSON.parse(row["event"] as string) as HistoryEvent,
    }));
  }

  addMessage(message: Omit<Message, "id">): Message {
    const text = JSON.stringify(message.event);
    const id = this.#run(
      "INSERT INTO inbox (instance_id, execution_id, event) VALUES (?, ?, ?)",
      message.instanceId,
      message.executionId,
      text,
    );
    return { id, ...message };
  }

  removeMessage(id: number): void {
    this.#run("DELETE FROM inbox WHERE id = ?", id);
  }

  tasks(): Task[] {
    return this.#all("SELECT * FROM tasks ORDER BY id").map((row) => ({
      id: row["id"] as number,
      instanceId: row["instance_id"] as string,
      executionId: row["execution_id"] as string,
      eventId: row["event_id"] as number,
      name: row["name"] as string,
      input: row["input"] as string | null,
    }));
  }

  addTask(task: Omit<Task, "id">): Task {
    const id = this.#run(
      "INSERT INTO tasks (instance_id, execution_id, event_id, name, input) VALUES (?, ?, ?, ?, ?)",
      task.instanceId,
      task.executionId,
      task.eventId,
      task.name,
      task.input,
    );
    return { id, ...task };
  }

  /** False if there was no such task any more: its outcome is not wanted. */
  removeTask(id: number): boolean {
    return this.#statement("DELETE FROM tasks WHERE id = ?").run(id).changes !== 0;
  }

  timers(): Timer[] {
    return this.#all("SELECT * FROM timers").map((row) => ({
      id: row["id"] as number,
      instanceId: row["instance_id"] as string,
      executionId: row["execution_id"] as string,
      eventId: row["event_id"] as number,
      fireAt: row["fire_at"] as string,
    }));
  }

  addTimer(timer: Omit<Timer, "id">): Timer {
    const id = this.#run(
      "INSERT INTO timers (instance_id, execution_id, event_id, fire_at) VALUES (?, ?, ?, ?)",
      timer.instanceId,
      timer.executionId,
      timer.eventId,
      timer.fireAt,
    );
    return { id, ...timer };
  }

  removeTimer(id: number): boolean {
    return this.#statement("DELETE FROM timers WHERE id = ?").run(id).changes !== 0;
  }

  /** Marks that a turn of the instance is under way, and counts the hosts that began it. */
  beginTurn(id: string): void {
    this.#run(
      "INSERT INTO turns VALUES (?, 1) ON CONFLICT (instance_id) DO UPDATE SET hosts = hosts + 1",
      id,
    );
  }

  endTurn(id: string): void {
    this.#run("DELETE FROM turns WHERE instance_id = ?", id);
  }

  /** The turns that began and did not end, and how many hosts ended in each. */
  unendedTurns(): { id: string; hosts: number }[] {
    return this.#all("SELECT instance_id, hosts FROM turns").map((row) => ({
      id: row["instance_id"] as string,
      hosts: row["hosts"] as number,
    }));
  }

  schedule(name: string): { last: string; next: string; updated: string } | undefined {
    return this.#get("SELECT last, next, updated FROM schedules WHERE name = ?", name) as never;
  }

  saveSchedule(name: string, last: string, next: string, updated: string): void {
    this.#run("INSERT OR REPLACE INTO schedules VALUES (?, ?, ?, ?)", name, last, next, updated);
  }

  #statement(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (!statement) {
      statement = this.#database.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  #get(sql: string, ...values: (string | number | null)[]): Row | undefined {
    return this.#statement(sql).get(...values) as Row | undefined;
  }

  #all(sql: string, ...values: (string | number | null)[]): Row[] {
    return this.#statement(sql).all(...values) as Row[];
  }

  #run(sql: string, ...values: (string | number | null)[]): number {
    return Number(this.#statement(sql).run(...values).lastInsertRowid);
  }
}

function toInstance(row: Row): InstanceRow {
  return {
    id: row["id"] as string,
    executionId: row["execution_id"] as string,
    name: row["name"] as string,
    status: row["status"] as Status,
    input: row["input"] as string | null,
    output: row["output"] as string | null,
    customStatus: row["custom_status"] as string | null,
    version: row["version"] as string | null,
    parent: row["parent"] === null ? null : (JSON.parse(row["parent"] as string) as ParentInstance),
    created: row["created"] as number,
    updated: row["updated"] as number,
  };
}

function isSqliteError(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ERR_SQLITE_ERROR";
}
