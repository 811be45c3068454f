import { randomUUID } from "node:crypto";
import type { BlobServiceClient } from "@azure/storage-blob";
import { afterAll } from "vitest";
import { createBudget, type Budget } from "../../src/storage/budget.ts";
import { copyBatch } from "../../src/backup/copy-batch.ts";
import { handOut as listBackup } from "../../src/backup/hand-out.ts";
import { listFiles, type ListInput } from "../../src/backup/list-files.ts";
import { emptyTally, sum, type Outcome, type Tally } from "../../src/model/outcome.ts";
import { backupRequest } from "../../src/backup/request.ts";
import { Ledger } from "../../src/ledger/ledger.ts";
import { readOutcomes } from "../../src/ledger/outcomes.ts";
import { closeRun } from "../../src/ledger/runs.ts";
import { deleteExtra } from "../../src/restore/delete-extra.ts";
import { seeToExtra } from "../../src/restore/extra.ts";
import { handOut } from "../../src/manifest/hand-out.ts";
import { planRestore } from "../../src/restore/plan-restore.ts";
import { previewBatch } from "../../src/restore/preview/preview-batch.ts";
import { previewRestore } from "../../src/restore/preview/preview-restore.ts";
import type { PlanBase, PlanInput } from "../../src/manifest/plan.ts";
import { parseRestoreRequest, type RestoreRequest } from "../../src/restore/request.ts";
import { restoreScope } from "../../src/restore/restore-scope.ts";
import { restoreDirectories } from "../../src/restore/restore-directories.ts";
import { restoreBatch } from "../../src/restore/restore-batch.ts";
import { decidePrune } from "../../src/prune/decide-prune.ts";
import { deleteContents } from "../../src/prune/delete-contents.ts";
import { deleteLedgers, lanesOfLedgers } from "../../src/prune/delete-ledgers.ts";
import { listContents } from "../../src/prune/list-contents.ts";
import { endPrune } from "../../src/ledger/end-prune.ts";
import { gatherNeeds, lanesOfNeeds } from "../../src/prune/needs.ts";
import { pruneRequest } from "../../src/prune/request.ts";
import { runSlice, type PruneScope } from "../../src/prune/step.ts";
import { readSettings, type Settings } from "../../src/settings.ts";
import { planVerify } from "../../src/verify/plan-verify.ts";
import { parseVerifyRequest, type VerifyRequest } from "../../src/verify/request.ts";
import { verifyBatch } from "../../src/verify/verify-batch.ts";
import { verifyScope } from "../../src/verify/verify-scope.ts";
import { takeAccount } from "../harness/azurite.ts";
import { copyLarge, restoreLane, verifyLane } from "./drive-large.ts";

interface Restored {
  tally: Tally;
  deleted: number;
  /** What all its activities went by; undefined when it could not be planned. */
  base: PlanBase<RestoreRequest> | undefined;
}

/** An account for a test's file, and a drive on that. */
export function startDrive() {
  const azurite = takeAccount();
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
    const tally = await this.#parts<ListInput>({ run, part: "0", request: value }, async (input) => {
      const listing = await listFiles(input, this.service, this.settings);
      if (listing.problem !== undefined) throw new Error(listing.problem);
      const { batches, large, parts } = listBackup(input, listing);
      return {
        found: listing.found,
        work: [
          ...batches.map((batch) => () => copyBatch(batch, this.service, this.settings, this.budget)),
          ...large.map((file) => () => copyLarge(file, this)),
        ],
        parts,
      };
    });
    await this.#close(run, tally);
    return { run, tally };
  }

  async restore(request: { to: string } & Record<string, unknown>): Promise<{ run: string } & Restored> {
    const run = randomUUID().replaceAll("-", "");
    return { run, ...(await this.restoreAs(run, request)) };
  }

  async restoreAs(run: string, request: { to: string } & Record<string, unknown>): Promise<Restored> {
    const parsed = parseRestoreRequest(request);
    if (!parsed.ok) throw new Error(parsed.problem);
    let deleted = 0;
    const deletes = parsed.value.delete;
    const { dryRun } = parsed.value;
    const deletesLast = deletes && !dryRun;
    const act = dryRun
      ? { plan: previewRestore, files: previewBatch, extra: seeToExtra }
      : { plan: planRestore, files: restoreBatch, extra: deleteExtra };
    let base: PlanBase<RestoreRequest> | undefined;
    const deleteAll = async (inTheWay: boolean): Promise<Tally> => {
      const tallies: Tally[] = [];
      for (let slice = 0; ; slice++) {
        const result = await act.extra({ run, slice, ...base!, inTheWay }, this.service, this.settings);
        deleted += result.deleted;
        tallies.push(result.tally);
        if (result.reached === undefined) return sum(tallies);
      }
    };
    let directories: "all" | "made" | "none" = dryRun ? "none" : "all";
    type Input = PlanInput<RestoreRequest>;
    const tally = await this.#parts<Input>({ run, part: "0", request: parsed.value }, async (input) => {
      const plan = await act.plan(input, this.service, this.settings);
      const extra = emptyTally();
      if (plan.problem !== undefined) {
        directories = "none";
        return { found: { ...extra, stopped: plan.problem }, work: [], parts: [] };
      }
      if (!input.left) base = baseOf(plan);
      if (!input.left && deletes) {
        const removed = await deleteAll(deletesLast);
        if (removed.stopped !== undefined) {
          if (!dryRun) directories = "made";
          return { found: removed, work: [], parts: [] };
        }
        Object.assign(extra, removed);
      }
      const { batches, lanes, parts } = handOut(input, plan, restoreScope(parsed.value, plan));
      return {
        found: sum([plan.found, extra]),
        work: [
          ...batches.map((batch) => () => act.files(batch, this.service, this.settings, this.budget)),
          ...lanes.map((lane) => () => restoreLane(lane, this)),
        ],
        parts,
      };
    });
    if (deletesLast && tally.stopped === undefined && tally.counts.failed === 0)
      Object.assign(tally, sum([tally, await deleteAll(false)]));
    // The compiler does not see that it was assigned.
    const which = directories as "all" | "made" | "none";
    for (let slice = 0; which !== "none"; slice++) {
      const ref = { run, slice, ...base!, ...(which === "made" ? { onlyMade: true as const } : {}) };
      const result = await restoreDirectories(ref, this.service, this.settings);
      Object.assign(tally, sum([tally, result.tally]));
      if (result.reached === undefined) break;
    }
    await this.#close(run, tally);
    return { tally, deleted, base };
  }

  async verify(
    request: { run: string } & Record<string, unknown>,
    run = randomUUID().replaceAll("-", ""),
  ): Promise<{ run: string; tally: Tally }> {
    const parsed = parseVerifyRequest(request);
    if (!parsed.ok) throw new Error(parsed.problem);
    type Input = PlanInput<VerifyRequest>;
    const tally = await this.#parts<Input>({ run, part: "0", request: parsed.value }, async (input) => {
      const plan = await planVerify(input, this.service, this.settings);
      if (plan.problem !== undefined)
        return { found: { ...emptyTally(), stopped: plan.problem }, work: [], parts: [] };
      const { batches, lanes, parts } = handOut(input, plan, verifyScope(plan.source));
      return {
        found: plan.found,
        work: [
          ...batches.map((batch) => () => verifyBatch(batch, this.service, this.settings, this.budget)),
          ...lanes.map((lane) => () => verifyLane(lane, this)),
        ],
        parts,
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
    const { decision, sha256, found } = await decidePrune({ run, request: value }, this.service);
    const { container, prefix, dryRun } = value;
    const scope: PruneScope = { container, prefix, dryRun, decision: sha256 };
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
        for (let slice = 0; ;) {
          const result = await runSlice({ run, lane, slice, ...scope }, work, this.service, this.budget);
          tallies.push(result.tally);
          if (result.done) return;
          if (!result.again) slice++;
        }
      });
      await Promise.all(done);
    }
    const tally = sum(tallies);
    await this.#close(run, tally);
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
      for (const outcome of (await readOutcomes(ledger, name.slice(run.length + 1))) ?? [])
        outcomes.set(outcome.path, outcome);
    }
    return outcomes;
  }

  /** Works through a run, part by part. */
  async #parts<Input>(
    whole: Input,
    work: (
      input: Input,
    ) => Promise<{ found: Tally; work: (() => Promise<Tally>)[]; parts: readonly Input[] }>,
  ): Promise<Tally> {
    const tallies: Tally[] = [];
    const inputs = [whole];
    for (let input = inputs.shift(); input !== undefined; input = inputs.shift()) {
      const { found, work: pieces, parts } = await work(input);
      tallies.push(found, ...(await Promise.all(pieces.map((piece) => piece()))));
      inputs.push(...parts);
    }
    return sum(tallies);
  }

  async #close(run: string, tally: Tally): Promise<void> {
    const status = tally.stopped === undefined && tally.counts.failed === 0 ? "completed" : "failed";
    await closeRun(new Ledger(this.service, run), { status, counts: tally.counts });
  }
}

/** What all activities of a restore go by. */
export function baseOf<Request>({ request, source, realTo, made }: PlanBase<Request>): PlanBase<Request> {
  return { request, source, realTo, ...(made === undefined ? {} : { made }) };
}
