/**
 * host.json: the settings that the local host supports, validated; it ignores all others. As on the real host, an
 * application setting `AzureFunctionsJobHost__a__b` sets the member `a.b`, and a hub name may be `%SETTING%`.
 */
import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import path from "node:path";
import { parse, type ParseError, printParseErrorCode } from "jsonc-parser";
import { z } from "zod";
import { StartUpError, messageOf } from "../start-up-error.ts";
import { parseTimeSpan } from "./time-span.ts";

/** The time-out if the real host sets none (a dedicated plan): 30 minutes. */
const DEFAULT_TIMEOUT = 30 * 60_000;
const count = z.number().int().positive();

const schema = z.looseObject({
  version: z.literal("2.0"),
  functionTimeout: z
    .string()
    .refine(
      (text) => text === "-1" || parseTimeSpan(text) !== undefined,
      'expected a time span such as "00:05:00", or "-1"',
    )
    .optional(),
  extensions: z
    .looseObject({
      http: z.looseObject({ routePrefix: z.string().optional() }).optional(),
      durableTask: z
        .looseObject({
          hubName: z.string().optional(),
          maxConcurrentActivityFunctions: count.optional(),
          maxConcurrentOrchestratorFunctions: count.optional(),
        })
        .optional(),
    })
    .optional(),
});

export interface HostSettings {
  routePrefix: string;
  hubName: string;
  maxConcurrentActivities: number;
  maxConcurrentOrchestrators: number;
  /** Milliseconds; Infinity for none. */
  functionTimeout: number;
}

/** Reads host.json in the app's folder. Throws StartUpError naming the field that is wrong. */
export function readHostJson(directory: string, environment: NodeJS.ProcessEnv): HostSettings {
  const file = path.join(directory, "host.json");
  const result = schema.safeParse(overridden(parseFile(file), environment), { reportInput: true });
  if (!result.success) {
    const problems = result.error.issues.map(
      (issue) => `${issue.path.join(".") || "the file"}: ${issue.message}`,
    );
    throw new StartUpError(`${file} is not valid: ${problems.join("; ")}.`);
  }
  const { functionTimeout, extensions } = result.data;
  const durable = extensions?.durableTask;
  // The Durable extension's own default is ten times the number of cores, for both.
  const perCore = 10 * availableParallelism();
  return {
    routePrefix: (extensions?.http?.routePrefix ?? "api").replace(/^\/+|\/+$/g, ""),
    hubName: hubName(durable?.hubName ?? "TestHubName", environment),
    maxConcurrentActivities: durable?.maxConcurrentActivityFunctions ?? perCore,
    maxConcurrentOrchestrators: durable?.maxConcurrentOrchestratorFunctions ?? perCore,
    functionTimeout: timeout(functionTimeout),
  };
}

const OVERRIDE = /^AzureFunctionsJobHost__(.+)$/i;

/** Adds the members from application settings. Names of members differ from those of settings only in case. */
function overridden(value: unknown, environment: NodeJS.ProcessEnv): unknown {
  for (const [name, text = ""] of Object.entries(environment)) {
    const names = OVERRIDE.exec(name)?.[1]?.split("__");
    if (!names || !isObject(value)) continue;
    const last = names.pop() ?? "";
    let parent = value;
    for (const each of names) {
      const key = keyOf(parent, each);
      const child = isObject(parent[key]) ? parent[key] : {};
      parent[key] = child;
      parent = child;
    }
    parent[keyOf(parent, last)] = /^(\d+|true|false)$/i.test(text) ? JSON.parse(text.toLowerCase()) : text;
  }
  return value;
}

function keyOf(object: Record<string, unknown>, name: string): string {
  return Object.keys(object).find((key) => key.toLowerCase() === name.toLowerCase()) ?? name;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function hubName(text: string, environment: NodeJS.ProcessEnv): string {
  const where = "extensions.durableTask.hubName in host.json";
  const setting = /^%(.+)%$/.exec(text)?.[1];
  const name = setting === undefined ? text : environment[setting];
  if (name === undefined)
    throw new StartUpError(`${where} is "${text}", and the application setting ${setting} is not set.`);
  if (/^[A-Za-z][A-Za-z0-9]{2,44}$/.test(name)) return name;
  throw new StartUpError(`${where}: expected 3 to 45 letters and digits, a letter first, not "${name}".`);
}

function timeout(text: string | undefined): number {
  if (text === undefined) return DEFAULT_TIMEOUT;
  return text === "-1" ? Infinity : (parseTimeSpan(text) ?? DEFAULT_TIMEOUT);
}

/** Reads a JSON file that may have comments. Throws StartUpError when it is missing or is not JSON. */
export function parseFile(file: string): unknown {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    throw new StartUpError(`Cannot read ${file}: ${messageOf(error)}.`);
  }
  const errors: ParseError[] = [];
  let value: unknown;
  try {
    value = parse(text.replace(/^\uFEFF/, ""), errors, { allowTrailingComma: true });
  } catch (error) {
    // The parser recurses for each level.
    if (error instanceof RangeError) throw new StartUpError(`${file} is nested too deeply.`);
    throw error;
  }
  const [first] = errors;
  if (first) {
    const line = text.slice(0, first.offset).split("\n").length;
    throw new StartUpError(`${file} is not valid JSON: ${printParseErrorCode(first.error)} in line ${line}.`);
  }
  return value;
}
