import { createHash } from "node:crypto";
import type { BlobServiceClient } from "@azure/storage-blob";
import { z } from "zod";
import { classify } from "../storage/errors.ts";
import { ConditionalBlob } from "./conditional-blob.ts";
import { withRetries } from "../storage/retries.ts";
import { LEDGER_ID } from "../model/run-id.ts";

/** What a container's lock says: `prunes/{container}.json`. */
interface Content {
  /** The prune that has the container; null when none has. */
  run: string | null;
  prefix: string;
}

const schema = z.looseObject({ run: z.string().regex(LEDGER_ID).nullable(), prefix: z.string() });

/** A lock as it stands. While it is leased something of the prune may be deleting, whatever became of its orchestration. */
export interface Locked {
  run: string;
  prefix: string;
  leased: boolean;
}

/** Seconds; the longest that Blob Storage leases for. A prune that was killed is in nobody's way for longer. */
const LEASE = 60;
/** Milliseconds that a renewal is good for: a delete and its time-out of 20 s then end before the lease does. */
const FRESH_MS = 30_000;

/** A moment by both clocks: the steady one stands still while a machine sleeps, the other one can be set. */
interface Moment {
  steady: number;
  clock: number;
}

/** The prune that has a lock; undefined where it has just ended, and the lease has not. */
interface Holder {
  run: string | undefined;
}

/** The prune has lost its lock: a backup may be writing. */
export class LockLost extends Error {}

/**
 * Keeps pruning and copying apart. A prune takes the lock of the container, then looks for backups that run; a backup
 * opens its record, then looks at the lock: of two at once at least one sees the other and gives way. The lease makes
 * the lock last as long as anything of the prune deletes, and no longer. All activities of a prune share the lease.
 */
export class PruneLock {
  readonly #service: BlobServiceClient;
  readonly #prune: { id: string; container: string; prefix: string };
  /** When the last renewal was asked for that was given. */
  #renewed: Moment | undefined;
  #renewal: Promise<void> | undefined;

  constructor(service: BlobServiceClient, prune: { id: string; container: string; prefix: string }) {
    this.#service = service;
    this.#prune = prune;
  }

  /** Takes the lock. @returns what has it, where that is another prune; undefined when it is taken */
  async take(): Promise<Holder | undefined> {
    const { id, container, prefix } = this.#prune;
    for (;;) {
      const current = await readLock(this.#service, container);
      if (current?.leased && current.run !== id) return { run: current.run ?? undefined };
      if (current?.run !== id && !(await writeLock(this.#service, container, { run: id, prefix }, current)))
        continue;
      try {
        await this.ensure();
        return undefined;
      } catch (error) {
        // Somebody else took it between the two.
        if (!(error instanceof LockLost)) throw error;
      }
    }
  }

  /** To be called before each delete. @throws LockLost */
  async ensure(): Promise<void> {
    if (this.#renewed && isFresh(this.#renewed)) return;
    this.#renewal ??= this.#renew().finally(() => (this.#renewal = undefined));
    await this.#renewal;
  }

  async release(): Promise<void> {
    const { id, container, prefix } = this.#prune;
    try {
      await withRetries((abortSignal) => this.#lease().releaseLease({ abortSignal }));
    } catch (error) {
      const failure = classify(error);
      if (failure !== "held" && failure !== "conflict" && failure !== "missing") throw error;
    }
    const current = await readLock(this.#service, container);
    if (current?.run === id) await writeLock(this.#service, container, { run: null, prefix }, current);
  }

  async #renew(): Promise<void> {
    const { id, container } = this.#prune;
    const asked = now();
    try {
      // With the id that it has already, acquiring renews.
      await withRetries((abortSignal) => this.#lease().acquireLease(LEASE, { abortSignal }));
    } catch (error) {
      const failure = classify(error);
      if (failure !== "held" && failure !== "conflict" && failure !== "missing") throw error;
      throw lost(id, error);
    }
    // After the lease: whoever wrote before it has the lock, and nobody writes after it.
    if ((await readLock(this.#service, container))?.run !== id) throw lost(id);
    this.#renewed = asked;
  }

  #lease() {
    return lockOf(this.#service, this.#prune.container).blob.getBlobLeaseClient(leaseId(this.#prune.id));
  }
}

function now(): Moment {
  return { steady: performance.now(), clock: Date.now() };
}

/** By both clocks. One that was set, forward or back, costs a renewal. */
function isFresh(renewed: Moment): boolean {
  const { steady, clock } = now();
  const elapsed = clock - renewed.clock;
  return steady - renewed.steady < FRESH_MS && elapsed >= 0 && elapsed < FRESH_MS;
}

function lost(id: string, cause?: unknown): LockLost {
  return new LockLost(
    `The prune ${id} was held up, and a backup or another prune has begun meanwhile. What is not deleted yet is ` +
      `deleted by the next prune.`,
    { cause },
  );
}

/** The prune that has the lock of a place, or of one that has blobs in common with it. */
export async function lockOver(
  service: BlobServiceClient,
  place: { container: string; prefix: string },
): Promise<Locked | undefined> {
  const lock = await readLock(service, place.container);
  if (!lock || lock.run === null || !overlap(lock.prefix, place.prefix)) return undefined;
  return { run: lock.run, prefix: lock.prefix, leased: lock.leased };
}

/**
 * Makes sure that nothing is deleted in a place that a backup is about to write to. A lock without a lease is taken away
 * from its prune.
 * @returns the prune that is at work there and cannot be kept out; undefined when there is none
 */
export async function keepPruneOut(
  service: BlobServiceClient,
  place: { container: string; prefix: string },
): Promise<string | undefined> {
  for (;;) {
    const lock = await readLock(service, place.container);
    if (!lock || lock.run === null || !overlap(lock.prefix, place.prefix)) return undefined;
    if (lock.leased) return lock.run;
    if (await writeLock(service, place.container, { run: null, prefix: lock.prefix }, lock)) return undefined;
  }
}

/** Whether destinations of these prefixes can have a blob in common: one lies in the other. */
export function overlap(one: string, other: string): boolean {
  const [outer, inner] = one.length <= other.length ? [one, other] : [other, one];
  return outer === "" || `${inner}/`.startsWith(`${outer}/`);
}

function lockOf(service: BlobServiceClient, container: string): ConditionalBlob<Content> {
  return new ConditionalBlob<Content>(service, `prunes/${container}.json`, schema);
}

async function readLock(service: BlobServiceClient, container: string) {
  const read = await lockOf(service, container).read();
  return read && { ...read.content, etag: read.etag, leased: read.leased };
}

/** @returns false when somebody else wrote it since it was read, or has it leased */
async function writeLock(
  service: BlobServiceClient,
  container: string,
  content: Content,
  current: { etag: string } | undefined,
): Promise<boolean> {
  try {
    return await lockOf(service, container).write(content, current);
  } catch (error) {
    if (classify(error) === "held") return false;
    throw error;
  }
}

/** A GUID for a run's id. */
function leaseId(run: string): string {
  const hex = createHash("sha256").update(run).digest("hex");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join(
    "-",
  );
}
