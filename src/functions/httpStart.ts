import { app } from "@azure/functions";
import * as df from "durable-functions";
import { answering } from "../api/answering.ts";
import { readBody } from "../api/read-body.ts";
import { line } from "../telemetry/line.ts";
import { assertPublic, newInstanceId, start } from "../api/start.ts";
import { services } from "../services.ts";

/** Starts one of the app's public orchestrators: `POST /orchestrators/{orchestratorName}`. */
app.http("httpStart", {
  route: "orchestrators/{orchestratorName}",
  methods: ["POST"],
  authLevel: "function",
  extraInputs: [df.input.durableClient()],
  handler: answering(async (request, context) => {
    const name = request.params["orchestratorName"] ?? "";
    assertPublic(name);
    const client = df.getClient(context);
    const instanceId = newInstanceId();
    await start(name, await readBody(request), { instanceId, client, services });
    context.info(line("run.started", { run: instanceId, orchestrator: name }));
    return client.createCheckStatusResponse(request, instanceId);
  }),
});
