/** The calls of the "Cloud backup" sample in the Durable Functions documentation, as they stand there. */
import { describe, expect, it } from "vitest";
import { expectSameTree, readBlobs } from "../harness/blobs.ts";
import { bytes, bytesOf, makeTree, readTree } from "../harness/tree.ts";
import { expectHeld, follow, inFiles, newContainer, newRoot, post, service, start } from "./client.ts";

describe("the documented flow", () => {
  it("backs up a directory named by a JSON string: 202, polling, the bytes as output, every file a blob", async () => {
    const root = await newRoot();
    await makeTree(root, {
      "index.html": "<h1>hello</h1>",
      "css/site.css": "body { margin: 0 }",
      "bin/app.dll": bytes(300_000),
      readme: "no extension",
    });
    const tree = await readTree(root);

    const started = await post(JSON.stringify(root));
    expect(started.status).toBe(202);
    expect(started.headers.get("content-type")).toMatch(/^application\/json\b/);
    expect(started.headers.get("retry-after")).toBe("10");
    const location = started.headers.get("location");
    const links = (await started.json()) as Record<string, string>;
    expect(Object.keys(links)).toEqual([
      "id",
      "statusQueryGetUri",
      "sendEventPostUri",
      "terminatePostUri",
      "rewindPostUri",
      "purgeHistoryDeleteUri",
      "restartPostUri",
      "suspendPostUri",
      "resumePostUri",
    ]);
    expect(location).toBe(links["statusQueryGetUri"]);

    const status = await follow(location ?? "");
    expect(status).toMatchObject({
      name: "backupSiteContent",
      instanceId: links["id"],
      runtimeStatus: "Completed",
      input: root,
      output: bytesOf(tree),
    });

    // The documented call names no destination: it goes to the container "backups", which other runs use as well.
    const backups = service.getContainerClient("backups");
    if (!inFiles) return await expectHeld(links["id"] ?? "", tree, backups);
    const mine = await readBlobs(backups, "", links["id"]);
    expectSameTree(mine, tree, links["id"] ?? "");
    const types = Object.fromEntries(
      [...mine].map(([name, { item }]) => [name, item.properties.contentType]),
    );
    expect(types).toMatchObject({
      "index.html": "text/html",
      "css/site.css": "text/css",
      readme: "application/octet-stream",
    });
  });

  it("answers 202 with a Location and Retry-After while the run is in progress", async () => {
    const root = await newRoot();
    await makeTree(
      root,
      Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`f${i}`, `content ${i}`])),
    );
    const { location } = await start({ root, container: newContainer().containerName });
    const polled = await fetch(location);
    expect(polled.status).toBe(202);
    expect(polled.headers.get("location")).toMatch(/^http/);
    expect(Number(polled.headers.get("retry-after"))).toBeGreaterThan(0);
    expect(await polled.json()).toMatchObject({
      runtimeStatus: expect.stringMatching(/^(Pending|Running)$/),
      output: null,
    });
    expect(await follow(location)).toMatchObject({ runtimeStatus: "Completed" });
  });
});
