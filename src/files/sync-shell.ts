import { spawn } from "node:child_process";
import type { Socket } from "node:net";
import { createInterface } from "node:readline";

/**
 * Flushes the file system of each directory that it reads, one after another, and answers with the exit code. Node has no call
 * for that, and starting a program takes a process of this size some 20 times as long as it takes a shell.
 */
const SCRIPT = 'while read -r directory; do sync -f "$directory"; echo $?; done';

let shell: SyncShell | undefined;

/**
 * Flushes the file system that something is on: all that anybody has written to it.
 * @param descriptor of what is open there
 * @returns whether that worked
 */
export async function flushFileSystem(descriptor: number): Promise<boolean> {
  shell ??= new SyncShell();
  return await shell.flush(`/proc/${process.pid}/fd/${descriptor}`);
}

/** A shell that waits for work as long as this process runs, and does not keep it running. */
class SyncShell {
  readonly #stdin: Socket;
  readonly #waiting: ((flushed: boolean) => void)[] = [];

  constructor() {
    const child = spawn("sh", ["-c", SCRIPT], { stdio: ["pipe", "pipe", "ignore"] });
    const end = (): void => {
      if (shell === this) shell = undefined;
      for (const answer of this.#waiting.splice(0)) answer(false);
    };
    child.once("error", end).once("close", end);
    this.#stdin = child.stdin as Socket;
    this.#stdin.on("error", end);
    createInterface(child.stdout).on("line", (code) => this.#waiting.shift()?.(code === "0"));
    for (const handle of [child, this.#stdin, child.stdout as Socket]) handle.unref();
  }

  async flush(directory: string): Promise<boolean> {
    return await new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#stdin.write(`${directory}\n`);
    });
  }
}
