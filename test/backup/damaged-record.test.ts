/** A record of the run itself that is damaged while the run is in progress: trying again does not mend it. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { startRig, type Rig } from "../faults/rig.ts";
import { makeTree } from "../harness/tree.ts";

let rig: Rig;

beforeAll(async () => {
  rig = await startRig("damaged-record");
});
afterAll(async () => {
  await rig?.stop();
});

it("ends the run at once, and says which blob it is", async () => {
  const root = await makeTree(`${rig.folder}/tree`, { a: "a", b: "b", c: "c" });
  let reads = 0;
  const isList = (blob: string) => /\/lists\/0-[0-9a-f-]{36}\.jsonl$/.test(blob);
  rig.proxy.before = ({ method, blob }) => {
    if (method === "GET" && isList(blob)) reads++;
  };
  rig.proxy.after = async ({ method, container, blob }) => {
    if (method !== "PUT" || !isList(blob)) return;
    const list = rig.service.getContainerClient(container).getBlockBlobClient(blob);
    const { contentLength = 0 } = await list.getProperties();
    await list.upload("{".repeat(contentLength), contentLength);
  };
  const id = await rig.post("backupSiteContent", { root, container: "damaged-record" });
  const { runtimeStatus, output } = await rig.follow(id);
  expect(runtimeStatus).toBe("Failed");
  expect(output).toMatch(/changed by someone else.* backup-runs\/.*\/lists\/0-.*\.jsonl/);
  // By the one batch, once: it is not tried again.
  expect(reads).toBe(1);
});
