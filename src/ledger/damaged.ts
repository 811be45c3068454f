import { z } from "zod";
import { LEDGER_CONTAINER } from "../model/names.ts";
import { classify } from "../storage/errors.ts";

/** A record cannot be read: it was cut short, or somebody else wrote it. */
export class DamagedRecord extends Error {
  /** @param name the blob's name in the container of the ledgers */
  constructor(name: string, why: string) {
    super(`The record ${LEDGER_CONTAINER}/${name} is damaged: ${why}. Restore that blob, or delete it.`);
    this.name = "DamagedRecord";
  }
}

/**
 * A run's record holds something that the run did not or could not have written. Where a run reads, writes and deletes comes
 * from its request alone; a record that says otherwise ends the run.
 */
export class ChangedRecord extends Error {
  /** @param name the blob's name in the container of the ledgers */
  constructor(name: string) {
    super(
      `The record of this run was changed by someone else: ${LEDGER_CONTAINER}/${name}. The run did not act on it. ` +
        `Find out who else can write to that container, then start the run again.`,
    );
    this.name = "ChangedRecord";
  }
}

/** A newer version of the app wrote the ledger, so this one cannot read it. */
export class NewerLedger extends Error {
  constructor(runId: string) {
    super(`The record of the run ${runId} was written by a newer version of this app. Update this app.`);
    this.name = "NewerLedger";
  }
}

/** Neither a run's summary nor its first listing can be read, so what it needs is not known. */
export class UnknownRun extends Error {
  constructor(runId: string) {
    super(
      `What the run ${runId} needs is not known: ${LEDGER_CONTAINER}/${runId}/run.json and ` +
        `${LEDGER_CONTAINER}/${runId}/lists/0.json are damaged or gone. Restore one of them, or, if you no longer want ` +
        `the run, delete the folder ${runId} in the container ${LEDGER_CONTAINER}.`,
    );
    this.name = "UnknownRun";
  }
}

/** A `catch` handler that treats a damaged record as a missing one, and throws any other error on. */
export function damagedAsMissing(error: unknown): undefined {
  if (!(error instanceof DamagedRecord)) throw error;
}

/**
 * Whether trying again cannot help: storage refuses, or a record is damaged, changed or of a newer version. An activity
 * returns such an error in its result, because an activity that throws is tried again.
 */
export function isFinal(error: unknown): boolean {
  const isUnreadable =
    error instanceof DamagedRecord ||
    error instanceof ChangedRecord ||
    error instanceof NewerLedger ||
    error instanceof UnknownRun;
  return isUnreadable || classify(error) === "refused";
}

/**
 * Parses and checks a JSON text from the ledger that has a version.
 * @throws NewerLedger, DamagedRecord
 */
export function readVersioned<T>(text: string, schema: z.ZodType, runId: string, name: string): T {
  if (isNewer(readRecord(text, z.unknown(), `${runId}/${name}`))) throw new NewerLedger(runId);
  return readRecord<T>(text, schema, `${runId}/${name}`);
}

/** Whether a newer version of the app wrote a record. */
export function isNewer(record: unknown): boolean {
  return newer.safeParse(record).success;
}

const newer = z.looseObject({ version: z.number().gt(1) });

/**
 * Parses and checks a JSON text from the ledger. Fields that the schema does not have are kept.
 * @throws DamagedRecord
 */
export function readRecord<T>(text: string, schema: z.ZodType, name: string): T {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new DamagedRecord(name, "it is not JSON, or is cut short");
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return value as T;
  const [issue] = parsed.error.issues;
  throw new DamagedRecord(name, `${issue?.path.join(".") || "it"}: ${issue?.message}`);
}
