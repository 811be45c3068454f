import { writeFileSync } from "node:fs";
import path from "node:path";
import { answers, Azurite } from "./azurite.ts";
import { Child, until } from "./child.ts";
import { installed } from "./installed.ts";
import { anyPort } from "./ports.ts";
import { discard, scratch } from "./scratch.ts";
import { sinkConfiguration } from "./sink-configuration.ts";
import type { Storage } from "./storage.ts";

const FILLED = "filled";

/** Why this machine cannot run a sink, for people. */
export function noSink(): string | undefined {
  return installed("nginx", ["-v"]) ? undefined : "nginx is not installed (Debian: nginx-light)";
}

/**
 * A storage account that answers without delay: nginx accepts every write and discards it. Only the app's ledger goes
 * to an Azurite, because the app reads it back.
 */
export class Sink implements Storage {
  readonly port: number;
  readonly #azurite: Azurite;
  readonly #nginx: Child;
  readonly #folder: string;

  private constructor(port: number, azurite: Azurite, nginx: Child, folder: string) {
    this.port = port;
    this.#azurite = azurite;
    this.#nginx = nginx;
    this.#folder = folder;
  }

  static async start(): Promise<Sink> {
    const [azurite, port, folder] = [await Azurite.start(), await anyPort(), scratch("sink")];
    const file = path.join(folder, "nginx.conf");
    const filled = path.join(folder, FILLED);
    writeFileSync(file, sinkConfiguration({ folder, port, azuritePort: azurite.port, filled }));
    const nginx = new Child("nginx", "nginx", ["-p", folder, "-e", "stderr", "-c", file]);
    await until(nginx, () => answers(`http://127.0.0.1:${port}/requests`));
    return new Sink(port, azurite, nginx, folder);
  }

  /** From now on it has something, for those who ask. */
  fill(): void {
    writeFileSync(path.join(this.#folder, FILLED), "");
  }

  /** Requests answered so far, the ledger's among them. */
  async requests(): Promise<number> {
    const response = await fetch(`http://127.0.0.1:${this.port}/requests`);
    const [, requests] = /^ *\d+ +\d+ +(\d+) *$/m.exec(await response.text()) ?? [];
    return Number(requests);
  }

  async stop(): Promise<void> {
    await this.#nginx.stop();
    await this.#azurite.stop();
    discard(this.#folder);
  }
}
