/** Large files as their orchestrations copy, restore and read them back, without a host. */
import type { BlobServiceClient } from "@azure/storage-blob";
import type { Budget } from "../../src/storage/budget.ts";
import { beginAttempt, commitAttempt, giveUp } from "../../src/backup/large-file/begin-and-commit.ts";
import { compareNext, type Compared } from "../../src/backup/large-file/compare.ts";
import { copyRange } from "../../src/backup/large-file/copy-range.ts";
import type { LargeFileRef } from "../../src/backup/large-file/plan.ts";
import { hashSpan } from "../../src/backup/large-file/hash-span.ts";
import { sum, type Tally } from "../../src/model/outcome.ts";
import { beginRestore, endRestore, giveUpRestore } from "../../src/restore/large-file/begin-and-end.ts";
import { hashRestored, restoreRange } from "../../src/restore/large-file/restore-range.ts";
import type { LargeRestoreRef } from "../../src/restore/large-file/attempt.ts";
import { LANES } from "../../src/manifest/lanes.ts";
import type { LargeRef } from "../../src/manifest/plan.ts";
import type { Settings } from "../../src/settings.ts";
import type { VerifyScope } from "../../src/verify/verify-scope.ts";
import { verifySpan, type Reading } from "../../src/verify/verify-span.ts";

export interface Means {
  service: BlobServiceClient;
  settings: Settings;
  budget: Budget;
}

const ATTEMPTS = 3;

export async function copyLarge(ref: LargeFileRef, { service, settings, budget }: Means): Promise<Tally> {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const at = { ...ref, attempt };
    const begun = await beginAttempt(at, service, settings);
    if ("settled" in begun) return begun.settled;
    let compared: Compared = { comparing: { position: 0 } };
    while (begun.compare && compared !== "changed" && "comparing" in compared)
      compared = await compareNext({ ...at, ...compared.comparing }, service, settings, budget);
    if (compared === "changed") continue;
    if ("settled" in compared) return compared.settled;
    const ranges = Array.from({ length: begun.ranges }, (_none, range) =>
      copyRange({ ...at, range }, service, settings, budget),
    );
    const hash = (async () => {
      const span = { ...at, from: 0, to: begun.size };
      let hashed = await hashSpan(span, service, settings, budget);
      while (hashed !== "changed" && hashed.reached !== undefined) {
        const { reached: from, state } = hashed;
        hashed = await hashSpan({ ...span, from, state }, service, settings, budget);
      }
      return hashed;
    })();
    const [hashed, ...pieces] = await Promise.all([hash, ...ranges]);
    if (hashed === "changed" || pieces.includes("changed")) continue;
    const committed = await commitAttempt({ ...at, state: hashed.state }, service, settings);
    if (committed !== "changed") return committed.settled;
  }
  return await giveUp(ref, "changed while reading", service);
}

/** The files of a lane one after the other, until there is none. */
async function inTurn<Ref extends LargeRef>(
  lane: Ref,
  work: (ref: Ref) => Promise<Tally | "none">,
): Promise<Tally> {
  const tallies: Tally[] = [];
  for (let ref = lane; ; ref = { ...ref, large: ref.large + LANES }) {
    const done = await work(ref);
    if (done === "none") return sum(tallies);
    tallies.push(done);
  }
}

export async function restoreLane(lane: LargeRestoreRef, means: Means): Promise<Tally> {
  return await inTurn(lane, (ref) => restoreLarge(ref, means));
}

async function restoreLarge(
  ref: LargeRestoreRef,
  { service, settings, budget }: Means,
): Promise<Tally | "none"> {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const at = { ...ref, attempt };
    const begun = await beginRestore(at, service, settings, budget);
    if (begun === "none") return begun;
    if ("settled" in begun) return begun.settled;
    const ranges = Array.from({ length: begun.ranges }, (_none, range) =>
      restoreRange({ ...at, range }, service, settings, budget),
    );
    if (!(await Promise.all(ranges)).every((piece) => piece === "done")) continue;
    const span = { ...at, from: 0, to: begun.size };
    let hashed = await hashRestored(span, service, settings, budget);
    while (hashed !== "gone" && hashed.reached !== undefined) {
      const { reached: from, state } = hashed;
      hashed = await hashRestored({ ...span, from, state }, service, settings, budget);
    }
    if (hashed === "gone") continue;
    const ended = await endRestore({ ...at, state: hashed.state }, service, settings, budget);
    if (ended !== "again") return ended.settled;
  }
  return await giveUpRestore({ ...ref, reason: "corrupt" }, service, settings, budget);
}

export async function verifyLane(lane: LargeRef & VerifyScope, means: Means): Promise<Tally> {
  return await inTurn(lane, (ref) => verifyLarge(ref, means));
}

async function verifyLarge(
  ref: LargeRef & VerifyScope,
  { service, settings, budget }: Means,
): Promise<Tally | "none"> {
  let reading: Reading | undefined;
  for (;;) {
    const read = await verifySpan({ ...ref, ...(reading ? { reading } : {}) }, service, settings, budget);
    if (read === "none") return read;
    if ("settled" in read) return read.settled;
    ({ reading } = read);
  }
}
