/** Runs backups, restores, verifications and prunes by their real orchestrators and activities, without a host. */
import type { BlobServiceClient } from "@azure/storage-blob";
import { afterAll } from "vitest";
import type { End } from "../../src/ledger/end-run.ts";
import { Ledger } from "../../src/ledger/ledger.ts";
import { isOfDirectories } from "../../src/ledger/names.ts";
import { readOutcomes } from "../../src/ledger/outcomes.ts";
import type { Outcome, Tally } from "../../src/model/outcome.ts";
import { readDecision } from "../../src/prune/decision.ts";
import { readSettings, type Settings } from "../../src/settings.ts";
import { createBudget, type Budget } from "../../src/storage/budget.ts";
import { takeAccount } from "./azurite.ts";
import { newRun } from "./domain.ts";
import { runActivity } from "./functions.ts";
import { orchestrate } from "./orchestrate.ts";

/** How a run ended, by what it recorded. */
interface Ended {
  run: string;
  tally: Pick<Tally, "counts" | "failures" | "stopped">;
  /** What it said at its end, if it had anything to say. */
  message: string | undefined;
}

type Request = Record<string, unknown>;

/** An account for a test's file, and a drive on that. */
export function startDrive() {
  const azurite = takeAccount();
  afterAll(() => azurite.stop());
  return { azurite, drive: new Drive(azurite.service) };
}

/** The app on some account with some settings. A run of the same id as one that was broken off continues where that was. */
export class Drive {
  readonly service: BlobServiceClient;
  readonly settings: Settings;
  readonly budget: Budget;
  readonly #deliveries: number;
  /** Called before each delivery of an activity; what it throws the activity fails with. */
  before: (activity: string, input: unknown) => Promise<void> | void = () => undefined;

  /** @param deliveries how often each activity is delivered, at the same time */
  constructor(service: BlobServiceClient, settings: Partial<Settings> = {}, deliveries = 1) {
    this.service = service;
    this.#deliveries = deliveries;
    this.settings = {
      ...readSettings({ AzureWebJobsStorage: "UseDevelopmentStorage=true" }),
      cores: 2,
      ...settings,
    };
    this.budget = createBudget(16, 64 * 1024 * 1024);
  }

  async backup(request: { root: string } & Request, run = newRun()): Promise<Ended> {
    return await this.#run("backupSiteContent", request, run);
  }

  /** @returns also how many names were deleted (in a dry run: would be) */
  async restore(request: { to: string } & Request, run = newRun()): Promise<Ended & { deleted: number }> {
    let deleted = 0;
    const ended = await this.#run("restoreSiteContent", request, run, (result) => {
      if (typeof result === "object" && result !== null && "deleted" in result)
        deleted += Number(result.deleted);
    });
    return { ...ended, deleted };
  }

  async verify(request: { run: string } & Request, run = newRun()): Promise<Ended> {
    return await this.#run("verifyBackup", request, run);
  }

  /** @returns also the runs that stay and those that go */
  async prune(request: Request, run = newRun()): Promise<Ended & { kept: string[]; forgotten: string[] }> {
    const ended = await this.#run("pruneBackups", request, run);
    const { kept = [], forgotten = [] } = (await readDecision(new Ledger(this.service, run)))?.decision ?? {};
    return { ...ended, kept: kept.map(({ id }) => id), forgotten: forgotten.map(({ id }) => id) };
  }

  /** All outcomes of a run, by path. */
  async outcomes(run: string): Promise<Map<string, Outcome>> {
    return new Map((await this.#outcomes(run)).map((outcome) => [outcome.path, outcome]));
  }

  /** Runs to the end, whatever came of it. @throws what kept the end from being recorded */
  async #run(
    orchestrator: string,
    request: Request,
    run: string,
    onResult: (result: unknown) => void = () => undefined,
  ): Promise<Ended> {
    const { service: storage, settings, budget } = this;
    let end: End | undefined;
    const call = async (activity: string, input: unknown): Promise<unknown> => {
      const deliver = async () => {
        await this.before(activity, input);
        return await runActivity(activity, input, { storage, settings, budget });
      };
      const [result] = await Promise.all(Array.from({ length: this.#deliveries }, deliver));
      if (activity === "endRun") end = input as End;
      onResult(result);
      return result;
    };
    const failure = await orchestrate({ name: orchestrator, input: request, id: run }, call).then(
      () => undefined,
      (error: unknown) => error,
    );
    if (end === undefined) throw failure;
    const { counts, brokenOff, message } = end as End;
    const failed = counts.failed === 0 ? [] : await this.#outcomes(run);
    const failures = failed
      .filter(({ outcome }) => outcome === "failed")
      .map(({ path, reason = "" }) => `${path}: ${reason}`);
    return { run, tally: { counts, failures, ...(brokenOff ? { stopped: message ?? "" } : {}) }, message };
  }

  async #outcomes(run: string): Promise<Outcome[]> {
    const ledger = new Ledger(this.service, run);
    const container = this.service.getContainerClient("backup-runs");
    const outcomes: Outcome[] = [];
    for await (const { name } of container.listBlobsFlat({ prefix: `${run}/outcomes/` }))
      if (!isOfDirectories(name))
        outcomes.push(...((await readOutcomes(ledger, name.slice(run.length + 1))) ?? []));
    return outcomes;
  }
}
