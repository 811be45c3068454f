import { readlinkSync } from "node:fs";
import { realpath } from "node:fs/promises";
import { forDisk, fromBytes } from "../model/path.ts";

/** The path with every link in it followed. */
export async function realPath(path: string): Promise<string> {
  return fromBytes(await realpath(forDisk(path), { encoding: "buffer" }));
}

/** Linux: the path of what is open, free of links. */
export function pathOfOpen(descriptor: number): string {
  return fromBytes(readlinkSync(`/proc/self/fd/${descriptor}`, { encoding: "buffer" }));
}
