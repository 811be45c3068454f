import { spawn } from "node:child_process";
import { open, statfs } from "node:fs/promises";
import type { Socket } from "node:net";
import { release } from "node:os";
import { createInterface } from "node:readline";
import type { PinnedDirectory } from "./pinned-directory.ts";

/** By statfs: ext2 to ext4, xfs, btrfs, overlay, tmpfs. */
const LOCAL_TYPES = new Set([0xef53, 0x58465342, 0x9123683e, 0x794c7630, 0x01021994]);
/**
 * Flushes the file system of each directory that it reads, one after another, and answers with the exit code. Node has no call
 * for that, and starting a program takes a process of this size some 20 times as long as it takes a shell.
 */
const SYNC_SCRIPT = 'while read -r directory; do sync -f "$directory"; echo $?; done';

let able: Promise<boolean> | undefined;
/** Failed flushes in this process. The kernel reports a failed write to only one flush, whoever wrote it. */
let failures = 0;

/** A file system of this machine that can be flushed as a whole, which takes about as long as to flush a few files. */
export class LocalDisk {
  /** As in the stats of what is on it. */
  readonly device: number;
  readonly #failures = failures;

  private constructor(device: number) {
    this.device = device;
  }

  /** What a directory is on; undefined for any other file system, and on machines that have no way to flush one. */
  static async of(directory: PinnedDirectory): Promise<LocalDisk | undefined> {
    const isLocal = LOCAL_TYPES.has((await statfs(directory.path(""))).type);
    return isLocal && (await isAbleOnce()) ? new LocalDisk((await directory.stat()).dev) : undefined;
  }

  /**
   * Flushes all that was written to it.
   * @param directory one that is on it
   * @returns whether all that was written since this object was made is on the disk
   */
  async flush({ handle }: PinnedDirectory): Promise<boolean> {
    if (!handle || !(await flushFileSystem(handle.fd))) failures++;
    return failures === this.#failures;
  }
}

async function isAbleOnce(): Promise<boolean> {
  able ??= isAble().catch((error: unknown) => {
    // There may be no free handle to find out with; try again next time.
    able = undefined;
    throw error;
  });
  return await able;
}

async function isAble(): Promise<boolean> {
  // Earlier versions of Linux do not report failed writes.
  const [major = 0, minor = 0] = release().split(".").map(Number);
  if (process.platform !== "linux" || major < 5 || (major === 5 && minor < 8)) return false;
  const nothing = await open("/proc");
  try {
    return await flushFileSystem(nothing.fd);
  } finally {
    await nothing.close();
  }
}

let shell: SyncShell | undefined;

/**
 * Flushes the file system that something is on: all that anybody has written to it.
 * @param descriptor of what is open there
 * @returns whether that worked
 */
async function flushFileSystem(descriptor: number): Promise<boolean> {
  shell ??= new SyncShell();
  return await shell.flush(`/proc/${process.pid}/fd/${descriptor}`);
}

/** A shell that waits for work as long as this process runs, and does not keep it running. */
class SyncShell {
  readonly #stdin: Socket;
  readonly #waiting: ((flushed: boolean) => void)[] = [];

  constructor() {
    const child = spawn("sh", ["-c", SYNC_SCRIPT], { stdio: ["pipe", "pipe", "ignore"] });
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
