/**
 * A small file system of the test's own on FUSE, whose files fail or hang as those of a dying disk or a lost share do.
 * The kernel gives the errors to the app: nothing in the app's process is replaced. Linux, and root (or the right to
 * mount); elsewhere `mountFuse` gives undefined.
 */
import { spawn, spawnSync } from "node:child_process";
import { closeSync, openSync, read, writeSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { fromBytes, toBytes } from "../../src/model/path.ts";

/** What happens to whoever opens, reads or looks up a name; `times` of them, or all. */
export type Trouble = { on: "lookup" | "getattr" | "open" | "read"; times?: number } & (
  { error: keyof typeof ERRNO } | { hangs: true }
);
/** By path, `/` between segments; a directory stands before what is in it. */
export type FuseTree = Record<
  string,
  { content?: string; link?: string; directory?: true; trouble?: Trouble }
>;

const ERRNO = {
  ENOENT: 2,
  EINTR: 4,
  EIO: 5,
  EACCES: 13,
  ENOTDIR: 20,
  ENAMETOOLONG: 36,
  ENOSYS: 38,
  ELOOP: 40,
  ENOTCONN: 107,
  ESTALE: 116,
};
const OP = {
  lookup: 1,
  forget: 2,
  getattr: 3,
  readlink: 5,
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
const PARALLEL_DIROPS = 1 << 18;
/** The kernel wants room for the largest request. */
const REQUEST = 132 * 1024;

export interface FuseMount {
  /** How often each trouble was met, by name. */
  readonly met: Map<string, number>;
  /** Paths that reading a directory gave. */
  readonly listed: Set<string>;
  unmount(): Promise<void>;
}

/** @param types whether names come with what they are, as not all file systems give them */
export function mountFuse(at: string, tree: FuseTree, types = true): FuseMount | undefined {
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
  const server = new Server(device, tree, types);
  const served = server.serve();
  return {
    met: server.met,
    listed: server.listed,
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
  readonly listed = new Set<string>();
  readonly #device: number;
  /** A node's number is its place here and one. */
  readonly #paths: string[];
  readonly #tree: FuseTree;
  readonly #types: boolean;

  constructor(device: number, tree: FuseTree, types: boolean) {
    this.#device = device;
    this.#tree = { "": { directory: true }, ...tree };
    this.#paths = Object.keys(this.#tree);
    this.#types = types;
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
      const met = (this.met.get(name) ?? 0) + 1;
      this.met.set(name, met);
      if (met > (trouble.times ?? Infinity)) return false;
      if ("error" in trouble) fail(trouble.error);
      return true;
    };
    const name = this.#paths[node - 1];

    switch (operation) {
      case OP.init:
        return reply(initialized());
      case OP.lookup: {
        const wanted = join(name ?? "", fromBytes(body.subarray(0, body.indexOf(0))));
        const index = this.#paths.indexOf(wanted);
        if (index < 0) return fail("ENOENT");
        if (troubled(wanted, "lookup")) return undefined;
        const entry = Buffer.alloc(40);
        entry.writeBigUInt64LE(BigInt(index + 1), 0);
        return reply(Buffer.concat([entry, this.#attributes(index + 1)]));
      }
      case OP.getattr:
        if (troubled(name, "getattr")) return undefined;
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
        return reply(this.#list(name ?? "", Number(body.readBigUInt64LE(8)), body.readUInt32LE(16)));
      }
      case OP.readlink:
        if (troubled(name, "read")) return undefined;
        return reply(Buffer.from(this.#tree[name ?? ""]?.link ?? ""));
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

  #list(directory: string, from: number, room: number): Buffer {
    const entries: Buffer[] = [];
    let used = 0;
    for (let index = Math.max(1, from); index < this.#paths.length; index++) {
      const path = this.#paths[index]!;
      if (parentOf(path) !== directory) continue;
      const name = toBytes(path.slice(directory === "" ? 0 : directory.length + 1));
      const entry = Buffer.alloc(24 + Math.ceil(name.length / 8) * 8);
      entry.writeBigUInt64LE(BigInt(index + 1), 0);
      entry.writeBigUInt64LE(BigInt(index + 1), 8);
      entry.writeUInt32LE(name.length, 16);
      entry.writeUInt32LE(this.#types ? this.#modeOf(path) >> 12 : 0, 20);
      name.copy(entry, 24);
      if ((used += entry.length) > room) break;
      entries.push(entry);
      this.listed.add(path);
    }
    return Buffer.concat(entries);
  }

  #modeOf(path: string): number {
    const { directory, link } = this.#tree[path] ?? {};
    return directory ? 0o40755 : link === undefined ? 0o100644 : 0o120777;
  }

  #attributes(node: number): Buffer {
    const path = this.#paths[node - 1] ?? "";
    const { content = "", directory } = this.#tree[path] ?? {};
    const attributes = Buffer.alloc(88);
    attributes.writeBigUInt64LE(BigInt(node), 0);
    attributes.writeBigUInt64LE(BigInt(Buffer.byteLength(content)), 8);
    for (const time of [24, 32, 40]) attributes.writeBigUInt64LE(1_700_000_000n, time);
    attributes.writeUInt32LE(this.#modeOf(path), 60);
    attributes.writeUInt32LE(directory ? 2 : 1, 64);
    attributes.writeUInt32LE(4096, 80);
    return attributes;
  }
}

function join(directory: string, name: string): string {
  return directory === "" ? name : `${directory}/${name}`;
}

function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf("/")));
}

/** The answer to the kernel's greeting: protocol 7.31; a name that hangs does not hold up others of its directory. */
function initialized(): Buffer {
  const answer = Buffer.alloc(64);
  answer.writeUInt32LE(7, 0);
  answer.writeUInt32LE(31, 4);
  answer.writeUInt32LE(65_536, 8);
  answer.writeUInt32LE(PARALLEL_DIROPS, 12);
  answer.writeUInt16LE(16, 16);
  answer.writeUInt16LE(12, 18);
  answer.writeUInt32LE(65_536, 20);
  answer.writeUInt32LE(1, 24);
  return answer;
}
