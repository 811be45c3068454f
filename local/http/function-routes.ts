/** Which HTTP function answers a request. */
import { type FunctionMetadata, hasTrigger, triggerOf } from "../app/registered-function.ts";
import { RouteTemplate } from "./route-template.ts";

interface FunctionRoute {
  metadata: FunctionMetadata;
  /** Upper case; empty: all. */
  methods: string[];
  template: RouteTemplate;
}

export class FunctionRoutes {
  readonly all: FunctionRoute[];

  constructor(functions: Iterable<FunctionMetadata>, routePrefix: string) {
    this.all = [...functions]
      .filter((metadata) => hasTrigger(metadata, "httpTrigger"))
      .map((metadata) => {
        const { binding } = triggerOf(metadata);
        const route = typeof binding["route"] === "string" ? binding["route"] : metadata.name;
        const methods = Array.isArray(binding["methods"])
          ? binding["methods"].map((each) => String(each).toUpperCase())
          : [];
        return {
          metadata,
          methods,
          template: new RouteTemplate(`${routePrefix}/${route.replace(/^\/+/, "")}`),
        };
      })
      .sort((a, b) => (a.template.precedence < b.template.precedence ? -1 : 1));
  }

  /** Undefined if no function has this route with this method. `path` is as it came, still encoded. */
  find(method: string, path: string): { route: FunctionRoute; params: Record<string, string> } | undefined {
    const segments = decodeSegments(path);
    if (!segments) return undefined;
    for (const route of this.all) {
      if (route.methods.length > 0 && !route.methods.includes(method)) continue;
      const params = route.template.match(segments);
      if (params) return { route, params };
    }
    return undefined;
  }
}

/** A path's segments, decoded; undefined if its encoding is invalid. */
export function decodeSegments(path: string): string[] | undefined {
  const trimmed = path.replace(/^\/+|\/+$/g, "");
  try {
    return trimmed === "" ? [] : trimmed.split("/").map(decodeURIComponent);
  } catch {
    return undefined;
  }
}
