import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, it } from "vitest";
import { FIXTURE_APP } from "./durable-helpers.ts";

const MAIN = path.resolve(import.meta.dirname, "../../local/main.ts");

it("continues when nobody reads its output any more, as after `npm start | head`, and ends on SIGTERM", async () => {
  const state = mkdtempSync(path.join(tmpdir(), "closed-output-"));
  const host = spawn(process.execPath, [MAIN, "--app", FIXTURE_APP, "--state", state, "--port", "0"], {
    stdio: ["ignore", "pipe", "pipe", "ipc"],
    env: { ...process.env, AzureWebJobsStorage: "none" },
  });
  try {
    const [{ url }] = (await once(host, "message")) as [{ url: string }];
    host.stdout?.destroy();
    host.stderr?.destroy();
    // A line to each of the two.
    expect((await fetch(`${url}/says`)).status).toBe(200);
    expect((await fetch(`${url}/throws`)).status).toBe(500);
    expect((await fetch(`${url}/says`)).status).toBe(200);
    host.kill("SIGTERM");
    expect(await once(host, "exit")).toEqual([0, null]);
  } finally {
    host.kill("SIGKILL");
    rmSync(state, { recursive: true, force: true });
  }
});
