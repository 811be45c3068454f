/**
 * A small file system of the test's own on FUSE, whose files fail or hang as those of a dying disk or a lost share do.
 * The kernel gives the errors to the app: nothing in the app's process is replaced. Linux, and root (or the right to
 * mount); elsewhere `mountFuse` gives undefined.
 */
import { spawn, spawnSync } from "node:child_process";
import { closeSync, openSync, read, writeSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

/** What happens to whoever opens, reads or looks up a name. */
export type Trouble =
  | { on: "lookup" | "open" | "read"; error: keyof typeof ERRNO }
  | { on: "lookup" | "open" | "read"; hangs: true };
export type FuseTree = Record<string, { content?: string; directory?: true; trouble?: Trouble }>;

const ERRNO = { EINTR: 4, EIO: 5, ESTALE: 116, ENOENT: 2, ENOSYS: 38 };
const OP = {
  lookup: 1,
  forget: 2,
  getattr: 3,
  open: 14,
  read: 15,
  release: 18,
  flush: 25,
  init: 26,
  opendir: 27,
  readdir: 28,
  releasedir: 29,
  interrupt: 36,
  destroy: 38,
  batchForget: 42,
};
/** The kernel wants room for the largest request. */
const REQUEST = 132 * 1024;

export interface FuseMount {
  /** How often each trouble was met, by name. */
  readonly met: Map<string, number>;
  unmount(): Promise<void>;
}

/** Mounts a flat directory, whose entries are files or empty directories. */
export function mountFuse(at: string, tree: FuseTree): FuseMount | undefined {
  let device: number;
  try {
    device = openSync("/dev/fuse", "r+");
  } catch {
    return undefined;
  }
  const options = "fd=3,rootmode=40000,user_id=0,group_id=0,allow_other";
  const mount = spawnSync("mount", ["-i", "-t", "fuse", "-o", options, "faults", at], {
    stdio: ["ignore", "ignore", "ignore", device],
  });
  if (mount.status !== 0) {
    closeSync(device);
    return undefined;
  }
  const server = new Server(device, tree);
  const served = server.serve();
  return {
    met: server.met,
    async unmount() {
      // Whoever waits for an answer gets an error then. Not in step: umount looks at the mount, which is served here.
      for (const flag of ["-f", "-l"]) {
        await new Promise((resolve) =>
          spawn("umount", [flag, at], { stdio: "ignore" }).once("close", resolve),
        );
      }
      await Promise.race([served, sleep(2_000)]);
      closeSync(device);
    },
  };
}

class Server {
  readonly met = new Map<string, number>();
  readonly #device: number;
  readonly #names: string[];
  readonly #tree: FuseTree;

  constructor(device: number, tree: FuseTree) {
    this.#device = device;
    this.#tree = tree;
    this.#names = Object.keys(tree);
  }

  async serve(): Promise<void> {
    const request = Buffer.alloc(REQUEST);
    for (;;) {
      const length = await new Promise<number>((resolve) => {
        read(this.#device, request, 0, REQUEST, null, (error, bytes) => {
          if (!error) resolve(bytes);
          else resolve(error.code === "ENOENT" || error.code === "EINTR" ? 0 : -1);
        });
      });
      if (length < 0) return;
      if (length > 0) this.#answer(request.subarray(0, length));
    }
  }

  #answer(request: Buffer): void {
    const operation = request.readUInt32LE(4);
    const unique = request.readBigUInt64LE(8);
    const node = Number(request.readBigUInt64LE(16));
    const body = request.subarray(40);
    const reply = (data: Buffer, error = 0, to = unique): void => {
      const header = Buffer.alloc(16);
      header.writeUInt32LE(16 + data.length, 0);
      header.writeInt32LE(-error, 4);
      header.writeBigUInt64LE(to, 8);
      try {
        writeSync(this.#device, Buffer.concat([header, data]));
      } catch {
        // Whoever asked has gone.
      }
    };
    const fail = (error: keyof typeof ERRNO): void => reply(Buffer.alloc(0), ERRNO[error]);
    /** Does what the name's trouble says; true when that was the answer. */
    const troubled = (name: string | undefined, on: Trouble["on"]): boolean => {
      const trouble = name === undefined ? undefined : this.#tree[name]?.trouble;
      if (name === undefined || trouble?.on !== on) return false;
      this.met.set(name, (this.met.get(name) ?? 0) + 1);
      if ("error" in trouble) fail(trouble.error);
      return true;
    };
    const name = this.#names[node - 2];

    switch (operation) {
      case OP.init:
        return reply(initialized());
      case OP.lookup: {
        const wanted = body.toString("utf8", 0, body.indexOf(0));
        const index = this.#names.indexOf(wanted);
        if (index < 0) return fail("ENOENT");
        if (troubled(wanted, "lookup")) return undefined;
        const entry = Buffer.alloc(40);
        entry.writeBigUInt64LE(BigInt(index + 2), 0);
        return reply(Buffer.concat([entry, this.#attributes(index + 2)]));
      }
      case OP.getattr:
        return reply(Buffer.concat([Buffer.alloc(16), this.#attributes(node)]));
      case OP.open:
      case OP.opendir: {
        if (troubled(name, "open")) return undefined;
        const opened = Buffer.alloc(16);
        // Not by the page cache: each read comes here.
        opened.writeUInt32LE(1, 8);
        return reply(opened);
      }
      case OP.readdir: {
        if (troubled(name, "read")) return undefined;
        const isRoot = node === 1;
        const from = Number(body.readBigUInt64LE(8));
        return reply(isRoot ? this.#list(from, body.readUInt32LE(16)) : Buffer.alloc(0));
      }
      case OP.read: {
        if (troubled(name, "read")) return undefined;
        const from = Number(body.readBigUInt64LE(8));
        const content = Buffer.from(this.#tree[name ?? ""]?.content ?? "");
        return reply(content.subarray(from, from + body.readUInt32LE(16)));
      }
      case OP.release:
      case OP.releasedir:
      case OP.flush:
        return reply(Buffer.alloc(0));
      case OP.interrupt:
        // Whoever hangs here can be killed, as on a share that is mounted by NFS; nothing else frees it.
        return reply(Buffer.alloc(0), ERRNO.EINTR, body.readBigUInt64LE(0));
      case OP.forget:
      case OP.batchForget:
      case OP.destroy:
        return undefined;
      default:
        return fail("ENOSYS");
    }
  }

  #list(from: number, room: number): Buffer {
    const entries: Buffer[] = [];
    let used = 0;
    for (let index = from; index < this.#names.length; index++) {
      const name = Buffer.from(this.#names[index]!);
      const entry = Buffer.alloc(24 + Math.ceil(name.length / 8) * 8);
      entry.writeBigUInt64LE(BigInt(index + 2), 0);
      entry.writeBigUInt64LE(BigInt(index + 1), 8);
      entry.writeUInt32LE(name.length, 16);
      entry.writeUInt32LE(this.#tree[this.#names[index]!]?.directory ? 4 : 8, 20);
      name.copy(entry, 24);
      if ((used += entry.length) > room) break;
      entries.push(entry);
    }
    return Buffer.concat(entries);
  }

  #attributes(node: number): Buffer {
    const { content = "", directory = node === 1 } = this.#tree[this.#names[node - 2] ?? ""] ?? {};
    const attributes = Buffer.alloc(88);
    attributes.writeBigUInt64LE(BigInt(node), 0);
    attributes.writeBigUInt64LE(BigInt(Buffer.byteLength(content)), 8);
    for (const time of [24, 32, 40]) attributes.writeBigUInt64LE(1_700_000_000n, time);
    attributes.writeUInt32LE(directory ? 0o40755 : 0o100644, 60);
    attributes.writeUInt32LE(directory ? 2 : 1, 64);
    attributes.writeUInt32LE(4096, 80);
    return attributes;
  }
}

/** The answer to the kernel's greeting: protocol 7.31, no extras. */
function initialized(): Buffer {
  const answer = Buffer.alloc(64);
  answer.writeUInt32LE(7, 0);
  answer.writeUInt32LE(31, 4);
  answer.writeUInt32LE(65_536, 8);
  answer.writeUInt16LE(16, 16);
  answer.writeUInt16LE(12, 18);
  answer.writeUInt32LE(65_536, 20);
  answer.writeUInt32LE(1, 24);
  return answer;
}
