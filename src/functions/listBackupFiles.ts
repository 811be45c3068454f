import { app, type HttpResponseInit } from "@azure/functions";
import * as df from "durable-functions";
import { ownInstances } from "../api/own-instances.ts";
import { answering } from "../api/answering.ts";
import { nextLink, readQuery } from "../api/query.ts";
import { known, pageOf, runIdOf } from "../api/run-of.ts";
import { toLines } from "../ledger/ledger.ts";
import { listFiles } from "../api/list-files.ts";
import { currentRecord } from "../api/read-run.ts";
import { filesQuery, type FilePage } from "../api/schema.ts";
import { services } from "../services.ts";

/** What became of each file of a run: `GET /backups/{runId}/files`, as JSON or, by Accept, a JSON line a file. */
app.http("listBackupFiles", {
  route: "backups/{runId}/files",
  methods: ["GET"],
  authLevel: "function",
  extraInputs: [df.input.durableClient()],
  handler: answering(async (request, context) => {
    const id = runIdOf(request);
    const query = readQuery(filesQuery, request);
    known(await currentRecord(services.storage, ownInstances(context), id), id);
    const page = await pageOf(listFiles(services.storage, id, query));
    const headers = nextLink(`/backups/${encodeURIComponent(id)}/files`, query, page.continuation);
    const wantsLines = (request.headers.get("accept") ?? "").includes("application/x-ndjson");
    return wantsLines ? lines(page, headers) : { jsonBody: page, headers };
  }),
});

/** What is damaged follows the files, each a line with `damaged` alone. */
function lines({ files, damaged = [] }: FilePage, headers: Record<string, string>): HttpResponseInit {
  return {
    headers: { "Content-Type": "application/x-ndjson", ...headers },
    body: toLines([...files, ...damaged.map((line) => ({ damaged: line }))]),
  };
}
