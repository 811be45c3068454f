import { app } from "@azure/functions";
import * as df from "durable-functions";
import { ownInstances } from "../api/own-instances.ts";
import { answering } from "../api/answering.ts";
import { nextLink, readQuery } from "../api/query.ts";
import { pageOf } from "../api/run-of.ts";
import { listRuns } from "../api/list-runs.ts";
import { runsQuery } from "../api/schema.ts";
import { services } from "../services.ts";

/** The runs, newest first: `GET /backups`. */
app.http("listBackups", {
  route: "backups",
  methods: ["GET"],
  authLevel: "function",
  extraInputs: [df.input.durableClient()],
  handler: answering(async (request, context) => {
    const query = readQuery(runsQuery, request);
    const page = await pageOf(listRuns(services.storage, ownInstances(context), query));
    return { jsonBody: page, headers: nextLink("/backups", query, page.continuation) };
  }),
});
