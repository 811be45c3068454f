import { app, type HttpRequest, type HttpResponseInit, type InvocationContext } from "@azure/functions";
import { readProgress } from "../records/progress.ts";
import { services } from "../services.ts";
import { HttpProblem, problemResponse } from "../starter/problem.ts";

/** A run's record, and how far it is: `GET /backups/{runId}`. */
app.http("getBackup", {
  route: "backups/{runId}",
  methods: ["GET"],
  authLevel: "function",
  handler: async (request: HttpRequest, context: InvocationContext): Promise<HttpResponseInit> => {
    try {
      const runId = request.params["runId"] ?? "";
      const run = /^[0-9A-Za-z_-]{1,128}$/.test(runId)
        ? await readProgress(services.storage, runId)
        : undefined;
      if (!run) throw new HttpProblem(404, "There is no backup run of this id.");
      return { jsonBody: run };
    } catch (error) {
      return problemResponse(error, context);
    }
  },
});
