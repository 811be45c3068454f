import * as df from "durable-functions";
import { hashSpan, type Span } from "../backup/large-file/hash-span.ts";
import { Ledger } from "../ledger/ledger.ts";
import { showLife } from "../ledger/sign-of-life.ts";
import { services } from "../services.ts";

/** Goes on with the MD5 of a large file. */
df.app.activity("hashSpan", {
  handler: async (span: Span) => {
    const { storage, settings, budget } = services;
    const hashed = await hashSpan(span, storage, settings, budget);
    if (hashed !== "changed")
      await showLife(new Ledger(storage, span.run), span.from, hashed.reached ?? span.to);
    return hashed;
  },
});
