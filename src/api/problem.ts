import { STATUS_CODES } from "node:http";
import type { HttpResponseInit, InvocationContext } from "@azure/functions";
import { FileTimeout } from "../files/timeout.ts";
import { isOfAnother } from "../ledger/alive.ts";
import { DamagedRecord } from "../ledger/damaged.ts";
import type { RunRecord } from "../ledger/run-record.ts";
import { classify, describe } from "../storage/errors.ts";

/** An error answer: what is wrong with the request, and what was expected. */
export class HttpProblem extends Error {
  readonly status: number;
  /** More members of the answer. */
  readonly extra: Record<string, unknown>;
  readonly headers: Record<string, string>;

  constructor(
    status: number,
    detail: string,
    extra: Record<string, unknown> = {},
    headers: Record<string, string> = {},
  ) {
    super(detail);
    this.status = status;
    this.extra = extra;
    this.headers = headers;
  }
}

/** 409: another run is working in the same place. */
export class InUse extends HttpProblem {
  constructor(detail: string, activeRun?: string) {
    super(409, detail, activeRun === undefined ? {} : { activeRun });
  }
}

/** What to do about a run that is in the way. @param own this app; see appIdentity */
export function waitOrCancel(run: Pick<RunRecord, "app">, own: string): string {
  return isOfAnother(own, run)
    ? `It runs in the app ${run.app}: wait until it ends, or cancel it.`
    : "Wait until it ends, or cancel it.";
}

/**
 * Any error as `application/problem+json` (RFC 9457). Errors that are not the caller's are logged, and described in
 * general terms.
 */
export function problemResponse(error: unknown, context: InvocationContext): HttpResponseInit {
  if (error instanceof HttpProblem) return answer(error.status, error.message, error.extra, error.headers);
  if (error instanceof DamagedRecord) return answer(502, error.message);
  if (error instanceof FileTimeout) return answer(503, `${error.message}. Try again when it does.`);
  if (isOfEngine(error)) {
    const detail = `The Functions host did not answer the app's call to start or look up a run (${error.code ?? "no answer"}).`;
    context.error(detail);
    return answer(503, `${detail} Check whether the run exists; if not, start it again.`);
  }
  context.error(`Unexpected: ${describe(error)}`);
  if (classify(error) === "other") {
    return answer(500, "An unexpected error. The app's log has the details under this invocation id.", {
      invocationId: context.invocationId,
    });
  }
  return answer(503, describe(error));
}

/**
 * The durable client calls its host over HTTP (with axios). A failure of such a call says nothing about the storage
 * account.
 */
function isOfEngine(error: unknown): error is { code?: string } {
  return error instanceof Error && (error as { isAxiosError?: unknown }).isAxiosError === true;
}

function answer(
  status: number,
  detail: string,
  extra: Record<string, unknown> = {},
  headers: Record<string, string> = {},
): HttpResponseInit {
  return {
    status,
    headers: { "Content-Type": "application/problem+json", ...headers },
    body: JSON.stringify({ type: "about:blank", title: STATUS_CODES[status], status, detail, ...extra }),
  };
}
