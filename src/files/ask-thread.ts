import path from "node:path";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { SharedMemory } from "./shared-memory.ts";
import { begun } from "./under-way.ts";
import { operations, QUICK_SIZE, type Answer, type Answers, type Ask, type Spent } from "./asks.ts";

/** Files that are being read or written, or whose content is in use. */
const SLOTS = 64;
/** The most operations that wait for the thread. */
const MOST = 512;
/** How much work may wait for the thread, in milliseconds. The rest goes to the process's file threads. */
const BACKLOG_MS = 20;
/** What an operation counts as at most: less than the backlog, so that a kind that was slow once is tried again. */
const SLOWEST_MS = 5;
/** If the thread does not answer within this time, its work is done the ordinary way. */
const PATIENCE_MS = 1_000;
/** The assumed time of an operation of each kind before any was measured, in milliseconds. */
const FIRST_GUESS_MS = { look: 0.08, list: 0.3, read: 0.3, write: 0.3, place: 0.3 };

/** The built thread if this file is built, else the source. */
const THREAD = new URL(`./thread-main${path.extname(fileURLToPath(import.meta.url))}`, import.meta.url);

interface Waiting {
  ask: Ask;
  settle(answer: Answer | undefined): void;
  undo?: (() => void) | undefined;
}

/** Sends operations to a thread in batches, but no more than it can do at once. */
class AskThread {
  #thread: Worker | undefined;
  /** What the thread reads into and writes from. Renewed when the thread is overdue: it may yet use the old one. */
  #memory = new SharedMemory(SLOTS, QUICK_SIZE);
  #broken = false;
  #waiting: Waiting[] = [];
  /** Requests awaiting an answer. */
  #sent: Waiting[] = [];
  /** Requests whose callers gave up; the thread may still execute them. */
  #abandoned: Waiting[] = [];
  /** The thread is overdue; until it answers it gets nothing. */
  #late = false;
  #scheduled = false;
  readonly #msPerOperation: Record<Ask["what"], number> = { ...FIRST_GUESS_MS };
  #patience: NodeJS.Timeout | undefined;
  #answered: (() => void) | undefined;

  /** Starts the thread, which takes a moment, before it is needed. */
  start(): void {
    this.#thread ??= this.#begin();
  }

  get memory(): SharedMemory {
    return this.#memory;
  }

  /** How many operations of a kind it would take now; none if it is busy, overdue or broken. */
  roomFor(what: Ask["what"]): number {
    if (this.#broken || this.#late) return 0;
    let [room, backlog] = [MOST, BACKLOG_MS];
    for (const { ask } of [...this.#waiting, ...this.#sent]) {
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
      if (this.#scheduled || this.#sent.length > 0) return;
      this.#scheduled = true;
      // All operations requested in this turn of the event loop go together.
      setImmediate(() => this.#send());
    });
  }

  #send(): void {
    this.#scheduled = false;
    if (this.#waiting.length === 0 || this.#broken) return;
    this.#sent = this.#waiting;
    this.#waiting = [];
    this.#patience = setTimeout(() => this.#giveUp(), PATIENCE_MS);
    this.start();
    this.#answered = begun();
    this.#thread?.postMessage(this.#sent.map(({ ask }) => ask));
  }

  #begin(): Worker {
    const thread = new Worker(THREAD, { name: "files" });
    thread.on("message", (answers: Answers) => this.#receive(answers));
    const stop = (): void => {
      this.#broken = true;
      this.#answered?.();
      this.#giveUp();
      this.#undo();
    };
    thread.once("error", stop);
    thread.once("exit", stop);
    // Last: whoever listens to a thread keeps the process alive.
    thread.unref();
    return thread;
  }

  #receive({ answers, spent }: Answers): void {
    clearTimeout(this.#patience);
    this.#answered?.();
    for (const [what, { ms, count }] of Object.entries(spent) as [Ask["what"], Spent][])
      this.#msPerOperation[what] = 0.8 * this.#msPerOperation[what] + 0.2 * Math.min(SLOWEST_MS, ms / count);
    this.#late = false;
    const sent = this.#sent;
    this.#sent = [];
    for (const [number, ask] of sent.entries()) ask.settle(answers[number]);
    this.#undo();
    this.#send();
  }

  #undo(): void {
    for (const { undo } of this.#abandoned.splice(0)) undo?.();
  }

  #giveUp(): void {
    clearTimeout(this.#patience);
    this.#late = true;
    this.#memory = new SharedMemory(SLOTS, QUICK_SIZE);
    const all = [...this.#sent, ...this.#waiting];
    this.#abandoned.push(...this.#sent);
    this.#sent = [];
    this.#waiting = [];
    for (const ask of all) ask.settle(undefined);
  }
}

/** One per process is enough: reading a file costs less than what follows it. */
export const askThread = new AskThread();
