/** Every way in which a request is refused; each answer is application/problem+json and says what to do. */
import path from "node:path";
import { describe, expect, inject, it } from "vitest";
import { directory, link, makeTree, manyFiles } from "../harness/tree.ts";
import { backUp, expectProblem, follow, newContainer, newRoot, post, start } from "./client.ts";

const { baseUrl, allowed, trees } = inject("hostUnderTest");

const postJson = (value: unknown) => post(JSON.stringify(value));

describe("400: the body", () => {
  it.each([
    ["nothing", undefined, /JSON.* nothing/],
    ["null", "null", /got nothing/],
    ["a number", "12", /got a number/],
    ["an array", '["/tmp"]', /got an array/],
    ["torn JSON", '{"root": "/tmp"', /not JSON/],
    ["bare text", "/home/site/wwwroot", /not JSON/],
    ["a Windows path with single backslashes", '"D:\\home\\LogFiles"', /Windows.*"\\\\"/],
    ["an empty string", '""', /empty string/],
    ["a relative path", '"wwwroot"', /absolute path/],
  ])("%s", async (_what, body, detail) => {
    await expectProblem(await post(body), 400, detail);
  });

  it("not UTF-8", async () => {
    await expectProblem(await post(Uint8Array.from([0x22, 0x2f, 0xe9, 0x22])), 400, /not UTF-8/);
  });

  it.each<[string, Record<string, unknown>, RegExp]>([
    ["root missing", { root: undefined }, /^"root": /],
    ["root of a wrong type", { root: 1 }, /^"root": /],
    ["root with a NUL", { root: "/tmp/\0" }, /^"root": .*NUL/],
    ["container of a wrong type", { container: 1 }, /^"container": /],
    ["container with a wrong name", { container: "No_Capitals" }, /^"container": .*\b63\b/],
    ["the container of the ledgers", { container: "backup-runs" }, /^"container": "backup-runs"/],
    ["prefix that leaves its place", { prefix: "a/../b" }, /^"prefix": /],
    ["prefix with an empty segment", { prefix: "a//b" }, /^"prefix": /],
    ["include that is no list", { include: "*.html" }, /^"include": /],
    ["include with a wrong pattern", { include: ["ok", ""] }, /^"include\[1\]": .*empty/],
    ["exclude with a negation", { exclude: ["!keep"] }, /^"exclude\[0\]": .*"!"/],
    ["mode unknown", { mode: "differential" }, /^"mode": .*"full"\|"incremental"/],
    ["layout unknown", { layout: "zip" }, /^"layout": .*"files"\|"packs"/],
    ["checksum of a full run", { checksum: true }, /^"checksum": .*"mode": "incremental"/],
    ["checksum that is no boolean", { checksum: "yes" }, /^"checksum": /],
    ["keepVersions that is no boolean", { keepVersions: 1 }, /^"keepVersions": /],
    ["allowOtherRoot that is no boolean", { allowOtherRoot: null }, /^"allowOtherRoot": /],
    ["an unknown field", { dryrun: true }, /"dryrun"/],
    ["two wrong fields", { mode: "x", prefix: 1 }, /"prefix": .*; "mode": /],
  ])("%s", async (_what, fields, detail) => {
    await expectProblem(await postJson({ root: trees, ...fields }), 400, detail);
  });
});

describe("403: a directory that BACKUP_ROOTS does not allow", () => {
  it.each([
    ["the whole machine", () => "/"],
    ["the parent", () => path.dirname(allowed)],
    ["out by ..", () => `${allowed}/../../../../../../etc`],
    ["a neighbour with the same beginning", () => `${allowed}x`],
  ])("%s", async (_what, root) => {
    const problem = await expectProblem(await postJson(root()), 403, /BACKUP_ROOTS/);
    expect(problem["detail"]).toContain(root());
  });

  it("a link to a directory outside", async () => {
    const root = await makeTree(await newRoot(), { out: link("/") });
    await expectProblem(await postJson({ root: path.join(root, "out/etc") }), 403, /BACKUP_ROOTS/);
    const beside = await makeTree(await newRoot(), { out: link("/usr/lib"), bin: directory() });
    await expectProblem(await postJson({ root: `${beside}/out/../bin` }), 403, /BACKUP_ROOTS/);
  });
});

describe("404", () => {
  it.each(["noSuchThing", "copyLargeFiles", "getFileList", "constructor"])(
    "%s is no orchestrator that can be started; the known ones are named",
    async (orchestrator) => {
      const answer = await post(JSON.stringify(trees), { orchestrator });
      await expectProblem(answer, 404, new RegExp(`"${orchestrator}".*backupSiteContent`));
    },
  );

  it("any method but POST", async () => {
    expect((await fetch(`${baseUrl}/orchestrators/backupSiteContent`)).status).toBe(404);
  });
});

describe("409", () => {
  it("a run to the same destination is active: its id is told; another destination is free", async () => {
    const root = await makeTree(await newRoot(), manyFiles(600));
    const request = { root, container: newContainer().containerName, prefix: "site" };
    const first = await start(request);
    const problem = await expectProblem(await postJson(request), 409, new RegExp(first.id));
    expect(problem["activeRun"]).toBe(first.id);
    expect(problem["detail"]).toContain(first.id);
    const beside = await backUp({ ...request, prefix: "beside" });
    expect(beside.runtimeStatus).toBe("Completed");
    expect(await follow(first.location)).toMatchObject({ runtimeStatus: "Completed" });
    expect(await backUp(request)).toMatchObject({ runtimeStatus: "Completed" });
  });

  it("of many starts at once exactly one wins", async () => {
    const root = await makeTree(await newRoot(), manyFiles(200));
    const container = newContainer().containerName;
    const answers = await Promise.all(Array.from({ length: 8 }, () => postJson({ root, container })));
    expect(answers.map((answer) => answer.status).sort((a, b) => a - b)).toEqual([
      202,
      ...Array<number>(7).fill(409),
    ]);
    const won = answers.find((answer) => answer.status === 202);
    await Promise.all(answers.map((answer) => answer.text()));
    expect(await follow(won?.headers.get("location") ?? "")).toMatchObject({ runtimeStatus: "Completed" });
  });

  it("the destination holds the backups of another root, unless that is wanted", async () => {
    const [one, two] = [
      await makeTree(await newRoot(), { a: "1" }),
      await makeTree(await newRoot(), { b: "22" }),
    ];
    const container = newContainer().containerName;
    await backUp({ root: one, container });
    const problem = await expectProblem(await postJson({ root: two, container }), 409, /allowOtherRoot/);
    expect(problem["detail"]).toContain(one);
    expect(await backUp({ root: two, container, allowOtherRoot: true })).toMatchObject({ output: 2 });
  });
});

describe("413 and 415", () => {
  it("413: a body over 1 MiB; one of exactly 1 MiB is read", async () => {
    const most = 1024 * 1024;
    const padded = (length: number) => JSON.stringify("relative").padEnd(length, " ");
    await expectProblem(await post(padded(most + 1)), 413, /larger than 1 MiB/);
    await expectProblem(await post(padded(most)), 400, /absolute path/);
  });

  it.each([
    ["text/plain", /text\/plain.*application\/json/],
    ["application/x-www-form-urlencoded", /Content-Type is application\/x-www-form-urlencoded/],
    [null, /no Content-Type/],
  ])("415: Content-Type %s", async (contentType, detail) => {
    await expectProblem(await post(JSON.stringify(trees), { contentType }), 415, detail);
  });

  it.each(["application/json; charset=utf-8", "Application/JSON", "application/problem+json"])(
    "%s is JSON",
    async (contentType) => {
      await expectProblem(await post('"relative"', { contentType }), 400, /absolute path/);
    },
  );
});
