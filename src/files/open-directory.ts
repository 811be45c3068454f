import * as fs from "node:fs";
import path from "node:path";
import { forDisk, fromBytes, type DiskPath } from "../model/path.ts";
import { DIRECTORY_ONLY, type Name } from "./pinned-directory.ts";
import { pathOfOpen } from "./real-path.ts";

/** PinnedDirectory for the file thread, without waiting. Linux only. Anything unusual is an error. */
export class OpenDirectory {
  readonly #descriptor: number;
  readonly stats: fs.Stats;

  /** @param portable "" for the root itself */
  constructor(realRoot: string, portable: string) {
    const real = path.join(realRoot, ...portable.split("/"));
    this.#descriptor = fs.openSync(forDisk(real), DIRECTORY_ONLY);
    try {
      if (pathOfOpen(this.#descriptor) !== real) throw new Error("reached through a link");
      this.stats = fs.fstatSync(this.#descriptor);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  path(name: string): DiskPath {
    return forDisk(`/proc/self/fd/${this.#descriptor}/${name}`);
  }

  names(): Name[] {
    const entries = fs.readdirSync(this.path(""), { withFileTypes: true, encoding: "buffer" });
    return entries.map((entry) => ({ name: fromBytes(entry.name), isDirectory: entry.isDirectory() }));
  }

  close(): void {
    fs.closeSync(this.#descriptor);
  }
}
