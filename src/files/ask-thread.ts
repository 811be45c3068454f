import path from "node:path";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { operations, QUICK_SIZE, type Answer, type Answers, type Ask, type Spent } from "./asks.ts";
import { SharedMemory } from "./shared-memory.ts";
import { begun } from "./timeout.ts";

/** Files that are being read or written, or whose content is in use. */
const SLOTS = 64;
/** The most operations that wait for the thread. */
const MOST_WAITING = 512;
/** How much work may wait for the thread, in milliseconds. The rest goes to the process's file threads. */
const BACKLOG_MS = 20;
/** What an operation counts as at most: less than the backlog, so that a kind that was slow once is tried again. */
const SLOWEST_MS = 5;
/** Batches at the thread: it does one while the answers to the other are used. */
const BATCHES = 2;
/** If the thread does not answer within this time, its work is done the ordinary way. */
const PATIENCE_MS = 1_000;
/** The assumed time of an operation of each kind before any was measured, in milliseconds. */
const FIRST_GUESS_MS = { look: 0.08, list: 0.3, read: 0.3, write: 0.3, place: 0.3 };

/** The built thread if this file is built, else the source. */
const THREAD = new URL(`./thread-main${path.extname(fileURLToPath(import.meta.url))}`, import.meta.url);

interface Waiting {
  ask: Ask;
  settle: (answer: Answer | undefined) => void;
  undo?: (() => void) | undefined;
}

/** What goes to the thread as one message. */
interface Batch {
  asks: Waiting[];
  /** The callers gave up; the thread may still execute it. */
  abandoned: boolean;
  /** See begun. */
  answered: () => void;
}

/** Sends operations to a thread in batches, but no more than it can do at once. */
class AskThread {
  #thread: Worker | undefined;
  /** What the thread reads into and writes from. Renewed when the thread is overdue: it may yet use the old one. */
  #memory = new SharedMemory(SLOTS, QUICK_SIZE);
  #broken = false;
  #waiting: Waiting[] = [];
  /** Batches awaiting an answer, in order. Those that were abandoned are first, and until they are answered there are no others. */
  #sent: Batch[] = [];
  #scheduled = false;
  readonly #msPerOperation: Record<Ask["what"], number> = { ...FIRST_GUESS_MS };
  #patience: NodeJS.Timeout | undefined;

  /** Starts the thread, which takes a moment, before it is needed. */
  start(): void {
    this.#thread ??= this.#begin();
  }

  get memory(): SharedMemory {
    return this.#memory;
  }

  /** How many operations of a kind it would take now; none if it is busy, overdue or broken. */
  roomFor(what: Ask["what"]): number {
    if (this.#broken || this.#sent[0]?.abandoned) return 0;
    let [room, backlog] = [MOST_WAITING, BACKLOG_MS];
    for (const { ask } of [...this.#waiting, ...this.#sent.flatMap(({ asks }) => asks)]) {
      room -= operations(ask);
      backlog -= operations(ask) * this.#msPerOperation[ask.what];
    }
    return Math.min(room, Math.floor(backlog / this.#msPerOperation[what]));
  }

  /**
   * @param undo called when the thread is done with an abandoned request
   * @returns undefined also if there is no room for it
   */
  ask<A extends Ask>(ask: A, undo?: () => void): Promise<Answer<A> | undefined> {
    if (this.roomFor(ask.what) < 1) return Promise.resolve(undefined);
    return new Promise((settle) => {
      this.#waiting.push({ ask, settle: settle as Waiting["settle"], undo });
      if (this.#scheduled || this.#sent.length === BATCHES) return;
      this.#scheduled = true;
      // All operations requested in this turn of the event loop go together.
      setImmediate(() => {
        this.#scheduled = false;
        this.#send();
      });
    });
  }

  #send(): void {
    if (this.#broken) return;
    this.start();
    while (this.#waiting.length > 0 && this.#sent.length < BATCHES) {
      const asks = this.#waiting.splice(0, Math.ceil(this.#waiting.length / (BATCHES - this.#sent.length)));
      this.#sent.push({ asks, abandoned: false, answered: begun() });
      this.#thread?.postMessage(asks.map(({ ask }) => ask));
    }
    if (this.#sent[0]?.abandoned === false) this.#patience ??= setTimeout(() => this.#giveUp(), PATIENCE_MS);
  }

  #begin(): Worker {
    const thread = new Worker(THREAD, { name: "files" });
    thread.on("message", (answers: Answers) => this.#receive(answers));
    const stop = (): void => {
      this.#broken = true;
      this.#giveUp();
      for (const batch of this.#sent.splice(0)) done(batch);
    };
    thread.once("error", stop);
    thread.once("exit", stop);
    // Last: whoever listens to a thread keeps the process alive.
    thread.unref();
    return thread;
  }

  #receive({ answers, spent }: Answers): void {
    for (const [what, { ms, count }] of Object.entries(spent) as [Ask["what"], Spent][])
      this.#msPerOperation[what] = 0.8 * this.#msPerOperation[what] + 0.2 * Math.min(SLOWEST_MS, ms / count);
    this.#stopTimer();
    const batch = this.#sent.shift();
    if (batch) done(batch, answers);
    this.#send();
  }

  #stopTimer(): void {
    clearTimeout(this.#patience);
    this.#patience = undefined;
  }

  #giveUp(): void {
    this.#stopTimer();
    this.#memory = new SharedMemory(SLOTS, QUICK_SIZE);
    for (const batch of this.#sent) {
      for (const { settle } of batch.asks) settle(undefined);
      batch.abandoned = true;
    }
    for (const { settle } of this.#waiting.splice(0)) settle(undefined);
  }
}

function done({ asks, abandoned, answered }: Batch, answers: Answer[] = []): void {
  answered();
  for (const [number, { settle, undo }] of asks.entries())
    if (abandoned) undo?.();
    else settle(answers[number]);
}

/** One per process is enough: reading a file costs less than what follows it. */
export const askThread = new AskThread();
