import { rmSync } from "node:fs";
import type { BrowserContext } from "playwright-core";
import { afterAll, afterEach, beforeAll } from "vitest";
import { takeAccount } from "../harness/azurite.ts";
import { isWrite, startStorageProxy, type StorageProxy } from "../harness/storage-proxy.ts";
import { makeFolder } from "../harness/tree.ts";
import { RecordsHost } from "../api/host.ts";
import { hasChromium, startBrowser, startContext, Visitor, type Opening } from "./browser.ts";

/** What the tests of the dashboard share. */
export interface Dashboard {
  host: RecordsHost;
  /** For trees to back up. */
  folder: string;
  /** Lets so many files of a backup to this container through; the next wait until what it returns is called. */
  holdAfter(files: number, container: string): () => void;
  /** Somebody new opens it; whatever the page complained of fails the test that opened it. @param hash where in it */
  open(hash?: string, opening?: Opening): Promise<Visitor>;
}

/** Starts a host, and a browser where there is one, before the tests of this file, and ends them after. */
export function useDashboard(): Dashboard {
  let context: BrowserContext | undefined;
  let visitor: Visitor | undefined;
  const azurite = takeAccount();
  let proxy: StorageProxy;
  const dashboard = {
    holdAfter(files, container) {
      let release = (): void => undefined;
      const held = new Promise<void>((resolve) => (release = resolve));
      proxy.before = (request) =>
        request.container === container && isWrite(request) && files-- <= 0 ? held : undefined;
      return () => {
        proxy.before = () => undefined;
        release();
      };
    },
    async open(hash = "", opening) {
      if (!context) throw new Error("there is no browser");
      visitor ??= await Visitor.start(context, dashboard.host.process.url);
      await visitor.open(hash, opening);
      return visitor;
    },
  } as Dashboard;
  beforeAll(async () => {
    proxy = await startStorageProxy(azurite);
    // One request at a time, so that a run can be watched.
    [dashboard.host, dashboard.folder, context] = await Promise.all([
      RecordsHost.start({ BACKUP_REQUESTS_IN_FLIGHT: "1" }, proxy.connectionString),
      makeFolder("dashboard"),
      hasChromium ? startBrowser().then(startContext) : undefined,
    ]);
  });
  afterAll(async () => {
    await context?.browser()?.close();
    await dashboard.host.process.stop();
    await proxy.stop();
    await azurite.stop();
    rmSync(dashboard.folder, { recursive: true, force: true });
  });
  afterEach(() => visitor?.leave());
  return dashboard;
}
