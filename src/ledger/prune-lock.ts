import { createHash } from "node:crypto";
import type { BlobServiceClient } from "@azure/storage-blob";
import { z } from "zod";
import { LEDGER_ID } from "../model/names.ts";
import { classify } from "../storage/errors.ts";
import { withRetries } from "../storage/retries.ts";
import { ConditionalBlob } from "./conditional-blob.ts";

/** A container's lock: `prunes/{container}.json`. */
interface Content {
  /** The prune that holds the lock, or null. */
  run: string | null;
  prefix: string;
}

const schema = z.looseObject({ run: z.string().regex(LEDGER_ID).nullable(), prefix: z.string() });

/** The current state of a lock. While it is leased, an activity of the prune may be deleting, even if its orchestration has ended. */
interface Locked {
  run: string;
  prefix: string;
  leased: boolean;
}

/** Seconds: Blob Storage's longest lease. A killed prune blocks others for no longer. */
const LEASE = 60;
/** Milliseconds that a renewal is good for: a delete, with its time-out of 20 s, then ends before the lease does. */
const FRESH_MS = 30_000;

/** A time by both clocks: the monotonic one stops while a machine sleeps, the other one can be set. */
interface Moment {
  steady: number;
  clock: number;
}

/** The prune that holds a lock; undefined if it has just ended, and its lease has not. */
interface Holder {
  run: string | undefined;
}

/** The prune has lost its lock: a backup may be writing. */
export class LockLost extends Error {}

/**
 * Keeps prunes and backups apart. A prune takes the container's lock, then looks for running backups; a backup opens its
 * record, then looks at the lock. If both start at once, at least one sees the other and gives way. The lease makes the lock
 * last exactly as long as an activity of the prune may delete; all of them share it.
 */
export class PruneLock {
  readonly #service: BlobServiceClient;
  readonly #prune: { id: string; container: string; prefix: string };
  /** When the last successful renewal was requested. */
  #renewed: Moment | undefined;
  #renewal: Promise<void> | undefined;

  constructor(service: BlobServiceClient, prune: { id: string; container: string; prefix: string }) {
    this.#service = service;
    this.#prune = prune;
  }

  /** Takes the lock. @returns undefined, or who else holds it */
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
        // Another prune took it between the write and the lease.
        if (!(error instanceof LockLost)) throw error;
      }
    }
  }

  /** Call this before each delete. @throws LockLost */
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
      // Acquiring with the same id renews the lease.
      await withRetries((abortSignal) => this.#lease().acquireLease(LEASE, { abortSignal }));
    } catch (error) {
      const failure = classify(error);
      if (failure !== "held" && failure !== "conflict" && failure !== "missing") throw error;
      throw lost(id, error);
    }
    // Read after the lease is taken: nobody else can write the lock from now on.
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

/** By both clocks. If one was set, that costs a renewal. */
function isFresh(renewed: Moment): boolean {
  const { steady, clock } = now();
  const elapsed = clock - renewed.clock;
  return steady - renewed.steady < FRESH_MS && elapsed >= 0 && elapsed < FRESH_MS;
}

function lost(id: string, cause?: unknown): LockLost {
  return new LockLost(
    `The prune ${id} was delayed, and a backup or another prune has started since. The next prune deletes the rest.`,
    { cause },
  );
}

/** The lock of a prune on a destination or one that overlaps it. */
export async function lockOver(
  service: BlobServiceClient,
  place: { container: string; prefix: string },
): Promise<Locked | undefined> {
  const lock = await readLock(service, place.container);
  if (!lock || lock.run === null || !overlap(lock.prefix, place.prefix)) return undefined;
  return { run: lock.run, prefix: lock.prefix, leased: lock.leased };
}

/**
 * Makes sure that nothing is deleted in a destination that a backup is about to write to. Clears a lock without a lease.
 * @returns undefined, or the prune that is deleting there
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

/** Whether destinations with these prefixes may share a blob: one lies within the other. */
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

/** @returns false if somebody else has written it since it was read, or leases it */
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
