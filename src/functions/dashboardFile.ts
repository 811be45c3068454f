import { app } from "@azure/functions";
import { answerWith } from "../api/dashboard-answer.ts";
import { dashboardAssets } from "../api/dashboard-assets.ts";
import { answering } from "../api/answering.ts";
import { HttpProblem } from "../api/problem.ts";

/**
 * A script, style sheet or icon of the dashboard: `GET /dashboard/{version}/{file}`. Anonymous like the page: a browser sends no key
 * for them, and they are the same in every deployment. Their paths hold their version, so they never change.
 */
app.http("dashboardFile", {
  route: "dashboard/{version}/{*file}",
  methods: ["GET"],
  authLevel: "anonymous",
  handler: answering(async (request) => {
    const { version = "", file = "" } = request.params;
    const asset = (await dashboardAssets()).files.get(`${version}/${file}`);
    if (!asset) throw new HttpProblem(404, "The dashboard has no such file. Reload the page.");
    return answerWith(asset, request, "public, max-age=31536000, immutable");
  }),
});
