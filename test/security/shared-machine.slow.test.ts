/** The local host's storage against other users of the machine, and against pages in its owner's browser. */
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { request } from "node:http";
import { createServer, type AddressInfo } from "node:net";
import path from "node:path";
import {
  AccountSASPermissions,
  BlobServiceClient,
  StorageSharedKeyCredential,
  type ContainerClient,
} from "@azure/storage-blob";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Azurite } from "../../local/storage/azurite.ts";
import { freePort, runLocalHost, startLocalHost, type LocalHostProcess } from "../harness/local-host.ts";
import { PUBLISHED_ACCOUNT, publishedAccountOn } from "../harness/published-account.ts";
import { makeFolder } from "../harness/tree.ts";
import { FIXTURE_APP } from "../local/durable-helpers.ts";

let folder: string;
let host: LocalHostProcess;
/** The host's account, as its owner reaches it. */
let own: BlobServiceClient;
let backups: ContainerClient;
let readyFile: string;

beforeAll(async () => {
  folder = await makeFolder("shared-machine");
  readyFile = path.join(folder, "ready.json");
  host = await startLocalHost({
    app: FIXTURE_APP,
    connectionString: "own",
    args: ["--ready-file", readyFile],
  });
  own = BlobServiceClient.fromConnectionString(host.connectionString);
  backups = own.getContainerClient("backups");
  await backups.create();
  await backups.getBlockBlobClient("private").upload("0600", 4);
});
afterAll(async () => {
  await host?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** The owner's account by its address, and the key that everybody knows. */
function withPublishedKey(accountName: string): BlobServiceClient {
  const url = new URL(own.url);
  url.pathname = `/${accountName}`;
  const options = { retryOptions: { maxTries: 1 } };
  return new BlobServiceClient(
    url.href,
    new StorageSharedKeyCredential(accountName, PUBLISHED_ACCOUNT.key),
    options,
  );
}

/** By node:http, which sends the Host header that it is given. */
function send(url: string, method: string, headers: Record<string, string>, body = ""): Promise<number> {
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { method, headers }, (answer) => {
      answer.resume().once("end", () => resolve(answer.statusCode ?? 0));
    });
    outgoing.once("error", reject).end(body);
  });
}

const letters = AccountSASPermissions.parse("rwdlacup");

describe("whoever knows Azurite's published key", () => {
  it.each([["the published account"], ["the host's account, whose name he has learnt"]])(
    "gets nothing of %s",
    async (which) => {
      const name = which.startsWith("the published") ? PUBLISHED_ACCOUNT.name : own.accountName;
      const stranger = withPublishedKey(name).getContainerClient("backups");
      await expect(stranger.getBlobClient("private").downloadToBuffer()).rejects.toMatchObject({
        name: "RestError",
      });
      await expect(stranger.listBlobsFlat().next()).rejects.toMatchObject({ name: "RestError" });
      await expect(stranger.deleteBlob("private")).rejects.toMatchObject({ name: "RestError" });
      expect((await backups.getBlobClient("private").downloadToBuffer()).toString()).toBe("0600");
    },
  );

  it("cannot have a page delete by one simple request, whatever Host and Origin say", async () => {
    const blob = backups.getBlobClient("private");
    /** As a form or a fetch without CORS sends it. */
    const attack = async (account: BlobServiceClient, host: string) => {
      const inAnHour = new Date(Date.now() + 3_600_000);
      const signed = account.generateAccountSasUrl(inAnHour, letters, "sco").replace("/?", "?");
      const [address, sas] = signed.split("?");
      const path = new URL(`${address}/backups/private`).pathname;
      const headers = { host, origin: "https://evil.example", "content-type": "text/plain; boundary=b" };
      const part = `DELETE ${path}?${sas} HTTP/1.1\r\n\r\n`;
      const body = `--b\r\nContent-Type: application/http\r\nContent-ID: 0\r\n\r\n${part}\r\n--b--\r\n`;
      return [
        await send(`${signed}&comp=batch`, "POST", headers, body),
        await send(`${signed}&comp=list`, "GET", headers),
      ];
    };
    for (const host of ["127.0.0.1", "rebound.example", `${own.accountName}.rebound.example`]) {
      const answers = await attack(withPublishedKey(own.accountName), host);
      expect(Math.min(...answers), host).toBeGreaterThanOrEqual(400);
    }
    expect(await blob.exists()).toBe(true);
    // The request is a good one: what it lacks is the key.
    expect(await attack(own, "127.0.0.1")).toEqual([202, 200]);
    expect(await blob.exists()).toBe(false);
  });
});

describe("another user of the machine", () => {
  it.runIf(process.platform !== "win32")("cannot read where the key is kept", () => {
    const kept = path.join(host.state, "storage.json");
    for (const file of [kept, readyFile]) expect((statSync(file).mode & 0o777).toString(8), file).toBe("600");
    const { connectionString } = JSON.parse(readFileSync(kept, "utf8")) as { connectionString: string };
    const { storage } = JSON.parse(readFileSync(readyFile, "utf8")) as { storage: string };
    expect(connectionString).toBe(storage);
    expect(storage).toBe(host.connectionString);
  });

  it("gets nothing by listening on Azurite's port first: the host does not start, and says what to do", async () => {
    let heard = 0;
    // It answers whatever it is asked, as an Azurite would.
    const stranger = createServer((socket) => {
      heard += 1;
      socket.end("HTTP/1.1 200 OK\r\nServer: Azurite-Blob/3.37.0\r\nContent-Length: 0\r\n\r\n");
    });
    await new Promise<void>((resolve) => stranger.listen(0, "127.0.0.1", resolve));
    const { port } = stranger.address() as AddressInfo;
    const { code, stderr } = await runLocalHost({
      app: FIXTURE_APP,
      state: path.join(folder, "taken"),
      env: { AzureWebJobsStorage: "UseDevelopmentStorage=true" },
      args: ["--azurite-port", String(port)],
    });
    stranger.close();
    expect(code).toBe(1);
    expect(stderr).toMatch(new RegExp(`^Port ${port} is in use, .*--azurite-port.*AzureWebJobsStorage.*\n$`));
    expect(heard).toBe(0);
  });
});

describe("the owner", () => {
  it("keeps the account for good, on another port too", async () => {
    const state = path.join(folder, "kept");
    const first = await startLocalHost({ app: FIXTURE_APP, connectionString: "own", state });
    await first.stop();
    const second = await startLocalHost({ app: FIXTURE_APP, connectionString: "own", state });
    await second.stop();
    const account = ({ connectionString }: LocalHostProcess) =>
      /AccountName=[^;]+;AccountKey=[^;]+/.exec(connectionString)?.[0];
    expect(account(second)).toBe(account(first));
    expect(account(first)).not.toBe(/AccountName=[^;]+;AccountKey=[^;]+/.exec(host.connectionString)?.[0]);
  });

  it("finds the blobs of a folder that the published account wrote, which that key no longer reads", async () => {
    const state = path.join(folder, "older");
    mkdirSync(state);
    const port = await freePort();
    const older = await Azurite.start({ stateFolder: state, port, account: PUBLISHED_ACCOUNT });
    const before = BlobServiceClient.fromConnectionString(older.connectionString);
    await before.getContainerClient("backups").create();
    await before.getContainerClient("backups").getBlockBlobClient("old").upload("kept", 4);
    await older.stop();
    const now = await startLocalHost({ app: FIXTURE_APP, connectionString: "own", state });
    try {
      const after = BlobServiceClient.fromConnectionString(now.connectionString);
      const blob = after.getContainerClient("backups").getBlobClient("old");
      expect((await blob.downloadToBuffer()).toString()).toBe("kept");
      const known = publishedAccountOn(Number(new URL(after.url).port));
      const stranger = BlobServiceClient.fromConnectionString(known, { retryOptions: { maxTries: 1 } });
      await expect(stranger.listContainers().next()).rejects.toMatchObject({ name: "RestError" });
    } finally {
      await now.stop();
    }
  });

  it("may name storage of his own, an Azurite with the published account too: it is used as it is", async () => {
    const port = await freePort();
    const mine = publishedAccountOn(port);
    const args = ["--azurite-port", String(port)];
    const other = await startLocalHost({ app: FIXTURE_APP, connectionString: mine, args });
    try {
      expect(await (await fetch(`${other.url}/setting/AzureWebJobsStorage`)).text()).toBe(mine);
      expect(readdirSync(other.state).filter((name) => /azurite|storage/.test(name))).toEqual([]);
    } finally {
      await other.stop();
    }
  });
});
