import { app } from "@azure/functions";
import * as df from "durable-functions";
import { ownInstances } from "../api/own-instances.ts";
import { answering } from "../api/answering.ts";
import { nextLink, readQuery } from "../api/query.ts";
import { known, pageOf, runIdOf } from "../api/run-of.ts";
import { listDeleted } from "../api/list-deleted.ts";
import { currentRecord } from "../api/read-run.ts";
import { deletedQuery } from "../api/schema.ts";
import { services } from "../services.ts";

/** What a restore removed, or in a dry run would remove: `GET /backups/{runId}/deleted`. */
app.http("listDeletedFiles", {
  route: "backups/{runId}/deleted",
  methods: ["GET"],
  authLevel: "function",
  extraInputs: [df.input.durableClient()],
  handler: answering(async (request, context) => {
    const id = runIdOf(request);
    const query = readQuery(deletedQuery, request);
    known(await currentRecord(services.storage, ownInstances(context), id), id);
    const page = await pageOf(listDeleted(services.storage, id, query));
    const headers = nextLink(`/backups/${encodeURIComponent(id)}/deleted`, query, page.continuation);
    return { jsonBody: page, headers };
  }),
});
