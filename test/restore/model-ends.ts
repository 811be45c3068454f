/** The ways in which a backup of the model ends: by itself, killed and gone on with, canceled, or canceled and still at work. */
import type { BlobServiceClient } from "@azure/storage-blob";
import fc from "fast-check";
import { newRun } from "../harness/domain.ts";
import type { Tally } from "../../src/model/outcome.ts";
import { Ledger } from "../../src/ledger/ledger.ts";
import { readRun, type RunRecord } from "../../src/ledger/run-record.ts";
import { closeRun, openRun } from "../../src/ledger/runs.ts";
import { Life, mortalDrive } from "../prune/dying-service.ts";
import type { TestStorage } from "../harness/azurite.ts";
import { Drive } from "../harness/drive.ts";

/** Files of more bytes are copied, restored and read back by ranges. */
export const SETTINGS = { largeFile: 5 };

/** What happens to a backup after so many requests, if it makes as many. */
export interface Ended {
  after: number;
  how:
    /** It continues under its id. */
    | "resumed"
    /** It is canceled, and another run backs up; long ago, or just now. */
    | "canceled long ago"
    | "canceled"
    /** The same, and what was under way continues once that other run has ended. */
    | "canceled and late";
}

export const howEnded: fc.Arbitrary<Ended | undefined> = fc.oneof(
  { weight: 5, arbitrary: fc.constant(undefined) },
  {
    weight: 1,
    arbitrary: fc.record({
      after: fc.integer({ min: 1, max: 60 }),
      how: fc.constantFrom(
        "resumed" as const,
        "canceled long ago" as const,
        "canceled" as const,
        "canceled and late" as const,
      ),
    }),
  },
);

interface BackedUp {
  run: string;
  tally: Tally;
  /** Lets what is left of a canceled run continue to its end. */
  late: () => Promise<void>;
}

type Request = Parameters<Drive["backup"]>[0] & Pick<RunRecord, "root" | "mode" | "layout">;

const nothing = async (): Promise<void> => {};

/**
 * Backs up, whatever happens to the first try.
 * @param request as the tree stands when it is called
 * @param started when the first try is recorded to have begun
 * @param change changes the tree, between a try that is canceled and the next
 */
export async function backUpDespite(
  { service, connectionString }: TestStorage,
  ended: Ended | undefined,
  request: () => Request,
  started: Date,
  change: () => Promise<void>,
): Promise<BackedUp> {
  const drive = new Drive(service, SETTINGS);
  const first = newRun();
  const wanted = request();
  if (!ended) return { ...(await drive.backup(wanted, first)), late: nothing };

  const isLate = ended.how === "canceled and late";
  const life = new Life(isLate ? Infinity : ended.after);
  const gate = new Gate(ended.after);
  if (isLate) life.before = () => gate.pass();
  const going = mortalDrive(connectionString, life, SETTINGS)
    .backup(wanted, first)
    .catch(() => undefined);
  const done = await Promise.race([going, gate.held]);
  if (done && life.left > 0) return { ...done, late: nothing };
  if (!done && !(isLate ? gate.isHolding : life.left <= 0)) throw new Error("It failed before it was ended.");
  if (ended.how === "resumed") return { ...(await drive.backup(wanted, first)), late: nothing };

  const ledger = new Ledger(service, first);
  // As canceling does with a run that is just beginning.
  if (!(await readRun(ledger))) {
    const { root, mode, layout } = wanted;
    await openRun(ledger, { root, container: "backups", prefix: "", mode, ...(layout ? { layout } : {}) });
  }
  const longAgo = ended.how === "canceled long ago" ? { finished: started.toISOString() } : {};
  await closeRun(ledger, { status: "canceled", ...longAgo });
  await backdate(service, first, new Date(started.getTime() - 1));
  const late = async (): Promise<void> => {
    gate.open();
    await going;
  };
  await change();
  return { ...(await drive.backup(request())), late };
}

/** Records that a run began at another time. */
export async function backdate(service: BlobServiceClient, run: string, started: Date): Promise<void> {
  const ledger = new Ledger(service, run);
  await ledger.update("run.json", (text) =>
    JSON.stringify({ ...(JSON.parse(text) as RunRecord), started: started.toISOString() }),
  );
}

/** Lets so many pass; then holds all until it is opened. */
class Gate {
  readonly held: Promise<undefined>;
  #left: number;
  #hold!: () => void;
  #open!: () => void;
  readonly #opened: Promise<void>;

  constructor(pass: number) {
    this.#left = pass;
    this.held = new Promise((resolve) => (this.#hold = () => resolve(undefined)));
    this.#opened = new Promise((resolve) => (this.#open = resolve));
  }

  get isHolding(): boolean {
    return this.#left < 0;
  }

  async pass(): Promise<void> {
    if (this.#left-- > 0) return;
    this.#hold();
    await this.#opened;
  }

  open(): void {
    this.#open();
  }
}
