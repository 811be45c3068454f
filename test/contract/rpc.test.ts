/** The messages that invoke functions, and what the programming model makes of them, against the recorded ones. */
import { beforeAll, describe, expect, it } from "vitest";
import type { AppRegistry } from "../../local/app/core-api.ts";
import { loadApp } from "../../local/app/load-app.ts";
import { type FunctionMetadata, triggerOf } from "../../local/app/registered-function.ts";
import { activityRequest } from "../../local/durable/activity-runner.ts";
import { orchestrationRequest } from "../../local/durable/orchestration-request.ts";
import { functionRequest } from "../../local/http/function-request.ts";
import { durableClientInput } from "../../local/http/management-urls.ts";
import { timerRequest } from "../../local/timer/timer-triggers.ts";
import type { InvocationRequest } from "../../local/worker/messages.ts";
import { InProcessWorker } from "../../local/worker/in-process-worker.ts";
import { fileURLToPath } from "node:url";
import { recordedInvocation } from "./recordings.ts";
import { shapeOf } from "./shape.ts";

let app: AppRegistry;
beforeAll(async () => {
  app = await loadApp(fileURLToPath(new URL("fixtures/rpc-app", import.meta.url)), () => undefined);
});

function metadataOf(name: string): FunctionMetadata {
  const metadata = app.functions.get(name)?.metadata;
  if (!metadata) throw new Error(`The fixture app has no function '${name}'.`);
  return metadata;
}

function requestFor(kind: string): InvocationRequest {
  const { request } = recordedInvocation(kind);
  switch (kind) {
    case "http": {
      const headers = {
        accept: "*/*",
        host: "127.0.0.1:7081",
        "user-agent": "curl/7.88.1",
        "content-type": "application/json",
        "content-length": "0",
      };
      const client = durableClientInput(
        "http://localhost:7081",
        { hubName: "Contract", key: "KEY" },
        "http://127.0.0.1:30421/durabletask/",
      );
      return functionRequest(
        metadataOf("httpStart"),
        { method: "POST", url: "/orchestrators/fan", headers },
        { name: "fan" },
        Buffer.alloc(0),
        client,
      );
    }
    case "activity":
      return activityRequest(metadataOf("add1"), {
        instanceId: "3644c5e114f44737bac857cbbdac4d32",
        input: "1",
      });
    case "timer":
      return timerRequest(
        metadataOf("tick"),
        { status: { Last: "a", Next: "b", LastUpdated: "c" }, isPastDue: false, adjustForDST: true },
        "",
      );
    default: {
      const payload = request.inputData[0]?.data.string ?? "";
      return orchestrationRequest(metadataOf("fan"), {
        instanceId: "3644c5e114f44737bac857cbbdac4d32",
        payload,
        input: '""',
        isReplaying: false,
      });
    }
  }
}

describe.each(["http", "activity", "timer", "orchestration"])("%s", (kind) => {
  const recorded = recordedInvocation(kind);

  it("is registered as on the real host", () => {
    expect(shapeOf(metadataOf(recorded.metadata.name))).toEqual(shapeOf(recorded.metadata));
    expect(triggerOf(metadataOf(recorded.metadata.name)).key).toBe(triggerOf(recorded.metadata).key);
    expect(metadataOf(recorded.metadata.name).rawBindings).toEqual(recorded.metadata.rawBindings);
  });

  it("is invoked with a message of the recorded shape", () => {
    expect(shapeOf(requestFor(kind))).toEqual(shapeOf(recorded.request));
    expect(requestFor(kind).inputData.map(({ name }) => name)).toEqual(
      recorded.request.inputData.map(({ name }) => name),
    );
  });

  it("is answered as recorded", async () => {
    // The recorded HTTP function calls the durable client, which needs a host: a test over HTTP has that.
    if (kind === "http") return;
    const result = await new InProcessWorker(app, () => undefined).invoke(recorded.request);
    expect(result).toEqual({ status: "success", response: recorded.response });
  });
});

it("gives the durable client the recorded binding value", () => {
  const value = requestFor("http").inputData[1]?.data.string;
  expect(value).toBe(recordedInvocation("http").request.inputData[1]?.data.string);
});
