/** The text printed once the app is loaded: its functions, as `func start` lists them, and how to start one. */
import { durableClientKey, type FunctionMetadata, hasTrigger, triggerOf } from "./app/registered-function.ts";
import type { FunctionRoutes } from "./http/function-routes.ts";

export function startUpText(url: string, functions: FunctionMetadata[], routes: FunctionRoutes): string {
  const http = [...routes.all]
    .map(({ metadata, methods, template }) => ({
      name: metadata.name,
      methods: methods.join(","),
      route: template.text,
    }))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ name, methods, route }) => `\t${name}: ${methods ? `[${methods}] ` : ""}${url}/${route}\n`);
  const others = functions
    .filter((metadata) => !hasTrigger(metadata, "httpTrigger"))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map((metadata) => `\t${metadata.name}: ${triggerOf(metadata).binding.type}\n`);
  return `\nNode.js ${process.version}, the host's own, runs the app.\n\nFunctions:\n\n${[...http, ...others].join("\n")}\n${example(url, functions, routes)}`;
}

/** A line to copy, when the app has a function that starts orchestrations by name. */
function example(url: string, functions: FunctionMetadata[], routes: FunctionRoutes): string {
  const orchestrator = functions.find((metadata) => hasTrigger(metadata, "orchestrationTrigger"));
  const starter = routes.all.find(
    ({ metadata, methods, template }) =>
      durableClientKey(metadata) !== undefined &&
      methods.includes("POST") &&
      /\{(orchestratorName|functionName|name)\}/.test(template.text),
  );
  if (!orchestrator || !starter) return "";
  const route = starter.template.text.replace(/\{\w+\}/, orchestrator.name);
  return (
    `To start one, with its input as JSON:\n\n\tcurl -i ${url}/${route} -H 'Content-Type: application/json' -d 'INPUT'\n\n` +
    "and follow the Location it answers with. Ctrl-C ends the host.\n\n"
  );
}
