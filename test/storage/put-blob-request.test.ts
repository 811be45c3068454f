/** The app's own Put Blob: what it sends is what the SDK would send, as storage sees it. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import https from "node:https";
import { createRequire } from "node:module";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import {
  BlobServiceClient,
  ContainerClient,
  ContainerSASPermissions,
  type RestError,
} from "@azure/storage-blob";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { classify, isTimeout } from "../../src/storage/errors.ts";
import { md5 } from "../../src/model/content.ts";
import { PutBlobRequests } from "../../src/storage/put-blob-request.ts";
import type { WholeBlob } from "../../src/storage/by-sdk.ts";
import { takeAccount, type TestStorage } from "../harness/azurite.ts";
import { freePort } from "../harness/local-host.ts";

const SOON = 20_000;
let storage: TestStorage;
let container: ContainerClient;

beforeAll(async () => {
  storage = takeAccount();
  container = new ContainerClient(storage.connectionString, "put");
  await container.create();
});
afterAll(async () => await storage.stop());

function blob(name: string, text = "content", more: Partial<WholeBlob> = {}): WholeBlob {
  const content = Buffer.from(text);
  const hash = md5(content).toString("base64");
  return { name, content, md5: hash, contentType: "text/css", metadata: {}, conditions: {}, ...more };
}

async function reasonOf(put: Promise<unknown>): Promise<RestError> {
  return await put.then(
    () => expect.fail("the blob was written"),
    (error: unknown) => error as RestError,
  );
}

describe("with the account's key", () => {
  it.each([
    "plain.css",
    "ä ö/#?&%+'!()*~/日本.css",
    "\\back\\slash",
    "100%25",
    " spaces ",
    "a:b;c=d@e,f$g[h]",
  ])("signs the name %s as storage does", async (name) => {
    const metadata = { mtime: "2026-11-23T14:29:11.725398Z", mode: "0644", run: "1", is_symlink: "true" };
    await new PutBlobRequests(container, false).put(blob(name, name, { metadata }), SOON);

    const there = container.getBlobClient(name);
    expect(String(await there.downloadToBuffer())).toBe(name);
    expect(await there.getProperties()).toMatchObject({ contentType: "text/css", metadata });
  });

  it("writes an empty blob", async () => {
    await new PutBlobRequests(container, false).put(blob("empty", ""), SOON);
    expect(await container.getBlobClient("empty").getProperties()).toMatchObject({ contentLength: 0 });
  });

  it("writes only over what it was told to", async () => {
    const requests = new PutBlobRequests(container, false);
    const onlyNew = { conditions: { ifNoneMatch: "*" } };
    await requests.put(blob("once", "one", onlyNew), SOON);
    expect(classify(await reasonOf(requests.put(blob("once", "two", onlyNew), SOON)))).toBe("conflict");

    const { etag = "" } = await container.getBlobClient("once").getProperties();
    await requests.put(blob("once", "three", { conditions: { ifMatch: etag } }), SOON);
    const stale = requests.put(blob("once", "four", { conditions: { ifMatch: etag } }), SOON);
    expect(classify(await reasonOf(stale))).toBe("conflict");
    expect(String(await container.getBlobClient("once").downloadToBuffer())).toBe("three");
  });

  it("is told what the service says of a refusal", async () => {
    const damaged = blob("damaged", "content", { md5: md5(Buffer.from("other")).toString("base64") });
    const answer = await reasonOf(new PutBlobRequests(container, false).put(damaged, SOON));
    expect(answer).toMatchObject({ statusCode: 400, code: "Md5Mismatch", name: "RestError" });
    expect(answer.message).toMatch(/^The MD5 value specified in the request did not match/);
    const nowhere = BlobServiceClient.fromConnectionString(storage.connectionString).getContainerClient(
      "none",
    );
    expect(await reasonOf(new PutBlobRequests(nowhere, false).put(blob("x"), SOON))).toMatchObject({
      statusCode: 404,
      code: "ContainerNotFound",
    });
  });

  it("leaves the way through a proxy to the SDK", async () => {
    await new PutBlobRequests(container, true).put(blob("by-sdk", "x", { metadata: { run: "1" } }), SOON);
    expect(await container.getBlobClient("by-sdk").getProperties()).toMatchObject({ metadata: { run: "1" } });
  });
});

it("carries a SAS in the address", async () => {
  const url = await container.generateSasUrl({
    permissions: ContainerSASPermissions.parse("cw"),
    expiresOn: new Date(Date.now() + 3_600_000),
  });
  await new PutBlobRequests(new ContainerClient(url), false).put(blob("with/sas"), SOON);
  expect(await container.getBlobClient("with/sas").exists()).toBe(true);
});

it("ends a request that is not answered in time", async () => {
  const silent = createServer((socket) => socket.on("error", () => undefined)).listen(0, "127.0.0.1");
  await once(silent, "listening");
  const url = `http://127.0.0.1:${(silent.address() as AddressInfo).port}/account/put?sig=x`;
  const error = await reasonOf(new PutBlobRequests(new ContainerClient(url), false).put(blob("x"), 300));
  expect(isTimeout(error)).toBe(true);
  expect(classify(error)).toBe("transient");
  silent.close();
});

it("takes a connection that breaks for a fault that passes", async () => {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}/account/put?sig=x`;
  const error = await reasonOf(new PutBlobRequests(new ContainerClient(url), false).put(blob("x"), SOON));
  expect(classify(error)).toBe("transient");
});

describe("with an identity", () => {
  const fixture = (name: string) => fileURLToPath(new URL(`fixtures/${name}`, import.meta.url));
  let folder: string;
  let azurite: ChildProcess;
  let url: string;

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "azurite-identity-"));
    const port = String(await freePort());
    const main = createRequire(import.meta.url).resolve("azurite/dist/src/blob/main.js");
    const place = ["--blobHost", "127.0.0.1", "--blobPort", port, "--location", folder];
    const secure = ["--cert", fixture("localhost.cert.pem"), "--key", fixture("localhost.key.pem")];
    const flags = ["--oauth", "basic", "--silent", "--skipApiVersionCheck", "--disableTelemetry"];
    azurite = spawn(process.execPath, [main, ...place, ...secure, ...flags], {
      stdio: "ignore",
      cwd: folder,
    });
    url = `https://127.0.0.1:${port}/devstoreaccount1`;
    // Tests meet a certificate that nobody vouches for.
    process.env["NODE_TLS_REJECT_UNAUTHORIZED"] = "0";
    while (!(await answers(url))) {
      if (azurite.exitCode !== null) throw new Error("Azurite has ended.");
      await sleep(100);
    }
  });
  afterAll(async () => {
    delete process.env["NODE_TLS_REJECT_UNAUTHORIZED"];
    azurite.kill();
    await once(azurite, "exit");
    await rm(folder, { recursive: true });
  });

  it("asks for one token and sends it with each blob", async () => {
    const identity = new Identity();
    const withIdentity = new BlobServiceClient(url, identity).getContainerClient("identity");
    await withIdentity.createIfNotExists();
    const before = identity.asked;
    const requests = new PutBlobRequests(withIdentity, false);
    for (const name of ["a", "b/c"]) await requests.put(blob(name), SOON);
    expect(identity.asked - before).toBe(1);
    expect(await withIdentity.getBlobClient("b/c").exists()).toBe(true);
  });

  it("lets the SDK find the right tenant where its own token is not taken", async () => {
    const identity = new Identity();
    const withIdentity = new BlobServiceClient(url, identity).getContainerClient("tenant");
    await withIdentity.createIfNotExists();
    identity.audience = "https://elsewhere.example";
    // The SDK continues with the token that it got before.
    await new PutBlobRequests(withIdentity, false).put(blob("x"), SOON);
    expect(await withIdentity.getBlobClient("x").exists()).toBe(true);
  });

  it("sends no token over a connection that others can read", async () => {
    const identity = new Identity();
    const plain = new BlobServiceClient(`http://127.0.0.1:${storage.port}/devstoreaccount1`, identity);
    const put = new PutBlobRequests(plain.getContainerClient("put"), false).put(blob("plain"), SOON);
    expect((await reasonOf(put)).message).toMatch(/not permitted for non-TLS/);
  });
});

/** Gives tokens as Azurite takes them: it reads who they are from and for, and no signature. */
class Identity {
  audience = "https://storage.azure.com";
  asked = 0;

  async getToken(): Promise<{ token: string; expiresOnTimestamp: number }> {
    this.asked++;
    const now = Math.floor(Date.now() / 1000);
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const claims = {
      aud: this.audience,
      iss: "https://sts.windows.net/00000000-0000-0000-0000-000000000000/",
      iat: now - 60,
      nbf: now - 60,
      exp: now + 3600,
      ver: "1.0",
    };
    const token = `${part({ typ: "JWT", alg: "none" })}.${part(claims)}.c2ln`;
    return await Promise.resolve({ token, expiresOnTimestamp: (now + 3600) * 1000 });
  }
}

async function answers(address: string): Promise<boolean> {
  return await new Promise((resolve) => {
    https
      .get(`${address}?comp=list`, { rejectUnauthorized: false }, (response) => {
        response.resume();
        resolve(true);
      })
      .on("error", () => resolve(false));
  });
}
