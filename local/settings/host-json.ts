/** host.json: the settings the local host honours, validated; it leaves all others alone. */
import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import path from "node:path";
import { parse, printParseErrorCode } from "jsonc-parser";
import type { ParseError } from "jsonc-parser";
import { z } from "zod";
import { StartUpError, messageOf } from "../start-up-error.ts";
import { parseTimeSpan } from "./time-span.ts";

/** Where the real host sets no limit of its own (a dedicated plan) it takes 30 minutes. */
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
          hubName: z
            .string()
            .regex(/^[A-Za-z][A-Za-z0-9]{2,44}$/, "expected 3 to 45 letters and digits, a letter first")
            .optional(),
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
export function readHostJson(directory: string): HostSettings {
  const file = path.join(directory, "host.json");
  const result = schema.safeParse(parseFile(file), { reportInput: true });
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
    hubName: durable?.hubName ?? "TestHubName",
    maxConcurrentActivities: durable?.maxConcurrentActivityFunctions ?? perCore,
    maxConcurrentOrchestrators: durable?.maxConcurrentOrchestratorFunctions ?? perCore,
    functionTimeout: timeout(functionTimeout),
  };
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
    // The parser calls itself for each level.
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
