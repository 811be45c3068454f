import { app } from "@azure/functions";
import * as df from "durable-functions";
import { answering } from "../api/route.ts";
import { routes } from "../api/routes.ts";
import { services } from "../services.ts";

// A file of a backup may be larger than memory.
app.setup({ enableHttpStream: true });

for (const { name, method, path, auth, handle } of routes) {
  app.http(name, {
    route: path,
    methods: [method],
    authLevel: auth,
    extraInputs: auth === "function" ? [df.input.durableClient()] : [],
    handler: answering((request, context) => handle(request, { context, services })),
  });
}
