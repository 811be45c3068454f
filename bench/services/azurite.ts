import { createRequire } from "node:module";
import { Child, until } from "./child.ts";
import { anyPort, freePort } from "./ports.ts";
import { discard, scratch } from "./scratch.ts";
import { ACCOUNT, type Storage } from "./storage.ts";

/** The emulator's usual port, the only one that Debian's restic tries. */
export const USUAL_PORT = 10_000;

const MAIN = createRequire(import.meta.url).resolve("azurite/dist/src/blob/main.js");

/** Azurite's blob service in a process of its own, with a temporary data folder. */
export class Azurite implements Storage {
  readonly port: number;
  readonly #child: Child;
  readonly #folder: string;

  private constructor(port: number, child: Child, folder: string) {
    this.port = port;
    this.#child = child;
    this.#folder = folder;
  }

  static async start(): Promise<Azurite> {
    const port = (await freePort(USUAL_PORT)) ?? (await anyPort());
    const folder = scratch("azurite");
    const options = ["--blobHost", "127.0.0.1", "--blobPort", String(port), "--location", folder];
    const flags = ["--silent", "--skipApiVersionCheck", "--disableTelemetry"];
    const child = new Child("Azurite", process.execPath, [MAIN, ...options, ...flags], { cwd: folder });
    await until(child, () => answers(`http://127.0.0.1:${port}/${ACCOUNT}?comp=list`));
    return new Azurite(port, child, folder);
  }

  async stop(): Promise<void> {
    await this.#child.stop();
    discard(this.#folder);
  }
}

/** Whether anything answers there over HTTP. */
export async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(2000) });
    await response.arrayBuffer();
    return true;
  } catch {
    return false;
  }
}
