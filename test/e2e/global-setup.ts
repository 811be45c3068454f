/**
 * The host under test: the one at E2E_BASE_URL, or a local host started for the suite. What either needs is in
 * README.md. One host serves all files of the suite.
 */
import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { TestProject } from "vitest/node";
import { startLocalHost } from "../harness/local-host.ts";

/** What the tests know of the host. */
export interface HostUnderTest {
  baseUrl: string;
  /** The storage account that backups go to. */
  connectionString: string;
  functionKey: string | undefined;
  /** A directory that the host and the tests both see, and that BACKUP_ROOTS allows. */
  trees: string;
}

declare module "vitest" {
  interface ProvidedContext {
    hostUnderTest: HostUnderTest;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { E2E_BASE_URL, E2E_STORAGE_CONNECTION_STRING, E2E_FUNCTION_KEY, E2E_TREES } = process.env;
  const trees = realpathSync(mkdtempSync(path.join(E2E_TREES || tmpdir(), "site-backup-e2e-")));
  const removeTrees = () => rmSync(trees, { recursive: true, force: true });
  if (E2E_BASE_URL) {
    if (!E2E_STORAGE_CONNECTION_STRING) {
      removeTrees();
      throw new Error(
        "With E2E_BASE_URL, E2E_STORAGE_CONNECTION_STRING must name the host's storage account.",
      );
    }
    project.provide("hostUnderTest", {
      baseUrl: E2E_BASE_URL.replace(/\/+$/, ""),
      connectionString: E2E_STORAGE_CONNECTION_STRING,
      functionKey: E2E_FUNCTION_KEY || undefined,
      trees,
    });
    return async () => removeTrees();
  }
  const host = await startLocalHost({
    entry: "build",
    env: { BACKUP_ROOTS: trees, BACKUP_LIST_FILES: undefined, BACKUP_LARGE_FILE_MIB: undefined },
  });
  project.provide("hostUnderTest", {
    baseUrl: host.url,
    connectionString: host.connectionString,
    functionKey: undefined,
    trees,
  });
  return async () => {
    await host.stop();
    removeTrees();
  };
}
