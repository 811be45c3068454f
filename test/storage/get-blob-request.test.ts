/** The app's own Get Blob: what it fetches is what the SDK would fetch. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { BlobServiceClient, ContainerClient, ContainerSASPermissions } from "@azure/storage-blob";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { classify, isTimeout } from "../../src/storage/errors.ts";
import { GetBlobRequests } from "../../src/storage/get-blob-request.ts";
import type { KeptContent } from "../../src/storage/by-sdk.ts";
import { takeAccount, type TestStorage } from "../harness/azurite.ts";

const SOON = 20_000;
const NAME = "ä ö/#?&%+'!()*~/日本.css";
let storage: TestStorage;
let container: ContainerClient;
/** The content that a snapshot keeps; the blob itself holds "0123456789". */
let snapshot: string;

beforeAll(async () => {
  storage = takeAccount();
  container = new ContainerClient(storage.connectionString, "get");
  await container.create();
  const blob = container.getBlockBlobClient(NAME);
  await blob.upload("abcdefghij", 10);
  snapshot = (await blob.createSnapshot()).snapshot!;
  await blob.upload("0123456789", 10);
});
afterAll(async () => await storage.stop());

/** What is read from a position on; the buffer holds dots before. */
async function read(
  requests: GetBlobRequests,
  content: Partial<KeptContent> = {},
  position = 0,
  length = 10,
  timeout = SOON,
): Promise<string> {
  const into = Buffer.alloc(length, ".");
  await requests.read({ name: NAME, ...content }, position, into, timeout);
  return String(into);
}

async function failureOf(reading: Promise<string>): Promise<unknown> {
  return await reading.then(
    (text) => expect.fail(`it read ${text}`),
    (error: unknown) => error,
  );
}

describe.each([false, true])("behind a proxy, so by the SDK: %s", (behindProxy) => {
  it("reads a blob whole, a range of it, and what a snapshot keeps", async () => {
    const requests = new GetBlobRequests(container, behindProxy);
    expect(await read(requests)).toBe("0123456789");
    expect(await read(requests, {}, 3, 4)).toBe("3456");
    expect(await read(requests, { snapshot })).toBe("abcdefghij");
    expect(await read(requests, { snapshot }, 9, 1)).toBe("j");
  });

  it("reads only the content that it was told of", async () => {
    const requests = new GetBlobRequests(container, behindProxy);
    const { etag = "" } = await container.getBlobClient(NAME).getProperties();
    // As listings give it.
    expect(await read(requests, { etag: etag.replaceAll('"', "") })).toBe("0123456789");
    expect(classify(await failureOf(read(requests, { etag: "0x1234" })))).toBe("conflict");
    expect(classify(await failureOf(read(requests, { name: "none" })))).toBe("missing");
    expect(classify(await failureOf(read(requests, { snapshot: "2020-01-01T00:00:00.0000000Z" })))).toBe(
      "missing",
    );
  });

  it("carries a SAS in the address", async () => {
    const url = await container.generateSasUrl({
      permissions: ContainerSASPermissions.parse("r"),
      expiresOn: new Date(Date.now() + 3_600_000),
    });
    const requests = new GetBlobRequests(new ContainerClient(url), behindProxy);
    expect(await read(requests, {}, 1, 2)).toBe("12");
    const wrong = BlobServiceClient.fromConnectionString(storage.connectionString).getContainerClient("none");
    expect(classify(await failureOf(read(new GetBlobRequests(wrong, behindProxy))))).toBe("missing");
  });
});

describe("an answer", () => {
  it.each([
    ["breaks off", 10, "0123", true],
    ["is shorter than what was asked for", 4, "0123", true],
    ["is longer", 14, "01234567890123", true],
    ["stalls", 10, "0123", false],
  ])("that %s is no content", async (_what, length, text, ends) => {
    const server = createServer((_request, response) => {
      response.writeHead(206, { "content-length": length });
      response.write(text);
      if (ends) setImmediate(() => (text.length < length ? response.destroy() : response.end()));
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const requests = new GetBlobRequests(
      new ContainerClient(`http://127.0.0.1:${port}/account/get?sig=x`),
      false,
    );
    const error = await failureOf(read(requests, {}, 0, 10, ends ? SOON : 300));
    expect(classify(error)).toBe("transient");
    expect(isTimeout(error)).toBe(!ends);
    server.closeAllConnections();
    server.close();
  });
});
