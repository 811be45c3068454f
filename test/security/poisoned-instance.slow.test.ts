import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, it } from "vitest";
import { runLocalHost } from "../harness/local-host.ts";
import { begin, ended, FIXTURE_APP, raise, startFixture, statusOf, until } from "../local/durable-helpers.ts";

it("an orchestration that ends its host twice is set aside by name, and the rest continues", async () => {
  const state = mkdtempSync(path.join(tmpdir(), "poisoned-"));
  const options = { state, connectionString: "none" };
  const first = await startFixture(options);
  const innocent = await begin(first, "program", { steps: [{ kind: "approval", ms: 60_000 }] });
  await until(first, innocent, ({ runtimeStatus }) => runtimeStatus === "Running");
  // Its first turn ends the host, perhaps before that has answered.
  await begin(first, "dies", undefined, "poisoned").catch(() => undefined);
  await first.kill();

  const second = await runLocalHost({ ...options, app: FIXTURE_APP });
  expect(second.code).toBe(null);

  const third = await startFixture(options);
  try {
    expect(third.logs()).toContain("'dies' (poisoned)");
    const status = await statusOf(third, "poisoned");
    expect(status).toMatchObject({
      runtimeStatus: "Failed",
      output: expect.stringContaining("set aside") as string,
    });
    await raise(third, innocent, "go", null);
    expect(await ended(third, innocent)).toMatchObject({ runtimeStatus: "Completed", output: 1 });
  } finally {
    await third.stop();
    rmSync(state, { recursive: true, force: true });
  }
});
