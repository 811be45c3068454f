import azureFunctions from "@azure/functions";
import type {
  HttpHandler,
  HttpRequest,
  HttpResponse,
  HttpResponseInit,
  InvocationContext,
} from "@azure/functions";
import type { z } from "zod";
import type { Services } from "../services.ts";
import { problemResponse } from "./problem.ts";
import { refuseLargeBody } from "./read-body.ts";

/** A record needed for the answer is damaged. */
export const DAMAGED = 502;
/** Storage or a file system refused, or did not answer. */
export const UNANSWERED = 503;

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

/**
 * Wraps a handler: errors become `application/problem+json`, and every answer says nosniff, because the names and
 * reasons in it are untrusted.
 */
export function answering(
  handler: (request: HttpRequest, context: InvocationContext) => Promise<HttpResponseInit | HttpResponse>,
): HttpHandler {
  return async (request, context) => {
    const response = await answer(handler, request, context);
    response.headers.set("X-Content-Type-Options", "nosniff");
    return response;
  };
}

async function answer(
  handler: Parameters<typeof answering>[0],
  request: HttpRequest,
  context: InvocationContext,
): Promise<HttpResponse> {
  try {
    refuseLargeBody(request);
    const answered = await handler(request, context);
    return answered instanceof azureFunctions.HttpResponse
      ? answered
      : new azureFunctions.HttpResponse(answered);
  } catch (error) {
    return new azureFunctions.HttpResponse(problemResponse(error, context));
  }
}

const PARTIAL =
  "409 while that run is in progress (`activeRun` is its id), because what it has not copied yet would be missing. A run that was " +
  "canceled, terminated or failed has what it had copied: the record's `message` says so, and the output is no error.";

/** What the document says of each public orchestrator. */
export const STARTS = {
  backupSiteContent: {
    summary: "Back up a directory.",
    description:
      "409 while another run writes to the destination, or a prune is running there (`activeRun` is its id), and if it holds " +
      "the backups of another root (`otherRoot`), unless `allowOtherRoot` is true. A body that is just the path cannot name a destination: " +
      "the backup goes to the container `backups`, whatever root's backups are there.",
    body: "BackupRequest",
    takesPath: true,
    refusals: [403, DAMAGED],
  },
  restoreSiteContent: {
    summary: "Restore a run into a directory.",
    description: PARTIAL,
    body: "RestoreRequest",
    refusals: [403, 404],
  },
  verifyBackup: {
    summary: "Verify that a run's files are present and intact.",
    description: PARTIAL,
    body: "VerifyRequest",
    refusals: [404],
  },
  pruneBackups: {
    summary: "Forget runs by a policy, and delete what no remaining run needs.",
    description:
      "409 while a backup writes there, or another prune is running in the container (`activeRun` is its id).",
    body: "PruneRequest",
    refusals: [DAMAGED],
  },
} satisfies Readonly<Record<string, StartDoc>>;
