import { app } from "@azure/functions";
import { answering } from "../api/answering.ts";
import { openApiDocument } from "../api/openapi.ts";

/** Made once: it is the same for as long as the app runs. */
let document: ReturnType<typeof openApiDocument> | undefined;

/** The description of all routes: `GET /openapi.json`. It has no secrets: tools read it without a key. */
app.http("openapi", {
  route: "openapi.json",
  methods: ["GET"],
  authLevel: "anonymous",
  handler: answering(() => Promise.resolve({ jsonBody: (document ??= openApiDocument()) })),
});
