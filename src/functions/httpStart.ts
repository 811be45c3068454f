import { randomUUID } from "node:crypto";
import {
  app,
  type HttpRequest,
  type HttpResponseInit,
  type HttpResponse,
  type InvocationContext,
} from "@azure/functions";
import * as df from "durable-functions";
import { orchestrators } from "../starter/orchestrators.ts";
import { HttpProblem, problemResponse } from "../starter/problem.ts";
import { readBody } from "../starter/read-body.ts";
import { line } from "../logging/line.ts";
import { services } from "../services.ts";

/** Starts one of the app's public orchestrators: `POST /orchestrators/{orchestratorName}`. */
app.http("httpStart", {
  route: "orchestrators/{orchestratorName}",
  methods: ["POST"],
  authLevel: "function",
  extraInputs: [df.input.durableClient()],
  handler: async (
    request: HttpRequest,
    context: InvocationContext,
  ): Promise<HttpResponse | HttpResponseInit> => {
    try {
      const name = request.params["orchestratorName"] ?? "";
      const orchestrator = orchestrators.get(name);
      if (!orchestrator) {
        throw new HttpProblem(
          404,
          `There is no orchestrator "${name.slice(0, 64)}" to start. There are: ${[...orchestrators.keys()].join(", ")}.`,
        );
      }
      const client = df.getClient(context);
      // 32 hexadecimal characters, as the Durable extension makes them.
      const instanceId = randomUUID().replaceAll("-", "");
      const input = await orchestrator.prepare(await readBody(request), { instanceId, client, services });
      await client.startNew(name, { instanceId, input });
      context.info(line("run.started", { run: instanceId, orchestrator: name }));
      return client.createCheckStatusResponse(request, instanceId);
    } catch (error) {
      return problemResponse(error, context);
    }
  },
});
