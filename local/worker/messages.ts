/**
 * The messages between host and worker, shaped as the real host's (gRPC, seen as JSON). The members that
 * only name a chosen one (`data: "string"`, `rpcData: "data"`) are there because protobuf shows them too.
 */

export interface TypedData {
  string?: string;
  json?: string;
  bytes?: Uint8Array;
  int?: number;
  double?: number;
  http?: RpcHttp;
  data?: string;
}

interface NullableString {
  value: string;
  string: "value";
}

export interface RpcHttp {
  identities?: unknown[];
  headers?: Record<string, string>;
  nullableHeaders?: Record<string, NullableString>;
  nullableParams?: Record<string, NullableString>;
  nullableQuery?: Record<string, NullableString>;
  method?: string;
  url?: string;
  body?: TypedData | null;
  rawBody?: TypedData | null;
  statusCode?: string;
  enableContentNegotiation?: boolean;
  cookies?: RpcCookie[];
  [other: string]: unknown;
}

export interface RpcCookie {
  name: string;
  value: string;
  domain?: { value: string };
  path?: { value: string };
  expires?: { value: { seconds: number } };
  secure?: { value: boolean };
  httpOnly?: { value: boolean };
  sameSite?: "none" | "lax" | "strict" | "explicitNone";
  maxAge?: { value: number };
}

interface ParameterBinding {
  name: string;
  data: TypedData;
  rpcData?: "data";
}

export interface InvocationRequest {
  inputData: ParameterBinding[];
  triggerMetadata: Record<string, TypedData>;
  invocationId: string;
  functionId: string;
  traceContext: { attributes: Record<string, string>; traceParent: string; traceState: string };
  retryContext: null;
}

export interface InvocationResponse {
  invocationId: string;
  outputData: ParameterBinding[];
  returnValue?: TypedData | null;
}

export interface RpcException {
  message: string;
  stack: string;
}

export type InvocationResult =
  { status: "success"; response: InvocationResponse } | { status: "failure"; exception: RpcException };

export function stringData(value: string): TypedData {
  return { string: value, data: "string" };
}

export function jsonData(value: string): TypedData {
  return { json: value, data: "json" };
}

export function nullable(value: string): NullableString {
  return { value, string: "value" };
}

export function parameter(name: string, data: TypedData): ParameterBinding {
  return { name, data, rpcData: "data" };
}

/** A request without a retry context: the local host has none. `trace` is the W3C context of its cause. */
export function invocationRequest(
  functionId: string,
  inputData: ParameterBinding[],
  triggerMetadata: Record<string, TypedData>,
  trace = { traceParent: "", traceState: "" },
): InvocationRequest {
  return {
    inputData,
    triggerMetadata,
    invocationId: crypto.randomUUID(),
    functionId,
    traceContext: { attributes: {}, ...trace },
    retryContext: null,
  };
}

/** A function's return value as JSON text; null if it returned nothing. Bytes become base64. */
export function typedDataToJson(data: TypedData | null | undefined): string | null {
  if (data === null || data === undefined) return null;
  if (data.json !== undefined) return data.json;
  if (data.string !== undefined) return JSON.stringify(data.string);
  if (data.int !== undefined) return String(data.int);
  if (data.double !== undefined) return JSON.stringify(data.double);
  if (data.bytes !== undefined) return JSON.stringify(Buffer.from(data.bytes).toString("base64"));
  return null;
}
