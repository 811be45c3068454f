import { app } from "@azure/functions";
import * as df from "durable-functions";
import { ownInstances } from "../api/own-instances.ts";
import { answering } from "../api/answering.ts";
import { known, runIdOf } from "../api/run-of.ts";
import { showRun } from "../api/read-run.ts";
import { services } from "../services.ts";

/** A run, and how far it is while it runs: `GET /backups/{runId}`. */
app.http("getBackup", {
  route: "backups/{runId}",
  methods: ["GET"],
  authLevel: "function",
  extraInputs: [df.input.durableClient()],
  handler: answering(async (request, context) => {
    const id = runIdOf(request);
    const run = await showRun(services.storage, ownInstances(context), id);
    return { jsonBody: known(run, id), headers: { "Cache-Control": "no-store" } };
  }),
});
