import { app } from "@azure/functions";
import * as df from "durable-functions";
import { answering } from "../http/answering.ts";
import { readBody } from "../starter/read-body.ts";
import { line } from "../logging/line.ts";
import { newInstanceId, start, startable } from "../starter/start.ts";
import { services } from "../services.ts";

/** Starts one of the app's public orchestrators: `POST /orchestrators/{orchestratorName}`. */
app.http("httpStart", {
  route: "orchestrators/{orchestratorName}",
  methods: ["POST"],
  authLevel: "function",
  extraInputs: [df.input.durableClient()],
  handler: answering(async (request, context) => {
    const name = request.params["orchestratorName"] ?? "";
    startable(name);
    const client = df.getClient(context);
    const instanceId = newInstanceId();
    await start(name, await readBody(request), { instanceId, client, services });
    context.info(line("run.started", { run: instanceId, orchestrator: name }));
    return client.createCheckStatusResponse(request, instanceId);
  }),
});
