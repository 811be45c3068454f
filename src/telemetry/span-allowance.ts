import { createContextKey, type Context } from "@opentelemetry/api";

/** Storage calls of one function that get a span each. A batch of thousands of files would drown a trace otherwise. */
const CALLS = 100;

const ALLOWANCE = createContextKey("site-backup span allowance");

/** How many more spans a function's storage calls may make. What is beyond is in the metrics, and failures always are spans. */
export class SpanAllowance {
  #left = CALLS;
  /** Calls that made no span. */
  leftOut = 0;

  take(): boolean {
    return this.#left-- > 0;
  }
}

export function withAllowance(context: Context, allowance: SpanAllowance): Context {
  return context.setValue(ALLOWANCE, allowance);
}

export function allowanceOf(context: Context): SpanAllowance | undefined {
  return context.getValue(ALLOWANCE) as SpanAllowance | undefined;
}
