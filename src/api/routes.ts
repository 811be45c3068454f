/**
 * Every HTTP route: functions/http.ts registers them, and the OpenAPI document describes them. Those under `/backups`
 * serve all kinds of runs.
 */
import type { HttpResponseInit } from "@azure/functions";
import * as df from "durable-functions";
import { toLines } from "../ledger/ledger.ts";
import type { RunRecord } from "../ledger/run-record.ts";
import { line } from "../telemetry/line.ts";
import { cancelRun, HasEnded } from "./cancel-run.ts";
import { answerWith, dashboardAssets } from "./dashboard-assets.ts";
import { instancesOf, type Instances } from "./engine.ts";
import { listDeleted, listFiles } from "./list-outcomes.ts";
import { listRuns } from "./list-runs.ts";
import { listTree } from "./list-tree.ts";
import { measureStored } from "./measure-stored.ts";
import { openApiDocument } from "./openapi.ts";
import { pageAnswer } from "./pages.ts";
import { known, pathOf, readQuery, runIdOf } from "./parameters.ts";
import { HttpProblem } from "./problem.ts";
import { contentQuery, deletedQuery, filesQuery, runsQuery, storedQuery, treeQuery } from "./query-schema.ts";
import { currentRecord, showRun } from "./read-run.ts";
import { DAMAGED, UNANSWERED, type Call, type Route } from "./route.ts";
import type { FilePage } from "./schema.ts";
import { sendContent } from "./send-content.ts";
import { httpStart } from "./start.ts";

/** Built once: it does not change while the app runs. */
let document: ReturnType<typeof openApiDocument> | undefined;

export const routes: readonly Route[] = [
  httpStart,
  {
    name: "listBackups",
    method: "GET",
    path: "backups",
    auth: "function",
    query: runsQuery,
    summary: "The runs, newest first.",
    answer: { description: "A page of runs.", schema: "RunPage", paged: true },
    refusals: [400, UNANSWERED],
    async handle(request, call) {
      const query = readQuery(runsQuery, request);
      return await pageAnswer("/backups", query, listRuns(call.services.storage, ownInstances(call), query));
    },
  },
  {
    name: "getBackup",
    method: "GET",
    path: "backups/{runId}",
    auth: "function",
    summary: "A run, with its progress while it runs.",
    answer: { description: "The run.", schema: "Run" },
    refusals: [404, DAMAGED, UNANSWERED],
    async handle(request, call) {
      const id = runIdOf(request);
      const run = await showRun(call.services.storage, ownInstances(call), id);
      return { jsonBody: known(run, id), headers: { "Cache-Control": "no-store" } };
    },
  },
  {
    name: "listBackupFiles",
    method: "GET",
    path: "backups/{runId}/files",
    auth: "function",
    query: filesQuery,
    summary: "The outcome of each file of a run, as JSON or, with Accept, one JSON line a file.",
    answer: {
      description: "A page of files.",
      schema: "FilePage",
      paged: true,
      others: { "application/x-ndjson": "One FileOutcome a line." },
    },
    refusals: [400, 404, DAMAGED, UNANSWERED],
    async handle(request, call) {
      const id = runIdOf(request);
      const query = readQuery(filesQuery, request);
      known(await currentRecord(call.services.storage, ownInstances(call), id), id);
      const answer = await pageAnswer(
        `${pathOf(id)}/files`,
        query,
        listFiles(call.services.storage, id, query),
      );
      const wantsLines = (request.headers.get("accept") ?? "").includes("application/x-ndjson");
      return wantsLines ? lines(answer) : answer;
    },
  },
  {
    name: "listBackupTree",
    method: "GET",
    path: "backups/{runId}/tree",
    auth: "function",
    query: treeQuery,
    summary: "The names in a directory, as a backup found it.",
    description:
      "For a run in progress, what is recorded so far. 400 if the run is not a backup, or the path not a directory: the problem's `entry` then says what it is.",
    answer: {
      description: "A page of names, in the order of the run's tree.",
      schema: "TreePage",
      paged: true,
    },
    refusals: [400, 404, DAMAGED, UNANSWERED],
    async handle(request, call) {
      const id = runIdOf(request);
      const query = readQuery(treeQuery, request);
      const record = await backupOf(call, id);
      return await pageAnswer(`${pathOf(id)}/tree`, query, listTree(call.services, record, query));
    },
  },
  {
    name: "getBackupContent",
    method: "GET",
    path: "backups/{runId}/content",
    auth: "function",
    query: contentQuery,
    headers: {
      Range: "One range, in bytes. If there are several, the whole file is sent.",
      "If-Range": "An ETag: the range is sent only of this content; otherwise the whole file is sent.",
      "If-None-Match": "ETags: content that the client already has is not sent again.",
    },
    summary: "The content that a file had in a backup; of a link, its target as text.",
    description:
      "Its hash is checked as the bytes pass: if it is not the recorded one, the answer is cut short. A part is checked by the transport only; check the whole against the ETag, which is the hash in base64: the MD5 in the layout files, the SHA-256 in packs, where the ETag of a file above 4 MiB begins with `chunks-` and is not a hash of the content. An answer that takes longer than four minutes is cut short, too: continue with `Range` and `If-Range`.",
    answer: { description: "The whole file.", others: { "*/*": "The type of its extension." } },
    also: { 206: "A part of the file.", 304: "The client has the content." },
    refusals: [400, 404, 409, 410, 416, DAMAGED, UNANSWERED],
    async handle(request, call) {
      const query = readQuery(contentQuery, request);
      return await sendContent(request, call, await backupOf(call, runIdOf(request)), query);
    },
  },
  {
    name: "listDeletedFiles",
    method: "GET",
    path: "backups/{runId}/deleted",
    auth: "function",
    query: deletedQuery,
    summary: "What a restore removed from its directory; for a dry run, what it would remove.",
    answer: { description: "A page of names.", schema: "DeletedPage", paged: true },
    refusals: [400, 404, DAMAGED, UNANSWERED],
    async handle(request, call) {
      const id = runIdOf(request);
      const query = readQuery(deletedQuery, request);
      known(await currentRecord(call.services.storage, ownInstances(call), id), id);
      return await pageAnswer(`${pathOf(id)}/deleted`, query, listDeleted(call.services.storage, id, query));
    },
  },
  {
    name: "measureStored",
    method: "GET",
    path: "stored",
    auth: "function",
    query: storedQuery,
    summary: "How much is stored in a destination.",
    description:
      "Blobs are counted by listing them, for at most about 20 seconds. With a `continuation`, the amounts are those of one page: add the pages up.",
    answer: { description: "The amounts.", schema: "StoredPage", paged: true },
    refusals: [400, UNANSWERED],
    async handle(request, call) {
      const query = readQuery(storedQuery, request);
      return await pageAnswer("/stored", query, measureStored(call.services, query));
    },
  },
  {
    name: "cancelBackup",
    method: "POST",
    path: "backups/{runId}/cancel",
    auth: "function",
    summary: "Stop a run. What it has copied stays.",
    description:
      "409 if the run has ended. A run of another app on the same account (`app`) stops once it has finished what it is working on.",
    answer: { description: "The run as it stands.", schema: "Run" },
    refusals: [404, 409, 413, DAMAGED, UNANSWERED],
    async handle(request, call) {
      const id = runIdOf(request);
      try {
        const run = await cancelRun(call.services.storage, ownInstances(call), id);
        if (run) call.context.info(line("run.canceled", { run: id }));
        return { jsonBody: known(run, id) };
      } catch (error) {
        if (error instanceof HasEnded) throw new HttpProblem(409, error.message);
        throw error;
      }
    },
  },
  {
    // Anonymous, because a browser that opens an address sends no key. All data comes from the routes above, with the
    // key that the page asks for.
    name: "dashboard",
    method: "GET",
    path: "dashboard",
    auth: "anonymous",
    summary: "The dashboard, a web page; it holds no data.",
    answer: { description: "The page.", others: { "text/html": "" } },
    refusals: [],
    async handle(request) {
      // The page's links are relative to the app's root, wherever that is.
      if (new URL(request.url).pathname.endsWith("/")) {
        return { status: 308, headers: { Location: "../dashboard" } };
      }
      return answerWith((await dashboardAssets()).page, request, "no-cache");
    },
  },
  {
    name: "dashboardFile",
    method: "GET",
    path: "dashboard/{version}/{*file}",
    auth: "anonymous",
    summary: "A script, style sheet or icon of the dashboard, by the path the page uses.",
    answer: {
      description: "The file.",
      others: { "text/javascript": "", "text/css": "", "image/svg+xml": "" },
    },
    refusals: [404],
    async handle(request) {
      const { version = "", file = "" } = request.params;
      const asset = (await dashboardAssets()).files.get(`${version}/${file}`);
      if (!asset) throw new HttpProblem(404, "The dashboard has no such file. Reload the page.");
      // The path contains the version.
      return answerWith(asset, request, "public, max-age=31536000, immutable");
    },
  },
  {
    // Anonymous, for tools: it contains no secrets.
    name: "openapi",
    method: "GET",
    path: "openapi.json",
    auth: "anonymous",
    summary: "This document.",
    answer: { description: "OpenAPI 3.1.", others: { "application/json": "" } },
    refusals: [],
    handle: () => Promise.resolve({ jsonBody: (document ??= openApiDocument(routes)) }),
  },
];

/** The instances of this app's engine. */
function ownInstances({ context, services }: Call): Instances {
  return instancesOf(df.getClient(context), services.settings.app);
}

/** The record of a run with a tree. @throws HttpProblem 404 or 400 */
async function backupOf(call: Call, id: string): Promise<RunRecord> {
  const record = known(await currentRecord(call.services.storage, ownInstances(call), id), id);
  const { kind = "backup", of } = record;
  if (kind === "backup") return record;
  const instead = of === undefined ? "" : ` See the backup that it is about: ${of}.`;
  throw new HttpProblem(400, `The run ${id} is a ${kind}, and only a backup has a tree.${instead}`);
}

/** Damaged lines follow the files, each a line with only `damaged`. */
function lines({
  jsonBody: { files, damaged = [] },
  headers,
}: {
  jsonBody: FilePage;
  headers: Record<string, string>;
}): HttpResponseInit {
  return {
    headers: { "Content-Type": "application/x-ndjson", ...headers },
    body: toLines([...files, ...damaged.map((line) => ({ damaged: line }))]),
  };
}
