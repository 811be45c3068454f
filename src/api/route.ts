import type { HttpRequest, HttpResponse, HttpResponseInit, InvocationContext } from "@azure/functions";
import type { z } from "zod";
import type { Services } from "../services.ts";

/** What a handler is given beside the request. */
export interface Call {
  context: InvocationContext;
  services: Services;
}

/** A successful answer, as the OpenAPI document describes it. */
interface Answer {
  description: string;
  /** The schema of the JSON, by its name among the document's components. */
  schema?: "Run" | "RunPage" | "FilePage" | "DeletedPage";
  /** It is one page of a list; `Link` leads to the next. */
  paged?: true;
  /** Other media types, with what they hold. */
  others?: Record<string, string>;
}

/** A route, with what the OpenAPI document says of it. */
export interface Route {
  /** The function's name, and the operationId in the OpenAPI document. */
  name: string;
  method: "GET" | "POST";
  path: string;
  /** Anonymous ones show nothing of a backup. All others are given a durable client. */
  auth: "function" | "anonymous";
  query?: z.ZodObject;
  summary: string;
  description?: string;
  answer: Answer;
  /** The statuses that it refuses with. */
  refusals: number[];
  handle: (request: HttpRequest, call: Call) => Promise<HttpResponseInit | HttpResponse>;
}

/** A record that the answer needs is damaged. */
export const DAMAGED = 502;
/** Storage, or a directory's file system, refuses or does not answer. */
export const UNANSWERED = 503;
