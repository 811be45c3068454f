/** What a run cost the durable engine, read from the state of a local host that has stopped. */
import { readdirSync } from "node:fs";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";

export interface DurableCost {
  activities: number;
  /** Times that an orchestrator was called. */
  turns: number;
  orchestrations: number;
  /** Events of the longest history. */
  longestHistory: number;
}

const TASK_SCHEDULED = 4;
const ORCHESTRATOR_STARTED = 12;

/** Counts what all instances in the state folder did. */
export function durableCost(stateFolder: string): DurableCost {
  const file = readdirSync(stateFolder).find((name) => name.endsWith(".sqlite"));
  if (file === undefined) throw new Error(`There is no durable state in ${stateFolder}.`);
  const database = new DatabaseSync(path.join(stateFolder, file), { readOnly: true });
  try {
    const number = (sql: string, ...values: number[]): number =>
      Number(Object.values(database.prepare(sql).get(...values) ?? {})[0] ?? 0);
    const ofType = "SELECT count(*) FROM history WHERE event ->> 'EventType' = ?";
    return {
      activities: number(ofType, TASK_SCHEDULED),
      turns: number(ofType, ORCHESTRATOR_STARTED),
      orchestrations: number("SELECT count(*) FROM instances"),
      longestHistory: number(
        "SELECT max(events) FROM (SELECT count(*) AS events FROM history GROUP BY instance_id)",
      ),
    };
  } finally {
    database.close();
  }
}
