import { ANSWERS } from "../../src/api/openapi-examples.ts";
import { openApiDocument } from "../../src/api/openapi.ts";
import { routes } from "../../src/api/routes.ts";
import { block, code, generated, table } from "./markdown.ts";
import { fieldRows, typeOf, type Schema } from "./schema-text.ts";

interface Content {
  schema?: Schema;
  example?: unknown;
}
interface Reply {
  $ref?: string;
  description?: string;
  headers?: Record<string, { description?: string }>;
  content?: Record<string, Content>;
}
interface Parameter {
  name: string;
  in: string;
  description?: string;
  schema: Schema;
}
interface Operation {
  operationId: string;
  summary: string;
  description?: string;
  parameters?: Parameter[];
  requestBody?: { content: Record<string, Content> };
  responses: Record<string, Reply>;
  security?: unknown[];
}
interface Document {
  paths: Record<string, Record<string, Operation> & { parameters?: Parameter[] }>;
  components: { schemas: Record<string, Schema>; responses: Record<string, Reply> };
}

/** docs/reference/api.md: every route, what it takes and what it answers. */
export function apiPage(): string {
  const document = openApiDocument(routes) as unknown as Document;
  const sections = Object.entries(document.paths).flatMap(([path, { parameters: shared = [], ...methods }]) =>
    Object.entries(methods).map(([method, operation]) =>
      route(method, path, operation, shared as Parameter[]),
    ),
  );
  const schemas = Object.entries(document.components.schemas).map(([name, schema]) =>
    described(name, schema),
  );
  return `${generated("src/api/")}

# HTTP API

Programs find the same at \`GET /openapi.json\`. In Azure, send the function key in the header
\`x-functions-key\`, which appears in no log; \`?code=\` works as well. Errors are \`application/problem+json\` (RFC 9457)
with a \`detail\` that says what was expected.

${sections.join("\n\n")}

# Objects

Members may be added to what the app answers.

${schemas.join("\n\n")}
`;
}

function route(method: string, path: string, operation: Operation, shared: readonly Parameter[]): string {
  const { operationId, summary, description, requestBody, responses, security } = operation;
  const parameters = [...shared, ...(operation.parameters ?? [])];
  const body = requestBody?.content["application/json"];
  return [
    `## ${method.toUpperCase()} ${code(path)}`,
    `${summary} (\`${operationId}\`)${security?.length === 0 ? " Needs no key." : ""}`,
    ...(description === undefined ? [] : [description]),
    ...(parameters.length === 0
      ? []
      : [table(["Parameter", "In", "Value", "Default", "Meaning"], parameters.map(parameterRow))]),
    ...(body?.schema ? [`Body: ${typeOf(body.schema)}.`] : []),
    ...(body?.example === undefined ? [] : [json(body.example)]),
    table(["Status", "Answer"], replyRows(responses)),
  ].join("\n\n");
}

function parameterRow({ name, in: where, description = "", schema }: Parameter): string[] {
  const fallback = schema.default === undefined ? "" : code(JSON.stringify(schema.default));
  return [code(name), where, typeOf(schema), fallback, description];
}

/** All refusals in one row: they have the same form. */
function replyRows(responses: Record<string, Reply>): string[][] {
  const all = Object.entries(responses);
  const refusals = all.filter(([, { $ref }]) => $ref !== undefined).map(([status]) => status);
  const rows = all.filter(([, { $ref }]) => $ref === undefined).map(replyRow);
  return refusals.length === 0 ? rows : [...rows, [refusals.join(", "), "[Problem](#problem)"]];
}

function replyRow([status, { description = "", headers = {}, content = {} }]: [string, Reply]): string[] {
  const types = Object.entries(content).map(([type, { schema }]) =>
    schema ? `${code(type)}: ${typeOf(schema)}` : code(type),
  );
  const extra = Object.entries(headers).map(
    ([name, header]) =>
      `header ${code(name)}${header.description === undefined ? "" : `: ${header.description}`}`,
  );
  return [status, [description, [...types, ...extra].join("; ")].filter(Boolean).join(" ")];
}

function described(name: string, schema: Schema): string {
  const rows = fieldRows(schema);
  return [
    `## ${name}`,
    ...(schema.description === undefined ? [] : [schema.description]),
    table(["Field", "Value", name.endsWith("Request") ? "Default" : "Presence", "Meaning"], rows),
    ...(name in ANSWERS ? ["For example:", json(ANSWERS[name])] : []),
  ].join("\n\n");
}

function json(value: unknown): string {
  return block("json", JSON.stringify(value, undefined, 2));
}
