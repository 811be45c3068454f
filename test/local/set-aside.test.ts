/** Hosts that are killed again and again while turns are under way: only the orchestration that can be the reason is set aside. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { AppRegistry } from "../../local/app/core-api.ts";
import { loadApp } from "../../local/app/load-app.ts";
import { DurableClient } from "../../local/durable/client.ts";
import { openDatabase } from "../../local/durable/database.ts";
import { Engine } from "../../local/durable/engine.ts";
import { orchestrationRequest } from "../../local/durable/orchestration-request.ts";
import { Status } from "../../local/durable/status.ts";
import { Store } from "../../local/durable/store.ts";
import { Logger } from "../../local/log/logger.ts";
import { InProcessWorker } from "../../local/worker/in-process-worker.ts";
import { FIXTURE_APP } from "./durable-helpers.ts";

let app: AppRegistry;
let folder: string;
beforeAll(async () => {
  app = await loadApp(FIXTURE_APP, () => undefined);
  folder = mkdtempSync(path.join(tmpdir(), "set-aside-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it("sets aside the orchestration that ends its host, and none whose turn was under way beside it", async () => {
  const file = path.join(folder, "state.sqlite");
  const first = open(file, ["innocent", "poisoned"]);
  for (const id of ["innocent", "poisoned"]) start(first.client, id);
  await first.killedWhenAllBegan();
  await open(file, ["poisoned"]).killedWhenAllBegan();

  const third = open(file, []);
  await expect.poll(() => third.store.instance("innocent")?.status).toBe(Status.Completed);
  expect(third.store.instance("poisoned")).toMatchObject({
    status: Status.Failed,
    output: expect.stringContaining("set aside") as string,
  });
  third.kill();
});

function start(client: DurableClient, id: string): void {
  client.start("program", JSON.stringify({ steps: [] }), id);
}

/** A host on this file, in which the turns of some instances never end. */
function open(file: string, endless: string[]) {
  const store = new Store(openDatabase(file));
  const worker = new InProcessWorker(app, () => undefined);
  const began = new Map(endless.map((id) => [id, Promise.withResolvers<void>()]));
  let killed = false;
  const engine = new Engine(
    store,
    {
      async invokeOrchestrator(name, turn) {
        began.get(turn.instanceId)?.resolve();
        if (began.has(turn.instanceId)) return new Promise(() => undefined);
        // Long enough for another turn to begin beside this one, if it may.
        await new Promise((resolve) => setTimeout(resolve, 20));
        return worker.invoke(orchestrationRequest(app.functions.get(name)!.metadata, turn));
      },
      checkFunction: () => undefined,
      queueTasks: () => undefined,
      fatal(error) {
        if (!killed) throw error as Error;
      },
    },
    new Logger({ verbose: false, sink: () => undefined }),
    4,
  );
  void engine.resume();
  const kill = () => {
    killed = true;
    store.close();
  };
  return {
    store,
    client: new DurableClient(engine),
    kill,
    async killedWhenAllBegan() {
      await Promise.all([...began.values()].map(({ promise }) => promise));
      kill();
    },
  };
}
