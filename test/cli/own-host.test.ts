/** `site-backup backup` where no local host is up: it starts one, and ends it. */
import path from "node:path";
import { expect, it } from "vitest";
import { makeTree } from "../harness/tree.ts";
import { besidesProgress, run } from "./command.ts";
import { expectNobody, useNoHost } from "./no-host.ts";

const own = useNoHost();

it("starts it, backs up, and ends it", async () => {
  const root = await makeTree(path.join(own.folder, "tree"), { a: "12345" });
  const { code, stdout, stderr } = await run(["backup", root], { env: own.env });
  const said = besidesProgress(stderr).split("\n");
  expect(said).toEqual([expect.stringMatching(/host/), expect.stringContaining(root), ""]);
  expect(stdout).toMatch(/Output {3}5$/m);
  expect(code).toBe(0);
  await expectNobody(own);
});

it("cannot start: says why, exit code 1", async () => {
  const { code, stderr } = await run(["backup", own.folder], {
    env: { ...own.env, AzureWebJobsStorage: "nonsense" },
  });
  expect(code).toBe(1);
  expect(stderr).toMatch(/The local host did not start\..*AzureWebJobsStorage/s);
});
