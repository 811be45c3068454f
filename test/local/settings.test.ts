import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readHostJson } from "../../local/settings/host-json.ts";
import { applyLocalSettings } from "../../local/settings/local-settings.ts";
import { cookieText } from "../../local/http/function-response.ts";
import { RouteTemplate } from "../../local/http/route-template.ts";
import { redact } from "../../local/log/redact.ts";
import { formatTimeSpan, parseTimeSpan } from "../../local/settings/time-span.ts";
import { settingsOfOwnStorage } from "../../local/storage/own-account.ts";
import { retryDelay } from "../../local/durable/retry-delay.ts";

describe("route templates", () => {
  it.each([
    ["a/{b}", "a/x", { b: "x" }],
    ["a/{b}", "a", undefined],
    ["a/{b}", "a/x/y", undefined],
    ["a/{b?}", "a", {}],
    ["a/{b=z}", "a", { b: "z" }],
    ["a/{*rest}", "a/x/y", { rest: "x/y" }],
    ["a/{*rest}", "a", { rest: "" }],
    ["a/{n:int}", "a/7", { n: "7" }],
    ["a/{n:int}", "a/7x", undefined],
    ["a/{n:int:min(5)}", "a/4", undefined],
    ["a/{g:guid}", "a/035dccae-3720-49e6-85fe-1488ef68b9c7", { g: "035dccae-3720-49e6-85fe-1488ef68b9c7" }],
    ["a/{s:alpha:maxlength(2)}", "a/abc", undefined],
  ])("%s and %s", (template, path, params) => {
    expect(new RouteTemplate(template).match(path.split("/"))).toEqual(params);
  });
});

describe("time spans", () => {
  it.each([
    ["00:05:00", 300_000],
    ["1.02:00:00", 93_600_000],
    ["00:00:00.5", 500],
    ["5", undefined],
    ["soon", undefined],
  ])("%s", (text, milliseconds) => {
    expect(parseTimeSpan(text)).toBe(milliseconds);
  });

  it("are written as .NET writes them", () => {
    expect([formatTimeSpan(300_000), formatTimeSpan(93_600_000)]).toEqual(["00:05:00", "1.02:00:00"]);
  });
});

it("takes UseDevelopmentStorage=true for the host's own storage, in whatever setting, and nothing else", () => {
  const environment: NodeJS.ProcessEnv = {
    AzureWebJobsStorage: "UseDevelopmentStorage=true",
    Other: " usedevelopmentstorage=TRUE; ",
    Proxied: "UseDevelopmentStorage=true;DevelopmentStorageProxyUri=http://proxy",
    BackupStorage:
      "DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey=a;BlobEndpoint=http://127.0.0.1:10000/devstoreaccount1",
  };
  expect(settingsOfOwnStorage(environment)).toEqual(["AzureWebJobsStorage", "Other"]);
});

it("takes keys out of lines", () => {
  const line =
    'GET "http://localhost/x?taskHub=a&code=abc-_1&y=2" https://a.blob/?sv=1&sig=a%2Bb AccountKey=abc==;X=1';
  expect(redact(line)).toBe(
    'GET "http://localhost/x?taskHub=a&code=***&y=2" https://a.blob/?sv=1&sig=*** AccountKey=***;X=1',
  );
});

it("computes retry delays as DurableTask.Core does", () => {
  const options = {
    firstRetryIntervalInMilliseconds: 100,
    maxNumberOfAttempts: 9,
    backoffCoefficient: 3,
    maxRetryIntervalInMilliseconds: 500,
  };
  expect([0, 1, 2, 3].map((attempt) => retryDelay(options, attempt, 0, 0))).toEqual([100, 300, 500, 500]);
  expect(retryDelay({ ...options, retryTimeoutInMilliseconds: 50 }, 0, 1_000, 1_049)).toBe(100);
  expect(retryDelay({ ...options, retryTimeoutInMilliseconds: 50 }, 0, 1_000, 1_050)).toBeUndefined();
});

it("writes cookies with all their attributes", () => {
  const cookie = {
    name: "a",
    value: "b c",
    maxAge: { value: 60 },
    expires: { value: { seconds: 0 } },
    domain: { value: "d" },
    path: { value: "/p" },
    secure: { value: true },
    httpOnly: { value: true },
    sameSite: "explicitNone" as const,
  };
  expect(cookieText(cookie)).toBe(
    "a=b%20c; Max-Age=60; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Domain=d; Path=/p; Secure; HttpOnly; SameSite=None",
  );
});

it("takes the port from local.settings.json, and says that it does not honour CORS", () => {
  const folder = mkdtempSync(path.join(tmpdir(), "local-settings-"));
  try {
    writeFileSync(
      path.join(folder, "local.settings.json"),
      JSON.stringify({ Host: { LocalHttpPort: 7073, CORS: "*" } }),
    );
    expect(applyLocalSettings(folder, {})).toEqual({
      port: 7073,
      warnings: [expect.stringContaining("Host.CORS in local.settings.json")],
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
});

describe("host.json", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), "host-json-"));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const read = (text: string, environment: NodeJS.ProcessEnv = {}) => {
    writeFileSync(path.join(folder, "host.json"), text);
    return readHostJson(folder, environment);
  };

  it("is honoured in what the host can do, and otherwise left alone", () => {
    const durableTask = { hubName: "Hub", maxConcurrentActivityFunctions: 3, storageProvider: { type: "x" } };
    const extensions = { http: { routePrefix: "/v1/", hsts: {} }, durableTask, other: 1 };
    expect(
      read(
        `// comment\n${JSON.stringify({ version: "2.0", functionTimeout: "00:10:00", logging: {}, extensions })}`,
      ),
    ).toMatchObject({
      routePrefix: "v1",
      hubName: "Hub",
      maxConcurrentActivities: 3,
      functionTimeout: 600_000,
    });
    expect(read('{ "version": "2.0", "functionTimeout": "-1" }')).toMatchObject({
      routePrefix: "api",
      hubName: "TestHubName",
      functionTimeout: Infinity,
    });
  });

  it("takes a hub name, and any member, from an application setting", () => {
    const hub = (hubName: string) =>
      JSON.stringify({ version: "2.0", extensions: { durableTask: { hubName } } });
    expect(read(hub("%Hub%"), { Hub: "FromSetting" }).hubName).toBe("FromSetting");
    expect(() => read(hub("%Hub%"))).toThrow(/\bHub is not set/);
    expect(
      read(hub("Hub"), {
        AzureFunctionsJobHost__extensions__DurableTask__hubName: "Other",
        AzureFunctionsJobHost__extensions__durableTask__maxConcurrentActivityFunctions: "2",
        AzureFunctionsJobHost__extensions__http__routePrefix: "v2",
        AzureFunctionsJobHost__functionTimeout: "00:01:00",
      }),
    ).toMatchObject({
      hubName: "Other",
      maxConcurrentActivities: 2,
      routePrefix: "v2",
      functionTimeout: 60_000,
    });
  });

  it.each([
    ['{ "version": "1.0" }', 'version: Invalid input: expected "2.0"'],
    [
      '{ "version": "2.0", "extensions": { "durableTask": { "hubName": "a b" } } }',
      "extensions.durableTask.hubName in host.json: ",
    ],
    [
      '{ "version": "2.0", "extensions": { "durableTask": { "maxConcurrentActivityFunctions": 0 } } }',
      "extensions.durableTask.maxConcurrentActivityFunctions: Too small",
    ],
    [
      '{ "version": "2.0", "extensions": { "http": { "routePrefix": 1 } } }',
      "extensions.http.routePrefix: Invalid input",
    ],
    ['{\n "version": "2.0"\n "extensions": {} }', "CommaExpected in line 3"],
  ])("is refused: %j", (text, sentence) => {
    expect(() => read(text)).toThrow(sentence);
  });
});
