import * as df from "durable-functions";
import { hashSpan, type Span } from "../backup/large-file/hash-span.ts";
import { services } from "../services.ts";

/** Goes on with the MD5 of a large file. */
df.app.activity("hashSpan", {
  handler: async (span: Span) => await hashSpan(span, services.storage, services.settings, services.budget),
});
