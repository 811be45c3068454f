import { app } from "@azure/functions";
import * as df from "durable-functions";
import { ownInstances } from "../api/own-instances.ts";
import { answering } from "../api/answering.ts";
import { known, runIdOf } from "../api/run-of.ts";
import { cancelRun, HasEnded } from "../api/cancel-run.ts";
import { line } from "../telemetry/line.ts";
import { services } from "../services.ts";
import { HttpProblem } from "../api/problem.ts";

/** Stops a run and all its parts; what is copied stays: `POST /backups/{runId}/cancel`. */
app.http("cancelBackup", {
  route: "backups/{runId}/cancel",
  methods: ["POST"],
  authLevel: "function",
  extraInputs: [df.input.durableClient()],
  handler: answering(async (request, context) => {
    const id = runIdOf(request);
    try {
      const run = await cancelRun(services.storage, ownInstances(context), id);
      if (run) context.info(line("run.canceled", { run: id }));
      return { jsonBody: known(run, id) };
    } catch (error) {
      if (error instanceof HasEnded) throw new HttpProblem(409, error.message);
      throw error;
    }
  }),
});
