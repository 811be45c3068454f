import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { z } from "zod";
import { backupRequest } from "../backup/request.ts";
import { pruneRequest } from "../prune/request.ts";
import { restoreRequest } from "../restore/request.ts";
import { verifyRequest } from "../verify/request.ts";
import { ANSWERS, REQUESTS } from "./openapi-examples.ts";
import { UNANSWERED, type DescribedRoute, type Route, type StartDoc } from "./route.ts";
import * as records from "./schema.ts";

type Json = Record<string, unknown>;

/** The answer to a refused request (RFC 9457). */
const problem = z
  .looseObject({ type: z.string(), title: z.string(), status: z.int(), detail: z.string() })
  .describe("What is wrong and what was expected, in words.");

/** The Durable Functions answer to a start: where to follow and control the orchestration. */
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
 * The OpenAPI 3.1 document of the app's routes. Requests are parsed and answers are typed by the same schemas; a test
 * checks real answers against it.
 */
export function openApiDocument(routes: readonly Route[]): Json {
  return {
    openapi: "3.1.0",
    info: {
      title: "site-backup",
      version: version(),
      description:
        "Backs up directory trees to Azure Blob Storage with durable fan-out/fan-in, and restores them.",
    },
    security: [{ key: [] }, { code: [] }],
    paths: Object.fromEntries(
      routes.flatMap((route) => ("starts" in route ? starts(route.path, route.starts) : [pathOf(route)])),
    ),
    components: {
      securitySchemes: {
        key: { type: "apiKey", in: "header", name: "x-functions-key" },
        code: { type: "apiKey", in: "query", name: "code" },
      },
      responses: {
        Problem: {
          description: "The request was refused, or cannot be answered now.",
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
        TreePage: answer(records.treePage),
        DeletedPage: answer(records.deletedPage),
        StoredPage: answer(records.storedPage),
        BackupRequest: body(backupRequest),
        RestoreRequest: body(restoreRequest),
        VerifyRequest: body(verifyRequest),
        PruneRequest: body(pruneRequest),
      },
    },
  };
}

/** Starting: a path for each orchestrator. */
function starts(template: string, orchestrators: Readonly<Record<string, StartDoc>>): [string, Json][] {
  const root = { type: "string", description: "The directory to back up; absolute." };
  return Object.entries(orchestrators).map(
    ([name, { summary, description, body: of, takesPath, refusals }]) => {
      const schema = takesPath ? { anyOf: [root, ref(of)] } : ref(of);
      const json = { "application/json": { schema, ...exampleOf(REQUESTS, name) } };
      const post = {
        operationId: name,
        summary,
        description,
        requestBody: { required: true, content: json },
        responses: {
          202: {
            description:
              "Started. Poll the Location: 202 while it runs, 200 with the output once it has ended.",
            headers: { Location: { schema: { type: "string", format: "uri" } } },
            content: content("Started"),
          },
          ...problems(400, ...refusals, 409, 413, 415, UNANSWERED),
        },
      };
      return [`/${template.replace("{orchestratorName}", name)}`, { post }];
    },
  );
}

/** A route's path and what it answers. */
function pathOf(route: DescribedRoute): [string, Json] {
  const path = route.path.replace("{*", "{");
  const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
  const inPath = names.map((name) => ({ name, in: "path", required: true, schema: { type: "string" } }));
  const { name, summary, description, query, headers, auth, answer: success, also = {}, refusals } = route;
  const others = Object.entries(also).map(([status, what]) => [
    status,
    { ...(status === "304" ? {} : answerOf(success)), description: what },
  ]);
  const parameters = [...(query ? inQuery(query) : []), ...inHeader(headers)];
  const operation = {
    operationId: name,
    summary,
    ...(description === undefined ? {} : { description }),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(auth === "anonymous" ? { security: [] } : {}),
    responses: {
      200: answerOf(success),
      ...(Object.fromEntries(others) as Json),
      ...(auth === "anonymous" && refusals.length === 0 ? {} : problems(...refusals)),
    },
  };
  return [
    `/${path}`,
    { ...(inPath.length === 0 ? {} : { parameters: inPath }), [route.method.toLowerCase()]: operation },
  ];
}

function answerOf({ description, schema, paged, others = {} }: DescribedRoute["answer"]): Json {
  const next = {
    description: 'The next page, rel="next"; absent on the last one.',
    schema: { type: "string" },
  };
  const types = Object.entries(others).map(([type, what]) => [
    type,
    what === "" ? {} : { schema: { type: "string", description: what } },
  ]);
  return {
    description,
    ...(paged ? { headers: { Link: next } } : {}),
    content: { ...(schema === undefined ? {} : content(schema)), ...(Object.fromEntries(types) as Json) },
  };
}

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
function inQuery(query: z.ZodObject): Json[] {
  const { properties = {}, required = [] } = body(query) as {
    properties?: Record<string, Json>;
    required?: string[];
  };
  return Object.entries(properties).map(([name, { description, ...schema }]) => ({
    name,
    in: "query",
    ...(required.includes(name) ? { required: true } : {}),
    ...(description === undefined ? {} : { description }),
    schema,
  }));
}

function inHeader(headers: DescribedRoute["headers"] = {}): Json[] {
  return Object.entries(headers).map(([name, description]) => ({
    name,
    in: "header",
    description,
    schema: { type: "string" },
  }));
}

/** The schema of what callers send: a field with a default is optional. */
function body(schema: z.ZodType): Json {
  return withoutDialect(z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }));
}

/** The schema of what callers get. Members may be added later; clients must ignore what they do not know. */
function answer(schema: z.ZodType): Json {
  return withoutDialect(z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }));
}

/** OpenAPI 3.1 implies this dialect. */
function withoutDialect({ $schema: _dialect, ...schema }: Json): Json {
  return schema;
}

/** The package's version. The build is one folder deeper than the source, so package.json is searched upwards. */
function version(folder = import.meta.dirname): string {
  const file = path.join(folder, "package.json");
  if (!existsSync(file)) return version(path.dirname(folder));
  return (JSON.parse(readFileSync(file, "utf8")) as { version: string }).version;
}
