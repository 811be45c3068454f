import { app } from "@azure/functions";
import { answerWith } from "../api/dashboard-answer.ts";
import { dashboardAssets } from "../api/dashboard-assets.ts";
import { answering } from "../api/answering.ts";

/**
 * The page of the dashboard: `GET /dashboard`. Anonymous, for a browser that opens an address sends no key; and it can
 * be, for the page is the same for everybody and holds no data. All data it shows comes from the routes of the API, which
 * want the function key; the page asks for it, and sends it in a header.
 */
app.http("dashboard", {
  route: "dashboard",
  methods: ["GET"],
  authLevel: "anonymous",
  handler: answering(async (request) => {
    // The page's links are relative to the app's root, wherever that is.
    if (new URL(request.url).pathname.endsWith("/")) {
      return { status: 308, headers: { Location: "../dashboard" } };
    }
    return answerWith((await dashboardAssets()).page, request, "no-cache");
  }),
});
