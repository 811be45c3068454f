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
  /** The one directory that BACKUP_ROOTS allows. */
  allowed: string;
  /** A directory in it for the trees of this run of the suite; the host and the tests both see it. */
  trees: string;
  /** The layout that the host gives new destinations. */
  layout: "files" | "packs";
  /** Of a local host: to see what it takes. */
  pid: number | undefined;
}

declare module "vitest" {
  interface ProvidedContext {
    hostUnderTest: HostUnderTest;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { E2E_BASE_URL, E2E_STORAGE_CONNECTION_STRING, E2E_FUNCTION_KEY, E2E_TREES } = process.env;
  const layout = process.env["BACKUP_LAYOUT"] === "packs" ? "packs" : "files";
  const parent = realpathSync(E2E_TREES || tmpdir());
  const trees = mkdtempSync(path.join(parent, "site-backup-e2e-"));
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
      allowed: parent,
      trees,
      layout,
      pid: undefined,
    });
    return async () => removeTrees();
  }
  const host = await startLocalHost({
    entry: "build",
    connectionString: "own",
    env: {
      BACKUP_ROOTS: trees,
      BACKUP_LAYOUT: layout,
      BACKUP_LIST_FILES: undefined,
      BACKUP_LARGE_FILE_MIB: undefined,
    },
  });
  project.provide("hostUnderTest", {
    baseUrl: host.url,
    connectionString: host.connectionString,
    functionKey: undefined,
    allowed: trees,
    trees,
    layout,
    pid: host.pid,
  });
  return async () => {
    await host.stop();
    removeTrees();
  };
}
