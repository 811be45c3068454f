/** The recorded trigger payloads, given to the real durable-functions by the local host's worker. */
import { beforeAll, describe, expect, it } from "vitest";
import type { AppRegistry } from "../../local/app/core-api.ts";
import { loadApp } from "../../local/app/load-app.ts";
import { orchestrationRequest } from "../../local/durable/orchestration-request.ts";
import { triggerPayload } from "../../local/durable/trigger-payload.ts";
import { InProcessWorker } from "../../local/worker/in-process-worker.ts";
import { FIXTURE_APP } from "../local/durable-helpers.ts";
import { ORCHESTRATIONS, recordedTurns } from "./recordings.ts";

let app: AppRegistry;
beforeAll(async () => {
  app = await loadApp(FIXTURE_APP, () => undefined);
});

describe.each(ORCHESTRATIONS)("%s", (file) => {
  it("gives back what the real worker gave back, turn by turn", async () => {
    const worker = new InProcessWorker(app, () => undefined);
    for (const { trigger, returned } of recordedTurns(file)) {
      const name = trigger.history.flatMap((event) => (event.EventType === 0 ? [event.Name] : []))[0] ?? "";
      const metadata = app.functions.get(name)?.metadata;
      if (!metadata) throw new Error(`The fixture app has no orchestrator '${name}'.`);
      const { instanceId, isReplaying } = trigger;
      const input = JSON.stringify(trigger.input);
      const parentInstanceId = trigger["parentInstanceId"] as string | null;
      const payload = triggerPayload({
        past: [],
        fresh: trigger.history,
        input,
        instanceId,
        parentInstanceId,
        isReplaying,
      });
      // What the host builds from the same history is the recorded payload, member by member.
      expect(JSON.parse(payload)).toEqual(trigger);
      expect(Object.keys(JSON.parse(payload) as object)).toEqual(Object.keys(trigger));
      const result = await worker.invoke(
        orchestrationRequest(metadata, { instanceId, payload, input, isReplaying }),
      );
      if (result.status !== "success") throw new Error(result.exception.message);
      expect(JSON.parse(result.response.returnValue?.json ?? "null")).toEqual(returned);
    }
  });
});
