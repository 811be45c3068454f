/** host.json and local.settings.json, whatever is in them: settings, or a sentence that says what is wrong. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readHostJson } from "../../local/settings/host-json.ts";
import { applyLocalSettings } from "../../local/settings/local-settings.ts";
import { StartUpError } from "../../local/start-up-error.ts";
import { fuzz, objectText, text, value } from "./fuzz.ts";

const RUNS = 300;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), "fuzz-settings-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What reading a file comes to: its settings, or the sentence that is printed. */
function read<T>(name: string, content: string | Uint8Array, reader: () => T): T | string {
  writeFileSync(path.join(folder, name), content);
  try {
    return reader();
  } catch (error) {
    expect(error).toBeInstanceOf(StartUpError);
    const { message } = error as StartUpError;
    expect(message).toContain(name);
    expect(message).toMatch(/\.$/);
    return message;
  }
}
const hostJson = (content: string | Uint8Array) => read("host.json", content, () => readHostJson(folder, {}));
const localSettings = (content: string | Uint8Array) => {
  const environment: NodeJS.ProcessEnv = {};
  const warnings = read("local.settings.json", content, () => applyLocalSettings(folder, environment));
  return typeof warnings === "string" ? warnings : environment;
};

/** An object of these names, each with what it may have or with anything. */
function fields(right: Record<string, fc.Arbitrary<unknown>>): fc.Arbitrary<string> {
  const field = fc
    .constantFrom(...Object.keys(right), "__proto__")
    .chain((name) =>
      fc.tuple(
        fc.constant(name),
        fc.oneof({ arbitrary: right[name === "__proto__" ? "" : name] ?? value, weight: 4 }, value),
      ),
    );
  return fc.array(field, { maxLength: 6 }).map(objectText);
}

/** As it is, cut short, with a mark at its beginning or with noise in it. */
function written(good: fc.Arbitrary<string>): fc.Arbitrary<string | Uint8Array> {
  return fc.oneof(
    good,
    fc.tuple(good, fc.nat(300)).map(([some, end]) => some.slice(0, end)),
    good.map((some) => `\uFEFF// a comment\n${some.replace("}", ",}")}`),
    fc.json(),
    fc.uint8Array({ maxLength: 100 }),
    text,
  );
}

const durableTask = fc.record({
  hubName: fc.oneof(fc.constant("Hub"), text),
  maxConcurrentActivityFunctions: fc.oneof(fc.nat(100), fc.double()),
});
const host = fields({
  version: fc.constant("2.0"),
  functionTimeout: fc.oneof(fc.constantFrom("-1", "00:05:00", "99999999999999999999.00:00:00"), text),
  extensions: fc.record({ durableTask, http: fc.record({ routePrefix: text }) }, { requiredKeys: [] }),
});
const local = fields({
  IsEncrypted: fc.boolean(),
  Values: fc.dictionary(text, fc.oneof(text, fc.double(), fc.boolean())),
});

describe("made up", () => {
  it("host.json", () => {
    const property = fc.property(written(host), (content) => {
      const result = hostJson(content);
      if (typeof result === "string") return;
      expect(result.hubName).toMatch(/^[A-Za-z][A-Za-z0-9]{2,44}$/);
      expect(result.functionTimeout).toBeGreaterThanOrEqual(0);
      expect(result.maxConcurrentActivities).toBeGreaterThan(0);
    });
    fc.assert(property, fuzz(RUNS));
  });

  it("local.settings.json", () => {
    const property = fc.property(written(local), (content) => {
      const result = localSettings(content);
      if (typeof result === "string") return;
      expect(result["AzureWebJobsStorage"]).toEqual(expect.any(String));
      expect(new Set(Object.values(result).map((each) => typeof each))).toEqual(new Set(["string"]));
    });
    fc.assert(property, fuzz(RUNS));
  });

  it("changes nothing that all objects have", () => {
    hostJson('{"version":"2.0","__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}');
    localSettings('{"Values":{"__proto__":"polluted"},"__proto__":{"polluted":1}}');
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  });
});

describe("nested deeper than a parser can go", () => {
  it.each(["[", '{"a":', '{"version":"2.0","extensions":{"x":['])("%s", (open) => {
    const deep = open + "[".repeat(200_000) + "]".repeat(200_000);
    expect(hostJson(deep)).toMatch(/host\.json is nested too deeply\.$|is not valid JSON/);
    expect(localSettings(deep)).toMatch(/local\.settings\.json is nested too deeply\.$|is not valid JSON/);
  });
});
