import type { HttpRequest, HttpResponse, HttpResponseInit, InvocationContext } from "@azure/functions";
import type { z } from "zod";
import type { Services } from "../services.ts";

/** What a handler gets besides the request. */
export interface Call {
  context: InvocationContext;
  services: Services;
}

/** A successful answer, as the OpenAPI document describes it. */
interface Answer {
  description: string;
  /** The name of the JSON's schema in the document's components. */
  schema?: "Run" | "RunPage" | "FilePage" | "TreePage" | "DeletedPage" | "StoredPage";
  /** It is one page of a list; `Link` points to the next. */
  paged?: true;
  /** Other media types, and what they contain. */
  others?: Record<string, string>;
}

/** What the OpenAPI document says of a public orchestrator. */
export interface StartDoc {
  summary: string;
  description: string;
  /** The name of the body's schema in the document's components. */
  body: "BackupRequest" | "RestoreRequest" | "VerifyRequest" | "PruneRequest";
  /** The body may be just the root's path. */
  takesPath?: true;
  /** Statuses it refuses with, besides those of every start. */
  refusals: number[];
}

/** What the OpenAPI document says of another route. */
interface Described {
  query?: z.ZodObject;
  /** Request headers that it heeds, and what they do. */
  headers?: Record<string, string>;
  summary: string;
  description?: string;
  answer: Answer;
  /** Other statuses of success, and what they say. */
  also?: Record<number, string>;
  /** The statuses it refuses with. */
  refusals: number[];
}

/** A route, and its part of the OpenAPI document. That of a route that starts orchestrators is a path for each. */
export type Route = {
  /** The function's name, and the operationId in the OpenAPI document. */
  name: string;
  method: "GET" | "POST";
  path: string;
  /** Anonymous routes reveal nothing about backups. All others get a durable client. */
  auth: "function" | "anonymous";
  handle: (request: HttpRequest, call: Call) => Promise<HttpResponseInit | HttpResponse>;
} & (Described | { starts: Readonly<Record<string, StartDoc>> });

export type DescribedRoute = Extract<Route, Described>;

/** A record needed for the answer is damaged. */
export const DAMAGED = 502;
/** Storage or a file system refused, or did not answer. */
export const UNANSWERED = 503;
