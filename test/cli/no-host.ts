/** A machine on which no local host is up, for a test of `site-backup backup`: it starts one, and ends it. */
import { readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, expect } from "vitest";
import { freePort } from "../harness/local-host.ts";
import { makeFolder } from "../harness/tree.ts";

export interface NoHost {
  folder: string;
  env: Record<string, string | undefined>;
}

/** A folder, ports and a state of its own for each test of the file. */
export function useNoHost(): NoHost {
  const own = {} as NoHost;
  beforeEach(async () => {
    own.folder = await makeFolder("cli-own");
    own.env = {
      FUNCTIONS_PORT: String(await freePort()),
      AZURITE_BLOB_PORT: String(await freePort()),
      LOCAL_HOST_STATE: path.join(own.folder, "state"),
      AzureWebJobsStorage: "UseDevelopmentStorage=true",
      BackupStorage: undefined,
    };
  });
  afterEach(() => rmSync(own.folder, { recursive: true, force: true }));
  return own;
}

/** Neither the host nor Azurite is left behind. */
export async function expectNobody({ env }: NoHost): Promise<void> {
  for (const port of [env["FUNCTIONS_PORT"], env["AZURITE_BLOB_PORT"]]) {
    await expect(fetch(`http://127.0.0.1:${port}/`)).rejects.toThrow("fetch failed");
  }
}

/** The process that the host has noted; 0 before it has. */
export function readPid(file: string): number {
  try {
    return (JSON.parse(readFileSync(file, "utf8")) as { pid: number }).pid;
  } catch {
    return 0;
  }
}
