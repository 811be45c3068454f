/** An HTTP request as the message that invokes an HTTP function, in the real host's form. */
import type { IncomingMessage } from "node:http";
import { durableClientKey, type FunctionMetadata, triggerOf } from "../app/registered-function.ts";
import {
  invocationRequest,
  type InvocationRequest,
  jsonData,
  nullable,
  parameter,
  type RpcHttp,
  stringData,
  type TypedData,
} from "../worker/messages.ts";
import { traceParentOf } from "../durable/trace-context.ts";

/** The caller: nobody that the local host knows. */
const ANONYMOUS = {
  claims: [],
  authenticationType: null,
  nameClaimType: nullable("http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name"),
  roleClaimType: nullable("http://schemas.microsoft.com/ws/2008/06/identity/claims/role"),
};

export function functionRequest(
  metadata: FunctionMetadata,
  request: Pick<IncomingMessage, "method" | "url" | "headers">,
  params: Record<string, string>,
  body: Buffer,
  durableClient: string,
): InvocationRequest {
  const method = request.method ?? "GET";
  const url = new URL(`http://${request.headers.host}${request.url}`);
  // Values of a repeated name are joined, as on the real host.
  const query = Object.fromEntries(
    [...url.searchParams.keys()].map((key) => [key, url.searchParams.getAll(key).join(",")]),
  );
  const headers = flatHeaders(request);
  const data: TypedData | null = body.length > 0 ? { bytes: body, data: "bytes" } : null;
  const http: RpcHttp = {
    identities: [ANONYMOUS],
    cookies: [],
    headers: {},
    params: {},
    query: {},
    nullableHeaders: mapValues(headers, nullable),
    nullableParams: mapValues(params, nullable),
    nullableQuery: mapValues(query, nullable),
    method,
    url: url.href,
    body: data,
    statusCode: "",
    enableContentNegotiation: false,
    rawBody: data,
  };
  const inputs = [parameter(triggerOf(metadata).key, { http, data: "http" })];
  const clientKey = durableClientKey(metadata);
  if (clientKey !== undefined) inputs.push(parameter(clientKey, stringData(durableClient)));
  const { code: _key, ...ofQuery } = query;
  const triggerMetadata = {
    // The route's parameters win. In streamed HTTP these are the `params` of the app's request.
    ...mapValues({ ...ofQuery, ...params }, stringData),
    Query: jsonData(JSON.stringify(query)),
    Headers: jsonData(
      JSON.stringify(
        Object.fromEntries(Object.entries(headers).map(([name, value]) => [titleCase(name), value])),
      ),
    ),
  };
  return invocationRequest(metadata.functionId, inputs, triggerMetadata, traceParentOf(request.headers));
}

function flatHeaders(request: Pick<IncomingMessage, "headers">): Record<string, string> {
  const flat: Record<string, string> = {};
  for (const [name, value] of Object.entries(request.headers)) {
    if (value !== undefined) flat[name] = Array.isArray(value) ? value.join(", ") : value;
  }
  return flat;
}

function titleCase(header: string): string {
  return header.replace(/(^|-)[a-z]/g, (start) => start.toUpperCase());
}

function mapValues<From, To>(values: Record<string, From>, convert: (value: From) => To): Record<string, To> {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, convert(value)]));
}
