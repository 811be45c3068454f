import path from "node:path";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { begun } from "./under-way.ts";
import type { Answer, Answers, Ask } from "./asks.ts";

/** Asks that the thread gets at a time, at most. */
const MOST = 64;
/** Work that may wait for the thread, in milliseconds: what would wait longer is done by the process's file threads. */
const BACKLOG_MS = 20;
/** When the thread does not answer in this time, what it was asked is done the usual way. */
const PATIENCE_MS = 1_000;
/** What an operation is taken to last before any was measured, in milliseconds. */
const FIRST_GUESS_MS = 0.1;

/** The built thread when this file is built, the source when it is not. */
const THREAD = new URL(`./thread-main${path.extname(fileURLToPath(import.meta.url))}`, import.meta.url);

interface Waiting {
  ask: Ask;
  settle(answer: Answer): void;
}

/** Sends a thread many asks at a time, and no more than it can do at once. */
export class AskThread {
  #thread: Worker | undefined;
  #broken = false;
  #waiting: Waiting[] = [];
  /** What the thread has been sent and not answered. */
  #sent: Waiting[] = [];
  /** The thread has not answered in time; until it does, it is sent nothing. */
  #late = false;
  #scheduled = false;
  #msPerAsk = FIRST_GUESS_MS;
  #patience: NodeJS.Timeout | undefined;
  #answered: (() => void) | undefined;

  /** @returns undefined also when the thread has enough to do, is late, or broken */
  ask(ask: Ask): Promise<Answer> {
    if (this.#broken || this.#late || this.#waiting.length + this.#sent.length >= this.#room) {
      return Promise.resolve(undefined);
    }
    return new Promise((settle) => {
      this.#waiting.push({ ask, settle });
      if (this.#scheduled || this.#sent.length > 0) return;
      this.#scheduled = true;
      // All that is asked for in this turn of the event loop goes together.
      setImmediate(() => this.#send());
    });
  }

  get #room(): number {
    return Math.min(MOST, Math.max(1, Math.floor(BACKLOG_MS / this.#msPerAsk)));
  }

  #send(): void {
    this.#scheduled = false;
    if (this.#waiting.length === 0 || this.#broken) return;
    this.#sent = this.#waiting;
    this.#waiting = [];
    this.#patience = setTimeout(() => this.#giveUp(), PATIENCE_MS);
    this.#thread ??= this.#start();
    this.#answered = begun();
    this.#thread.postMessage(this.#sent.map(({ ask }) => ask));
  }

  #start(): Worker {
    const thread = new Worker(THREAD, { name: "files" });
    thread.unref();
    thread.on("message", (answers: Answers) => this.#receive(answers));
    const stop = (): void => {
      this.#broken = true;
      this.#answered?.();
      this.#giveUp();
    };
    thread.once("error", stop);
    thread.once("exit", stop);
    return thread;
  }

  #receive({ answers, ms }: Answers): void {
    clearTimeout(this.#patience);
    this.#answered?.();
    this.#msPerAsk = 0.8 * this.#msPerAsk + 0.2 * (ms / answers.length);
    this.#late = false;
    const sent = this.#sent;
    this.#sent = [];
    for (const [number, ask] of sent.entries()) ask.settle(answers[number]);
    this.#send();
  }

  #giveUp(): void {
    clearTimeout(this.#patience);
    this.#late = true;
    const all = [...this.#sent, ...this.#waiting];
    this.#sent = [];
    this.#waiting = [];
    for (const ask of all) ask.settle(undefined);
  }
}
