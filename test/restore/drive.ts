import { randomUUID } from "node:crypto";
import type { BlobServiceClient } from "@azure/storage-blob";
import { afterAll } from "vitest";
import { createBudget, type Budget } from "../../src/backup/budget.ts";
import { copyBatch } from "../../src/backup/copy-batch.ts";
import { listFiles } from "../../src/backup/list-files.ts";
import { emptyTally, sum, type Outcome, type Tally } from "../../src/backup/outcome.ts";
import { backupRequest } from "../../src/backup/request.ts";
import { Ledger, parseLines } from "../../src/ledger/ledger.ts";
import { closeRun } from "../../src/ledger/run-record.ts";
import { deleteExtra } from "../../src/restore/delete-extra.ts";
import { planRestore } from "../../src/restore/plan-restore.ts";
import { parseRestoreRequest } from "../../src/restore/request.ts";
import { restoreDirectories } from "../../src/restore/restore-directories.ts";
import { restoreBatch } from "../../src/restore/restore-batch.ts";
import { decidePrune } from "../../src/retention/decide-prune.ts";
import { deleteContents } from "../../src/retention/delete-contents.ts";
import { deleteLedgers, lanesOfLedgers } from "../../src/retention/delete-ledgers.ts";
import { listContents } from "../../src/retention/list-contents.ts";
import { endPrune } from "../../src/retention/end-prune.ts";
import { gatherNeeds, lanesOfNeeds } from "../../src/retention/needs.ts";
import { pruneRequest } from "../../src/retention/request.ts";
import { workOn } from "../../src/retention/step.ts";
import { readSettings, type Settings } from "../../src/settings.ts";
import { planVerify } from "../../src/verify/plan-verify.ts";
import { parseVerifyRequest } from "../../src/verify/request.ts";
import { verifyBatch } from "../../src/verify/verify-batch.ts";
import { startAzurite } from "./azurite.ts";
import { copyLarge, restoreLarge, verifyLarge } from "./drive-large.ts";

/** An Azurite for a test's file, which ends with it, and a drive on that. */
export async function startDrive() {
  const azurite = await startAzurite();
  afterAll(() => azurite.stop());
  return { azurite, drive: new Drive(azurite.service) };
}

/** Runs backups, restores and verifications as their orchestrators do, without a host. */
export class Drive {
  readonly service: BlobServiceClient;
  readonly settings: Settings;
  readonly budget: Budget;

  constructor(service: BlobServiceClient, settings: Partial<Settings> = {}) {
    this.service = service;
    this.settings = {
      ...readSettings({ AzureWebJobsStorage: "UseDevelopmentStorage=true" }),
      cores: 2,
      ...settings,
    };
    this.budget = createBudget(16, 64 * 1024 * 1024);
  }

  /** A backup of the same id as one that was broken off goes on where that was. */
  async backup(
    request: { root: string } & Record<string, unknown>,
    run = randomUUID().replaceAll("-", ""),
  ): Promise<{ run: string; tally: Tally }> {
    const value = backupRequest.parse(request);
    const tally = await this.#part(async (part, first) => {
      const listing = await listFiles(
        { run, part, ...(first ? { request: value } : {}) },
        this.service,
        this.settings,
      );
      if (listing.problem !== undefined) throw new Error(listing.problem);
      return {
        ...listing,
        workLarge: (large) => copyLarge({ run, part, large }, this),
        work: (batch) => copyBatch({ run, part, batch }, this.service, this.settings, this.budget),
      };
    });
    await this.#close(run, tally);
    return { run, tally };
  }

  async restore(
    request: { to: string } & Record<string, unknown>,
  ): Promise<{ run: string; tally: Tally; deleted: number }> {
    const run = randomUUID().replaceAll("-", "");
    return { run, ...(await this.restoreAs(run, request)) };
  }

  async restoreAs(
    run: string,
    request: { to: string } & Record<string, unknown>,
  ): Promise<{ tally: Tally; deleted: number }> {
    const parsed = parseRestoreRequest(request);
    if (!parsed.ok) throw new Error(parsed.problem);
    let deleted = 0;
    const deletes = parsed.value.delete;
    const deletesLast = deletes && !parsed.value.dryRun;
    const deleteAll = async (inTheWay: boolean): Promise<Tally> => {
      const tallies: Tally[] = [];
      for (let slice = 0; ; slice++) {
        const result = await deleteExtra({ run, slice, inTheWay }, this.service, this.settings);
        deleted += result.deleted;
        tallies.push(result.tally);
        if (result.reached === undefined) return sum(tallies);
      }
    };
    const tally = await this.#part(async (part, first) => {
      const plan = await planRestore(
        { run, part, ...(first ? { request: parsed.value } : {}) },
        this.service,
        this.settings,
      );
      const extra = emptyTally();
      if (plan.problem !== undefined)
        return { ...plan, found: { ...extra, stopped: plan.problem }, work: never };
      if (first && deletes) {
        const removed = await deleteAll(deletesLast);
        if (removed.stopped !== undefined)
          return { ...plan, found: removed, batches: [], large: [], rest: [], work: never };
        Object.assign(extra, removed);
      }
      return {
        ...plan,
        found: sum([plan.found, extra]),
        workLarge: (large) => restoreLarge({ run, part, large }, this),
        work: (batch) => restoreBatch({ run, part, batch }, this.service, this.settings, this.budget),
      };
    });
    if (deletesLast && tally.stopped === undefined && tally.counts.failed === 0)
      Object.assign(tally, sum([tally, await deleteAll(false)]));
    for (let slice = 0; tally.stopped === undefined; slice++) {
      const result = await restoreDirectories({ run, slice }, this.service, this.settings);
      Object.assign(tally, sum([tally, result.tally]));
      if (result.reached === undefined) break;
    }
    await this.#close(run, tally);
    return { tally, deleted };
  }

  async verify(
    request: { run: string } & Record<string, unknown>,
    run = randomUUID().replaceAll("-", ""),
  ): Promise<{ run: string; tally: Tally }> {
    const parsed = parseVerifyRequest(request);
    if (!parsed.ok) throw new Error(parsed.problem);
    const tally = await this.#part(async (part, first) => {
      const plan = await planVerify(
        { run, part, ...(first ? { request: parsed.value } : {}) },
        this.service,
        this.settings,
      );
      if (plan.problem !== undefined)
        return { ...plan, found: { ...emptyTally(), stopped: plan.problem }, work: never };
      return {
        ...plan,
        workLarge: (large) => verifyLarge({ run, part, large }, this),
        work: (batch) => verifyBatch({ run, part, batch }, this.service, this.settings, this.budget),
      };
    });
    await this.#close(run, tally);
    return { run, tally };
  }

  /** Prunes to the end, or throws what stopped it; a prune of the same id goes on where it was. */
  async prune(
    request: Record<string, unknown>,
    run = randomUUID().replaceAll("-", ""),
  ): Promise<{ run: string; tally: Tally; kept: string[]; forgotten: string[] }> {
    const value = pruneRequest.parse(request);
    const { decision, found } = await decidePrune({ run, request: value }, this.service);
    const { problem, manifests, partitions } = decision;
    const tallies: Tally[] = [problem === undefined ? found : { ...emptyTally(), stopped: problem }];
    const any = manifests.length > 0;
    const phases = [
      [gatherNeeds, lanesOfNeeds(decision)],
      [listContents, any ? 1 : 0],
      [deleteContents, any ? partitions : 0],
      [deleteLedgers, lanesOfLedgers(decision)],
    ] as const;
    for (const [work, lanes] of phases) {
      const { stopped, counts } = sum(tallies);
      if (stopped !== undefined || counts.failed > 0) break;
      const done = Array.from({ length: lanes }, async (_none, lane) => {
        for (let slice = 0; ; slice++) {
          const result = await workOn({ run, lane, slice }, work, this.service, this.budget);
          tallies.push(result.tally);
          if (result.done) return;
        }
      });
      await Promise.all(done);
    }
    const tally = sum(tallies);
    await this.#close(run, tally);
    const { container, prefix } = value;
    await endPrune(this.service, { id: run, container, prefix });
    const [kept, forgotten] = [decision.kept, decision.forgotten].map((runs) => runs.map(({ id }) => id));
    return { run, tally, kept: kept ?? [], forgotten: forgotten ?? [] };
  }

  /** All outcomes of a run, by path. */
  async outcomes(run: string): Promise<Map<string, Outcome>> {
    const outcomes = new Map<string, Outcome>();
    const ledger = new Ledger(this.service, run);
    const container = this.service.getContainerClient("backup-runs");
    for await (const { name } of container.listBlobsFlat({ prefix: `${run}/outcomes/` })) {
      const text = (await ledger.read(name.slice(run.length + 1))) ?? "";
      for (const outcome of await parseLines<Outcome>(text)) outcomes.set(outcome.path, outcome);
    }
    return outcomes;
  }

  async #part(
    work: (
      part: string,
      first: boolean,
    ) => Promise<{
      found: Tally;
      batches: readonly unknown[];
      large?: readonly unknown[];
      rest: readonly unknown[];
      work: (batch: number) => Promise<Tally>;
      workLarge?: (large: number) => Promise<Tally>;
    }>,
  ): Promise<Tally> {
    const tallies: Tally[] = [];
    const parts = ["0"];
    for (let part = parts.shift(); part !== undefined; part = parts.shift()) {
      const {
        found,
        batches,
        large = [],
        rest,
        work: one,
        workLarge = never,
      } = await work(part, part === "0");
      tallies.push(
        found,
        ...(await Promise.all([
          ...batches.map((_batch, index) => one(index)),
          ...large.map((_file, index) => workLarge(index)),
        ])),
      );
      parts.push(...rest.map((_range, index) => `${part}.${index}`));
    }
    return sum(tallies);
  }

  async #close(run: string, tally: Tally): Promise<void> {
    const status = tally.stopped === undefined && tally.counts.failed === 0 ? "completed" : "failed";
    await closeRun(new Ledger(this.service, run), { status, counts: tally.counts });
  }
}

async function never(): Promise<Tally> {
  throw new Error("there is nothing to do");
}
