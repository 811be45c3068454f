import { readlinkSync } from "node:fs";
import { realpath, stat } from "node:fs/promises";
import { forDisk, fromBytes } from "../model/path.ts";

/** The path with every link in it followed. */
export async function realPath(path: string): Promise<string> {
  return fromBytes(await realpath(forDisk(path), { encoding: "buffer" }));
}

/** The same for a directory. @throws ENOTDIR if it is something else */
export async function realDirectory(path: string): Promise<string> {
  const real = await realPath(path);
  if ((await stat(forDisk(real))).isDirectory()) return real;
  throw Object.assign(new Error("not a directory"), { code: "ENOTDIR" });
}

/** Linux: the path of what is open, free of links. */
export function pathOfOpen(descriptor: number): string {
  return fromBytes(readlinkSync(`/proc/self/fd/${descriptor}`, { encoding: "buffer" }));
}
