import { app } from "@azure/functions";
import * as df from "durable-functions";
import { ownInstances } from "../durable/own-instances.ts";
import { answering } from "../http/answering.ts";
import { nextLink, readQuery } from "../http/query.ts";
import { known, pageOf, runIdOf } from "../http/run-of.ts";
import { listDeleted } from "../records/list-deleted.ts";
import { currentRecord } from "../records/read-run.ts";
import { deletedQuery } from "../records/schema.ts";
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
