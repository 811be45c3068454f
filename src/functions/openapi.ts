import { app } from "@azure/functions";
import { answering } from "../http/answering.ts";
import { openApiDocument } from "../openapi/document.ts";

/** Made once: it is the same for as long as the app runs. */
let document: ReturnType<typeof openApiDocument> | undefined;

/** The description of all routes: `GET /openapi.json`. */
app.http("openapi", {
  route: "openapi.json",
  methods: ["GET"],
  authLevel: "function",
  handler: answering(() => Promise.resolve({ jsonBody: (document ??= openApiDocument()) })),
});
