/** Random requests to each of the app's and the host's routes. */
import fc from "fast-check";
import type { RawRequest } from "./raw-request.ts";
import { awkward, objectText, text, value } from "./fuzz.ts";

const JSON_BODY: [string, string][] = [["Content-Type", "application/json"]];
const DURABLE = "/runtime/webhooks/durabletask";

const utf8 = (some: string) => Buffer.from(some).toString("latin1");
/** For a path or a query: as clients encode it, or byte by byte, or as it is. */
const encoded: fc.Arbitrary<string> = fc.oneof(
  text.map((some) => encodeURIComponent(some.toWellFormed())),
  fc
    .uint8Array({ maxLength: 12 })
    .map((bytes) => [...bytes].map((byte) => `%${byte.toString(16).padStart(2, "0")}`).join("")),
  fc.string({ unit: fc.integer({ min: 0x21, max: 0xff }).map((code) => String.fromCharCode(code)) }),
  fc.constantFrom("%", "%e", "%ff", "..", "%2e%2e", "%2F", "a%2Fb", ";", "a;b=c"),
);

/** Bodies of starts: of the fields that there are, each right or wrong, or no such body at all. */
export function starts(good: { run: string; root: string; to: string }): fc.Arbitrary<RawRequest> {
  const right = new Map<string, unknown[]>([
    ["root", [good.root]],
    ["container", ["fuzz", "backup-runs", "$root", "$web", "a--b"]],
    ["prefix", ["p", "p/q"]],
    ["include", [["*.txt"], ["**/{a,b}/["], ["(a+)+$"]]],
    ["exclude", [[]]],
    ["mode", ["full", "incremental"]],
    ["checksum", [true]],
    ["keepVersions", [false]],
    ["layout", ["files", "packs"]],
    ["allowOtherRoot", [true]],
    ["run", [good.run]],
    ["at", ["2026-11-23T14:30:00Z"]],
    ["to", [good.to]],
    ["overwrite", ["never"]],
    ["delete", [true]],
    ["dryRun", [true]],
    ["readData", [true, "5%", "100.1%"]],
    ["keepLast", [1, "unlimited", -1, 1e9]],
    ["keepDaily", [7]],
    ["keepWithin", ["30d", "9999999999y"]],
    ["__proto__", [{ root: good.root }]],
  ]);
  const field = fc.constantFrom(...right.keys(), ...awkward.slice(0, 12)).chain((name) => {
    const known = fc.constantFrom(...(right.get(name) ?? [null]));
    return fc.tuple(fc.constant(name), fc.oneof({ arbitrary: known, weight: 3 }, value));
  });
  const whole = fc.array(field, { maxLength: 6 }).map(objectText);
  const body = fc.oneof(
    { arbitrary: whole.map(utf8), weight: 5 },
    value.map((some) => utf8(JSON.stringify(some))),
    fc.tuple(whole, fc.nat(200)).map(([some, end]) => utf8(some.slice(0, end))),
    fc.integer({ min: 1, max: 30_000 }).map((depth) => `{"include":${"[".repeat(depth)}`),
    fc.integer({ min: 1, max: 15_000 }).map((depth) => "[".repeat(depth) + "]".repeat(depth)),
    fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes).toString("latin1")),
  );
  const name = fc.constantFrom("backupSiteContent", "restoreSiteContent", "verifyBackup", "pruneBackups");
  return fc.record({
    method: fc.constant("POST"),
    target: name.map((some) => `/orchestrators/${some}`),
    headers: fc.constant(JSON_BODY),
    body,
  });
}

/** Queries and continuation tokens of the lists. */
export function queries(run: string): fc.Arbitrary<RawRequest> {
  const place = fc.record(
    {
      marker: fc.oneof(text, value),
      after: text,
      record: fc.oneof(fc.constantFrom("outcomes/", "outcomes/0-0000.jsonl"), text),
      offset: fc.oneof(fc.nat(500), value),
    },
    { requiredKeys: [] },
  );
  const token = fc.oneof(
    encoded,
    fc.oneof(place, value).map((some) => Buffer.from(JSON.stringify(some)).toString("base64url")),
  );
  const name = fc.constantFrom(
    "kind",
    "status",
    "root",
    "container",
    "since",
    "until",
    "limit",
    "outcome",
    "prefix",
    "text",
    "path",
    "recursive",
    "clientId",
    "__proto__",
    "constructor",
    "a[b]",
    "",
    "top",
    "instanceIdPrefix",
    "createdTimeFrom",
    "createdTimeTo",
    "runtimeStatus",
    "showInput",
    "showHistory",
  );
  const right = fc.constantFrom(
    "a.txt",
    "b",
    "../a.txt",
    "b/../a.txt",
    "/etc/passwd",
    "\\xff",
    "a.txt%00",
    "1",
    "all",
    "failed",
    "copied",
    "completed",
    "2026-11-23T14:30:00Z",
    "true",
  );
  const pair = fc.oneof(
    fc.tuple(name, fc.oneof(right, encoded)).map(([key, some]) => `${key}=${some}`),
    token.map((some) => `continuation=${some}`),
    encoded,
  );
  const list = fc.constantFrom(
    "/backups",
    `/backups/${run}/tree`,
    `/backups/${run}/content`,
    `/backups/${run}/files`,
    `/backups/${run}/deleted`,
    `${DURABLE}/instances`,
  );
  return fc.record({
    method: fc.constant("GET"),
    target: fc
      .tuple(list, fc.array(pair, { maxLength: 4 }))
      .map(([base, pairs]) => `${base}?${pairs.join("&")}`),
    headers: fc.array(
      fc.tuple(
        fc.constant("x-ms-continuation-token"),
        text.map((some) => Buffer.from(some).toString("base64")),
      ),
      { maxLength: 1 },
    ),
  });
}

/** Files of a run's tree, or what may be taken for one, and parts of them. */
export function contents(run: string): fc.Arbitrary<RawRequest> {
  const odd = fc.constantFrom(
    "../a.txt",
    "b/../a.txt",
    "b//c.txt",
    "%2Fetc%2Fpasswd",
    "a.txt%00",
    "%5Cxff",
    "%5Cu{d800}",
  );
  const header = fc.tuple(
    fc.constantFrom("Range", "If-Range", "If-None-Match"),
    fc.oneof(
      fc.constantFrom(
        "bytes=0-0",
        "bytes=1-",
        "bytes=-0",
        "bytes=--1",
        "bytes=0-0,0-0",
        "bytes=9-1",
        "*",
        '"',
        'W/"x"',
      ),
      fc.bigInt(-1n, 10n ** 30n).map((from) => `bytes=${from}-`),
      fc.string({ unit: fc.integer({ min: 0x20, max: 0xff }).map((code) => String.fromCharCode(code)) }),
    ),
  );
  return fc.record({
    method: fc.constantFrom("GET", "HEAD"),
    target: fc
      .tuple(
        fc.constantFrom("content", "tree"),
        fc.oneof({ arbitrary: fc.constant("a.txt"), weight: 3 }, odd, encoded),
      )
      .map(([what, file]) => `/backups/${run}/${what}?path=${file}`),
    headers: fc.array(header, { maxLength: 3 }),
  });
}

/** Ids and other parameters of routes, of the app's and of the Durable API's. */
export const routes: fc.Arbitrary<RawRequest> = fc
  .record({
    method: fc.constantFrom("GET", "POST", "DELETE", "PUT", "HEAD", "OPTIONS"),
    route: fc.constantFrom(
      "/backups/{}",
      "/backups/{}/files",
      "/backups/{}/deleted",
      "/backups/{}/tree?path={}",
      "/backups/{}/content?path={}",
      "/backups/{}/cancel",
      "/orchestrators/{}",
      "/dashboard/{}/{}",
      `${DURABLE}/instances/{}`,
      `${DURABLE}/instances/{}?showHistory=true&showHistoryOutput=true`,
      `${DURABLE}/instances/{}/terminate?reason={}`,
      `${DURABLE}/instances/{}/raiseEvent/{}`,
      `${DURABLE}/instances/{}/{}`,
      `${DURABLE}/orchestrators/{}/{}`,
      `${DURABLE}/orchestrators/verifyBackup/{}`,
      `${DURABLE}/{}`,
      "/{}/{}",
      "//{}",
    ),
    parts: fc.array(encoded, { minLength: 2, maxLength: 2 }),
    body: fc.oneof(fc.constant(""), fc.json().map(utf8)),
  })
  .map(({ method, route, parts, body }) => {
    const target = parts.reduce((so, part) => so.replace("{}", () => part), route);
    // A request without a body has none by its method, too.
    return { method, target, headers: body === "" ? [] : JSON_BODY, body };
  });

/** Headers of whatever name, letters and length. */
export const headers: fc.Arbitrary<RawRequest> = fc
  .record({
    target: fc.constantFrom("/backups", "/orchestrators/verifyBackup", `${DURABLE}/instances`),
    headers: fc.array(
      fc.tuple(
        fc
          .tuple(
            fc.constantFrom(
              "Accept",
              "Content-Type",
              "Origin",
              "Host",
              "Sec-Fetch-Site",
              "Cookie",
              "traceparent",
              "X-Functions-Key",
              "x-ms-continuation-token",
              "X-Forwarded-Host",
              "If-None-Match",
              "Range",
              "Accept-Encoding",
              "Expect",
              "__proto__",
              "constructor",
              "X-HTTP-Method-Override",
            ),
            fc.nat(2 ** 12),
          )
          .map(([name, letters]) => cased(name, letters)),
        fc.oneof(
          fc.constantFrom("application/json", "application/x-ndjson", "localhost:99999", "[::1]", "*/*;q=x"),
          fc.constantFrom("localhost:1@evil.example", "127.0.0.1:", "00-00-00-00", "a".repeat(9000)),
          fc.string({ unit: fc.integer({ min: 0x20, max: 0xff }).map((code) => String.fromCharCode(code)) }),
          fc.string({ unit: "binary" }).map((some) => utf8(some).replace(/[\0\r\n]/g, "")),
        ),
      ),
      { minLength: 1, maxLength: 4 },
    ),
  })
  .map(({ target, headers: some }) =>
    target.startsWith("/orch")
      ? { method: "POST", target, headers: some, body: '{"run":"x"}' }
      : { method: "GET", target, headers: some },
  );

function cased(name: string, letters: number): string {
  return name
    .split("")
    .map((letter, index) => (letters & (1 << (index % 12)) ? letter.toUpperCase() : letter.toLowerCase()))
    .join("");
}
