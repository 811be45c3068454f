import path from "node:path";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { begun } from "./under-way.ts";
import type { Answer, Answers, Ask } from "./asks.ts";

/** The most operations in one message to the thread. */
const MOST = 64;
/** How much work may wait for the thread, in milliseconds. The rest goes to the process's file threads. */
const BACKLOG_MS = 20;
/** If the thread does not answer within this time, its work is done the ordinary way. */
const PATIENCE_MS = 1_000;
/** The assumed time of an operation before any was measured, in milliseconds. */
const FIRST_GUESS_MS = 0.1;

/** The built thread if this file is built, else the source. */
const THREAD = new URL(`./thread-main${path.extname(fileURLToPath(import.meta.url))}`, import.meta.url);

interface Waiting {
  ask: Ask;
  settle(answer: Answer): void;
}

/** Sends a thread many operations at a time, but no more than it can do at once. */
export class AskThread {
  #thread: Worker | undefined;
  #broken = false;
  #waiting: Waiting[] = [];
  /** What was sent to the thread and is unanswered. */
  #sent: Waiting[] = [];
  /** The thread is overdue; until it answers it gets nothing. */
  #late = false;
  #scheduled = false;
  #msPerAsk = FIRST_GUESS_MS;
  #patience: NodeJS.Timeout | undefined;
  #answered: (() => void) | undefined;

  /** @returns undefined also if the thread is busy, overdue or broken */
  ask(ask: Ask): Promise<Answer> {
    if (this.#broken || this.#late || this.#waiting.length + this.#sent.length >= this.#room) {
      return Promise.resolve(undefined);
    }
    return new Promise((settle) => {
      this.#waiting.push({ ask, settle });
      if (this.#scheduled || this.#sent.length > 0) return;
      this.#scheduled = true;
      // All operations requested in this turn of the event loop go together.
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
