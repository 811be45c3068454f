/** `site-backup open`, with a stand-in for the browser and for the app. */
import { chmodSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeFolder } from "../harness/tree.ts";
import { listen } from "../harness/listen.ts";
import { objects, run } from "./command.ts";

let folder: string;
let app: Server;
let url: string;
beforeAll(async () => {
  folder = await makeFolder("open");
  app = createServer((request, response) => {
    const found = request.url === "/dashboard" || request.url === "/admin/host/status";
    response
      .writeHead(found ? 200 : 404, { "Content-Type": "text/html" })
      .end(found ? '{"state":"Running"}<title>site-backup</title>' : "");
  });
  url = await listen(app);
});
afterAll(() => {
  app.close();
  rmSync(folder, { recursive: true, force: true });
});

const noScreen = { BROWSER: undefined, DISPLAY: undefined, WAYLAND_DISPLAY: undefined };

describe("open", () => {
  it("starts the browser on the dashboard, and never with the key", async () => {
    const seen = path.join(folder, "seen");
    const browser = path.join(folder, "browser");
    writeFileSync(browser, `#!/bin/sh\necho "$@" > '${seen}'\n`);
    chmodSync(browser, 0o755);
    const { code, stdout } = await run(["open", "--url", url, "--key", "s3cret", "--json"], {
      env: { BROWSER: browser },
    });
    expect(objects(stdout)).toEqual([{ type: "dashboard", url: `${url}/dashboard`, opened: true }]);
    expect(readFileSync(seen, "utf8")).toBe(`${url}/dashboard\n`);
    expect(code).toBe(0);
  });

  it("without a screen: the address alone, even with --quiet", async () => {
    const { code, stdout, stderr } = await run(["open", "--quiet"], {
      env: { ...noScreen, FUNCTIONS_PORT: new URL(url).port },
    });
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: `${url}/dashboard\n`, stderr: "" });
  });

  it("an app that has none: says so, exit code 1", async () => {
    const { code, stderr } = await run(["open", "--url", `${url}/elsewhere`], { env: noScreen });
    expect(code).toBe(1);
    expect(stderr).toMatch(/^.* no dashboard.*\n$/);
    expect(stderr).toContain(` ${url}/elsewhere `);
  });
});
