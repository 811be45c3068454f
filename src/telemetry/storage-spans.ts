import { useInstrumenter, type SpanStatus, type TracingContext, type TracingSpan } from "@azure/core-tracing";
import {
  context,
  createContextKey,
  metrics,
  SpanKind,
  SpanStatusCode,
  trace,
  type Attributes,
  type Context,
  type Histogram,
} from "@opentelemetry/api";

const HTTP_PACKAGE = "@azure/core-rest-pipeline";
const CALL = createContextKey("site-backup storage call");
/** Statuses that the app asks for on purpose: whether a blob exists, whether it is unchanged. */
const EXPECTED = new Set([304, 404, 409, 412]);

/**
 * A call that takes this long, in milliseconds, gets a span. A batch makes thousands of calls, which would drown a
 * trace.
 */
const SLOW_MS = 1_000;

/**
 * Measures every call to the Azure SDK (storage, identity), through the SDK's tracing hook, and makes a span of each
 * that failed or was slow. The span has the address without the query, which may contain a SAS, and the status.
 */
export function traceAzureSdk(): void {
  const meter = metrics.getMeter("site-backup");
  const durations = meter.createHistogram("site_backup.storage.duration", {
    unit: "s",
    description: "Duration of calls to the storage account, each try separately",
  });
  useInstrumenter({
    startSpan(name, { packageName, tracingContext, spanAttributes }) {
      const parent = (tracingContext as Context | undefined) ?? context.active();
      const outer = parent.getValue(CALL);
      if (packageName === HTTP_PACKAGE && outer instanceof Call) {
        return { span: outer.request(spanAttributes), tracingContext: parent };
      }
      const call = new Call(name, parent, durations);
      return { span: call, tracingContext: call.context as TracingContext };
    },
    withContext: (current, callback, ...values) =>
      context.with(current as Context, () => callback(...values)),
    parseTraceparentHeader: () => undefined,
    // Storage ignores trace ids.
    createRequestHeaders: () => ({}),
  });
}

/** A query may contain a SAS. */
function withoutQuery(url: string): string {
  return url.split("?", 1)[0] ?? "";
}

/** What a span says of an error of the SDK. */
interface Failure {
  code?: string;
  statusCode?: number;
  name?: string;
}

class Call implements TracingSpan {
  readonly context: Context;
  readonly #name: string;
  readonly #parent: Context;
  readonly #durations: Histogram;
  readonly #start = Date.now();
  /** On a clock that is never set. */
  readonly #began = performance.now();
  readonly #attributes: Attributes = {};
  #status: number | undefined;
  #error: string | undefined;

  constructor(name: string, parent: Context, durations: Histogram) {
    this.#name = name;
    this.#parent = parent;
    this.#durations = durations;
    this.context = parent.setValue(CALL, this);
  }

  /** The HTTP request of this call. */
  request(attributes: Record<string, unknown> = {}): TracingSpan {
    const { "http.url": url, "http.method": method, requestId } = attributes;
    if (typeof method === "string") this.#attributes["http.request.method"] = method;
    if (typeof url === "string") this.#attributes["url.full"] = withoutQuery(url);
    if (typeof requestId === "string") this.#attributes["az.client_request_id"] = requestId;
    const nothing = () => undefined;
    return {
      setAttribute: (name, value) => {
        if (name === "http.status_code") this.#status = Number(value);
        if (name === "serviceRequestId") this.#attributes["az.service_request_id"] = String(value);
      },
      isRecording: () => true,
      setStatus: nothing,
      recordException: nothing,
      end: nothing,
    };
  }

  setStatus(status: SpanStatus): void {
    if (status.status !== "error") return;
    const { code, statusCode, name }: Failure = typeof status.error === "object" ? status.error : {};
    // Never the message, which may quote the request.
    this.#error = String(code ?? statusCode ?? name ?? "error").slice(0, 100);
    if (statusCode !== undefined) this.#status = statusCode;
  }

  setAttribute(name: string, value: unknown): void {
    if (name === "az.namespace") this.#attributes[name] = String(value);
    if (name === "url.full") this.#attributes[name] = withoutQuery(String(value));
  }

  isRecording(): boolean {
    return true;
  }

  recordException(): void {
    // setStatus has recorded it.
  }

  end(): void {
    const failed = this.#error !== undefined && !EXPECTED.has(this.#status ?? 0);
    if (this.#status) this.#attributes["http.response.status_code"] = this.#status;
    if (this.#error !== undefined) this.#attributes["error.type"] = this.#error;
    const by: Attributes = { operation: this.#name, ...(this.#error ? { "error.type": this.#error } : {}) };
    const duration = performance.now() - this.#began;
    this.#durations.record(duration / 1000, by);
    if (!failed && duration < SLOW_MS) return;
    const options = { kind: SpanKind.CLIENT, startTime: this.#start, attributes: this.#attributes };
    const span = trace.getTracer("site-backup").startSpan(this.#name, options, this.#parent);
    if (failed) span.setStatus({ code: SpanStatusCode.ERROR, message: this.#error ?? "" });
    span.end();
  }
}
