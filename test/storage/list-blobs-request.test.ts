/** The app's own List Blobs: what it reads is what the SDK would read. */
import { once } from "node:events";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { ContainerClient, ContainerSASPermissions } from "@azure/storage-blob";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { classify, isTimeout } from "../../src/storage/errors.ts";
import { ListBlobsRequests, type ListedPage } from "../../src/storage/list-blobs-request.ts";
import { takeAccount, type TestStorage } from "../harness/azurite.ts";

const SOON = 20_000;
let storage: TestStorage;
let container: ContainerClient;

/** As they are kept: hard to sign in a query, to write in XML, or to tell from the elements around them. */
const NAMES = ["a&b<c>'\"", "ä ö#?%+!()*~日本", "100%25", " spaces ", "x:y;z=1@2,3$4[5]", "😀", "plain"];
const FOLDERS = ["", "folder/", "ä &?#%+ö/<b>/"];

beforeAll(async () => {
  storage = takeAccount();
  container = new ContainerClient(storage.connectionString, "list");
  await container.create();
  for (const folder of [...FOLDERS, "folder/below/"]) {
    for (const name of NAMES) {
      await container.getBlockBlobClient(folder + name).upload(name, Buffer.byteLength(name), {
        metadata: { mtime: "2026-11-23T14:29:11.725398Z", name: "no name", etag: "a&amp;b" },
      });
    }
  }
  const inBlocks = container.getBlockBlobClient("folder/in blocks");
  await inBlocks.stageBlock("AAAA", "x", 1);
  await inBlocks.commitBlockList(["AAAA"]);
});
afterAll(async () => await storage.stop());

async function bySdk(folder: string, deep: boolean, includeMetadata: boolean): Promise<ListedPage["blobs"]> {
  const blobs = [];
  for await (const item of container.listBlobsFlat({ prefix: folder, includeMetadata })) {
    if (!deep && item.name.slice(folder.length).includes("/")) continue;
    const { contentLength: size = 0, etag, contentMD5 } = item.properties;
    const md5 = contentMD5 ? { md5: Buffer.from(contentMD5).toString("base64") } : {};
    blobs.push({ name: item.name, size, etag, ...md5, metadata: item.metadata ?? {} });
  }
  return blobs;
}

describe.each(FOLDERS)("the folder %j", (folder) => {
  it.each([
    [true, false],
    [false, false],
    [true, true],
    [false, true],
  ])("is listed as by the SDK, metadata: %s, with all below it: %s", async (withMetadata, deep) => {
    const page = await new ListBlobsRequests(container, false).page(
      { folder, deep, from: undefined, withMetadata },
      SOON,
    );
    expect(page).toEqual({
      blobs: await bySdk(folder, deep, withMetadata),
      hasFolders: !deep && folder !== "ä &?#%+ö/<b>/",
      next: undefined,
    });
    expect(page.blobs.length).toBeGreaterThanOrEqual(NAMES.length);
    expect(page.blobs[0]?.metadata["name"]).toBe(withMetadata ? "no name" : undefined);
  });
});

it("continues where a page ended", async () => {
  const requests = new ListBlobsRequests(container, false);
  const names = (await bySdk("folder/", false, false)).map(({ name }) => name);
  const page = await requests.page(
    { folder: "folder/", deep: false, from: names[2], withMetadata: false },
    SOON,
  );
  expect(page.blobs.map(({ name }) => name)).toEqual(names.slice(3));
});

it("says where the next page begins before it has read one, where that needs no reading", async () => {
  const requests = new ListBlobsRequests(container, false);
  const names: string[] = [];
  const told: string[] = [];
  for (let from: string | undefined, isLast = false; !isLast;) {
    const early: string[] = [];
    const page = { folder: "folder/", deep: true, most: 1, from, withMetadata: true };
    const { blobs, next } = await requests.page({ ...page, onNext: (it) => void early.push(it) }, SOON);
    names.push(...blobs.map(({ name }) => name));
    expect(early).toEqual(next === undefined || next.includes("&") || next.includes("<") ? [] : [next]);
    told.push(...early);
    from = next;
    isLast = next === undefined;
  }
  expect(names).toEqual((await bySdk("folder/", true, false)).map(({ name }) => name));
  expect(told.length).toBeGreaterThan(NAMES.length);
});

it("carries a SAS in the address, and leaves the way through a proxy to the SDK", async () => {
  const url = await container.generateSasUrl({
    permissions: ContainerSASPermissions.parse("l"),
    expiresOn: new Date(Date.now() + 3_600_000),
  });
  const page = { folder: "folder/", deep: false, from: undefined, withMetadata: true };
  const blobs = await bySdk("folder/", false, true);
  for (const behindProxy of [false, true]) {
    const requests = new ListBlobsRequests(new ContainerClient(url), behindProxy);
    expect((await requests.page(page, SOON)).blobs).toEqual(blobs);
  }
});

it("is told what the service says of a refusal", async () => {
  const nowhere = new ContainerClient(storage.connectionString, "none");
  const page = new ListBlobsRequests(nowhere, false).page(
    { folder: "", deep: false, from: undefined, withMetadata: false },
    SOON,
  );
  await expect(page).rejects.toMatchObject({ statusCode: 404, code: "ContainerNotFound" });
});

describe("an answer", () => {
  let service: Server;
  let answer: (response: ServerResponse) => void;
  const list = async (timeout = SOON): Promise<ListedPage> => {
    const url = `http://127.0.0.1:${(service.address() as AddressInfo).port}/account/list?sig=x`;
    const requests = new ListBlobsRequests(new ContainerClient(url), false);
    return await requests.page({ folder: "", deep: false, from: undefined, withMetadata: true }, timeout);
  };

  beforeAll(async () => {
    service = createServer((_request, response) => {
      response.setHeader("Content-Type", "application/xml");
      answer(response);
    }).listen(0, "127.0.0.1");
    await once(service, "listening");
  });
  afterAll(() => {
    service.closeAllConnections();
    service.close();
  });

  /** As a storage account of today words it, cut up anywhere. */
  const XML = [
    '\ufeff<?xml version="1.0" encoding="utf-8"?><EnumerationResults ServiceEndpoint="https://a/" ContainerName="c">',
    '<Delimiter>/</Delimiter><Blobs><Blob><Name Encoded="true">a%EF%BF%BEb</Name><Properties><Etag>0x1</Etag>',
    "<Content-Length>7</Content-Length><Content-MD5 /><ResourceType>file</ResourceType></Properties><Metadata>",
    "<mtime>1</mtime></Metadata><OrMetadata /></Blob><BlobPrefix><Name>ä/</Name></BlobPrefix></Blobs>",
    "<NextMarker>2!8!x&amp;y</NextMarker></EnumerationResults>",
  ].join("");

  it("may hold names that XML cannot, and tells where the next page begins", async () => {
    answer = (response) => {
      const bytes = Buffer.from(XML);
      const middle = bytes.indexOf("ä") + 1;
      response.write(bytes.subarray(0, middle));
      setTimeout(() => response.end(bytes.subarray(middle)), 20);
    };
    expect(await list()).toEqual({
      blobs: [{ name: "a\ufffeb", size: 7, etag: "0x1", metadata: { mtime: "1" } }],
      hasFolders: true,
      next: "2!8!x&y",
    });
  });

  it("with a character that XML forbids is left to the SDK", async () => {
    answer = (response) => void response.end(XML.replace("<mtime>1", "<mtime>&#x1;"));
    expect((await list()).next).toBe("2!8!x&y");
  });

  it("that breaks off or stalls is no listing", async () => {
    answer = (response) => {
      response.writeHead(200, { "Content-Length": XML.length * 2 });
      response.write(XML.slice(0, 200), () => response.destroy());
    };
    const broken = await list().catch((error: unknown) => error);
    expect(classify(broken)).toBe("transient");
    answer = (response) => void response.write(XML.slice(0, 200));
    const stalled = await list(300).catch((error: unknown) => error);
    expect(isTimeout(stalled)).toBe(true);
  });
});
