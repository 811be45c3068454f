import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { z } from "zod";
import { backupRequest } from "../backup/request.ts";
import * as records from "./schema.ts";
import { restoreRequest } from "../restore/request.ts";
import { pruneRequest } from "../prune/request.ts";
import { verifyRequest } from "../verify/request.ts";
import { ANSWERS, REQUESTS } from "./openapi-examples.ts";

type Json = Record<string, unknown>;

/** An answer that refuses a request (RFC 9457). */
const problem = z
  .looseObject({ type: z.string(), title: z.string(), status: z.int(), detail: z.string() })
  .describe("What is wrong and what was expected, in words.");

/** The Durable Functions answer to a start: where to follow and steer the orchestration. */
const started = z.looseObject({
  id: z.string().describe("The run's id."),
  statusQueryGetUri: z.url(),
  sendEventPostUri: z.url(),
  terminatePostUri: z.url(),
  rewindPostUri: z.url().optional(),
  purgeHistoryDeleteUri: z.url(),
  restartPostUri: z.url().optional(),
  suspendPostUri: z.url().optional(),
  resumePostUri: z.url().optional(),
});

/**
 * The OpenAPI 3.1 document of the app's routes. Its schemas are those that requests are read with and answers are typed
 * by; a test holds real answers against it.
 */
export function openApiDocument(): Json {
  return {
    openapi: "3.1.0",
    info: {
      title: "site-backup",
      version: version(),
      description:
        "Backs up directory trees to Azure Blob Storage with durable fan-out/fan-in, and restores them.",
    },
    security: [{ key: [] }, { code: [] }],
    paths: { ...starter(), ...runs() },
    components: {
      securitySchemes: {
        key: { type: "apiKey", in: "header", name: "x-functions-key" },
        code: { type: "apiKey", in: "query", name: "code" },
      },
      responses: {
        Problem: {
          description: "The request is refused, or cannot be answered now.",
          content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } },
        },
      },
      schemas: {
        Problem: answer(problem),
        Started: answer(started),
        Run: answer(records.run),
        RunPage: answer(records.runPage),
        FileOutcome: answer(records.fileOutcome),
        FilePage: answer(records.filePage),
        DeletedPage: answer(records.deletedPage),
        BackupRequest: body(backupRequest),
        RestoreRequest: body(restoreRequest),
        VerifyRequest: body(verifyRequest),
        PruneRequest: body(pruneRequest),
      },
    },
  };
}

function starter(): Json {
  const start = (
    name: string,
    [summary, description]: [summary: string, description: string],
    schema: unknown,
    ...refusals: number[]
  ): Json => ({
    [`/orchestrators/${name}`]: {
      post: {
        operationId: name,
        summary,
        description,
        requestBody: {
          required: true,
          content: { "application/json": { schema, ...exampleOf(REQUESTS, name) } },
        },
        responses: {
          202: {
            description:
              "Started. Poll the Location: 202 while it runs, 200 with the output when it has ended.",
            headers: { Location: { schema: { type: "string", format: "uri" } } },
            content: content("Started"),
          },
          ...problems(400, ...refusals, 409, 413, 415, UNANSWERED),
        },
      },
    },
  });
  const root = { type: "string", description: "The directory to back up; absolute." };
  return {
    ...start(
      "backupSiteContent",
      [
        "Back up a directory.",
        "409 while another run writes to the destination, or a prune is at work there (`activeRun` is its id); and where " +
          "another root's backups are (`otherRoot` is that root), unless `allowOtherRoot` is true. A body that is the path alone can name no destination " +
          "and not say so: it goes to the container `backups` whatever root's backups are there.",
      ],
      { anyOf: [root, ref("BackupRequest")] },
      403,
      DAMAGED,
    ),
    ...start(
      "restoreSiteContent",
      ["Restore a run into a directory.", PARTIAL],
      ref("RestoreRequest"),
      403,
      404,
    ),
    ...start(
      "verifyBackup",
      ["Verify that a run's files are there and whole.", PARTIAL],
      ref("VerifyRequest"),
      404,
    ),
    ...start(
      "pruneBackups",
      [
        "Forget runs by a policy, and delete what no run needs that stays.",
        "409 while a backup writes there, or another prune is at work in the container (`activeRun` is its id).",
      ],
      ref("PruneRequest"),
      DAMAGED,
    ),
  };
}

function runs(): Json {
  const runId = { name: "runId", in: "path", required: true, schema: { type: "string" } };
  const lines = {
    "application/x-ndjson": { schema: { type: "string", description: "A FileOutcome a line." } },
  };
  return {
    "/backups": {
      get: {
        operationId: "listBackups",
        summary: "The runs, newest first.",
        parameters: parameters(records.runsQuery),
        responses: { 200: page("A page of runs.", content("RunPage")), ...problems(400, UNANSWERED) },
      },
    },
    "/backups/{runId}": {
      parameters: [runId],
      get: {
        operationId: "getBackup",
        summary: "A run, with its progress while it runs.",
        responses: {
          200: { description: "The run.", content: content("Run") },
          ...problems(404, DAMAGED, UNANSWERED),
        },
      },
    },
    "/backups/{runId}/files": {
      parameters: [runId],
      get: {
        operationId: "listBackupFiles",
        summary: "What became of each file of a run, as JSON or, by Accept, a JSON line a file.",
        parameters: parameters(records.filesQuery),
        responses: {
          200: page("A page of files.", { ...content("FilePage"), ...lines }),
          ...problems(400, 404, DAMAGED, UNANSWERED),
        },
      },
    },
    "/backups/{runId}/deleted": {
      parameters: [runId],
      get: {
        operationId: "listDeletedFiles",
        summary: "What a restore removed from its directory; of a dry run, what it would remove.",
        parameters: parameters(records.deletedQuery),
        responses: {
          200: page("A page of names.", content("DeletedPage")),
          ...problems(400, 404, DAMAGED, UNANSWERED),
        },
      },
    },
    "/backups/{runId}/cancel": {
      parameters: [runId],
      post: {
        operationId: "cancelBackup",
        summary: "Stop a run. What is copied stays.",
        description:
          "409 for a run that has ended. One of another app on the same account (`app`) ends with what it is at work on just then.",
        responses: {
          200: { description: "The run as it stands.", content: content("Run") },
          ...problems(404, 409, 413, DAMAGED, UNANSWERED),
        },
      },
    },
    "/dashboard": {
      get: {
        operationId: "dashboard",
        summary: "The dashboard, a page for people; it holds no data.",
        security: [],
        responses: { 200: { description: "The page.", content: { "text/html": {} } } },
      },
    },
    "/dashboard/{version}/{file}": {
      parameters: ["version", "file"].map((name) => ({
        name,
        in: "path",
        required: true,
        schema: { type: "string" },
      })),
      get: {
        operationId: "dashboardFile",
        summary: "A script, style sheet or icon of the dashboard, by the path that the page has.",
        security: [],
        responses: {
          200: {
            description: "The file.",
            content: { "text/javascript": {}, "text/css": {}, "image/svg+xml": {} },
          },
          ...problems(404),
        },
      },
    },
    "/openapi.json": {
      get: {
        operationId: "openapi",
        summary: "This document.",
        security: [],
        responses: { 200: { description: "OpenAPI 3.1.", content: { "application/json": {} } } },
      },
    },
  };
}

function page(description: string, of: Json): Json {
  return {
    description,
    headers: {
      Link: { description: 'The next page, rel="next"; absent on the last one.', schema: { type: "string" } },
    },
    content: of,
  };
}

const PARTIAL =
  "409 while that run goes on (`activeRun` is its id): what it has not copied yet would be missing. Of a run that was canceled, " +
  "broken off or failed there is what it had copied: the record's `message` says so, and the output tells no error.";

/** A record that the answer needs is damaged. */
const DAMAGED = 502;
/** Storage, or a directory's file system, refuses or does not answer. */
const UNANSWERED = 503;

function problems(...statuses: number[]): Json {
  return Object.fromEntries(
    [...statuses, 500].map((status) => [status, { $ref: "#/components/responses/Problem" }]),
  );
}

function content(schema: string): Json {
  return { "application/json": { schema: ref(schema), ...exampleOf(ANSWERS, schema) } };
}

function exampleOf(examples: Readonly<Record<string, unknown>>, name: string): Json {
  return name in examples ? { example: examples[name] } : {};
}

function ref(schema: string): Json {
  return { $ref: `#/components/schemas/${schema}` };
}

/** A query's schema as parameters. */
function parameters(query: z.ZodObject): Json[] {
  const { properties = {} } = body(query) as { properties?: Record<string, Json> };
  return Object.entries(properties).map(([name, { description, ...schema }]) => ({
    name,
    in: "query",
    ...(description === undefined ? {} : { description }),
    schema,
  }));
}

/** The schema of what callers send: what has a default may be left out. */
function body(schema: z.ZodType): Json {
  return withoutDialect(z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }));
}

/** The schema of what callers get. A member may be added later: clients must not mind. */
function answer(schema: z.ZodType): Json {
  return withoutDialect(z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }));
}

/** OpenAPI 3.1 is of that dialect already. */
function withoutDialect({ $schema: _dialect, ...schema }: Json): Json {
  return schema;
}

/** The package's, wherever above this file that is: the build lies a folder deeper than the source. */
function version(folder = import.meta.dirname): string {
  const file = path.join(folder, "package.json");
  if (!existsSync(file)) return version(path.dirname(folder));
  return (JSON.parse(readFileSync(file, "utf8")) as { version: string }).version;
}
