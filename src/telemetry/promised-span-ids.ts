import { context, createContextKey } from "@opentelemetry/api";
import { RandomIdGenerator } from "@opentelemetry/sdk-trace-base";

/**
 * The context key under which a host may put the id for the next span. An orchestration's span id is given to its
 * activities long before the orchestration ends and its span is made, maybe by another process.
 */
const SPAN_ID = createContextKey("durabletask.span_id");

/** Random ids, except for spans whose id was promised. */
export class PromisedSpanIds extends RandomIdGenerator {
  constructor() {
    super();
    const random = this.generateSpanId;
    this.generateSpanId = () => {
      const promised = context.active().getValue(SPAN_ID);
      return typeof promised === "string" ? promised : random();
    };
  }
}
