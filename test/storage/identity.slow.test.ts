/**
 * The destination by identity: a backup and a restore with nothing but `BackupStorage__blobServiceUri` and
 * `BackupStorage__clientId`. Azurite checks tokens over TLS; the token comes as it does in Azure, from the identity
 * endpoint that App Service and Functions give their apps, which the test serves.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { createRequire } from "node:module";
import { connect, type AddressInfo } from "node:net";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { freePort, startLocalHost, type LocalHostProcess } from "../harness/local-host.ts";
import { makeFolder, makeTree } from "../harness/tree.ts";

const CLIENT = "11111111-2222-3333-4444-555555555555";

const fixture = (name: string) => path.join(import.meta.dirname, "fixtures", name);
const certificate = fixture("localhost.cert.pem");

/** A token as Entra ID gives it for storage. Azurite looks at what it says, not at who signed it. */
function token(): { text: string; expires: number } {
  const now = Math.floor(Date.now() / 1000);
  const expires = now + 3600;
  const claims = {
    aud: "https://storage.azure.com",
    iss: "https://sts.windows.net/test/",
    iat: now,
    nbf: now - 60,
  };
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const text = [
    { alg: "HS256", typ: "JWT" },
    { ...claims, exp: expires },
  ]
    .map(part)
    .join(".");
  return { text: `${text}.c2lnbmF0dXJl`, expires };
}

describe("storage by identity", () => {
  let folder: string;
  let azurite: ChildProcess;
  let identity: Server;
  let host: LocalHostProcess;
  /** What the identity endpoint was asked: resource, client id, and the header that proves who asks. */
  const asked: (string | null | undefined)[][] = [];

  beforeAll(async () => {
    folder = await makeFolder("identity");
    const port = await freePort();
    const main = createRequire(import.meta.url).resolve("azurite/dist/src/blob/main.js");
    const at = [
      "--blobHost",
      "127.0.0.1",
      "--blobPort",
      String(port),
      "--location",
      path.join(folder, "data"),
    ];
    const how = [
      "--oauth",
      "basic",
      "--cert",
      certificate,
      "--key",
      fixture("localhost.key.pem"),
      "--silent",
      "--skipApiVersionCheck",
      "--disableTelemetry",
    ];
    azurite = spawn(process.execPath, [main, ...at, ...how], { stdio: "ignore" });
    identity = createServer((request, response) => {
      const query = new URL(request.url ?? "", "http://x").searchParams;
      asked.push([
        query.get("resource"),
        query.get("client_id"),
        request.headers["x-identity-header"]?.toString(),
      ]);
      const { text, expires } = token();
      response.setHeader("Content-Type", "application/json");
      response.end(
        JSON.stringify({
          access_token: text,
          expires_on: String(expires),
          resource: query.get("resource"),
          token_type: "Bearer",
          client_id: CLIENT,
        }),
      );
    });
    await new Promise<void>((resolve) => identity.listen(0, "127.0.0.1", resolve));
    await vi.waitUntil(() => listens(port), { timeout: 30_000 });
    host = await startLocalHost({
      connectionString: "none",
      env: {
        BackupStorage__blobServiceUri: `https://127.0.0.1:${port}/devstoreaccount1`,
        BackupStorage__clientId: CLIENT,
        IDENTITY_ENDPOINT: `http://127.0.0.1:${(identity.address() as AddressInfo).port}/msi/token`,
        IDENTITY_HEADER: "proof",
        NODE_EXTRA_CA_CERTS: certificate,
        BACKUP_LARGE_FILE_MIB: "1",
      },
    });
  });
  afterAll(async () => {
    await host?.stop();
    azurite?.kill();
    identity?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it("backs up whole blobs and blocks, and restores them, with a token of the identity that is named", async () => {
    const large = Buffer.alloc(9 * 1024 * 1024, "large");
    const root = await makeTree(path.join(folder, "site"), { "a.txt": "hello", "b/large": large });
    const backup = await run("backupSiteContent", root);
    expect(backup).toMatchObject({ runtimeStatus: "Completed", output: 5 + large.length });
    const to = path.join(folder, "restored");
    const restore = await run("restoreSiteContent", { run: backup.id, to });
    expect(restore).toMatchObject({ runtimeStatus: "Completed", output: 5 + large.length });
    expect(readFileSync(path.join(to, "b/large")).equals(large)).toBe(true);
    expect(asked.length).toBeGreaterThan(0);
    for (const [resource, ...who] of asked) {
      expect(resource).toMatch(/^https:\/\/storage\.azure\.com\/?$/);
      expect(who).toEqual([CLIENT, "proof"]);
    }
  });

  /** Starts an orchestrator and waits for its end. */
  async function run(name: string, body: unknown) {
    const started = await fetch(`${host.url}/orchestrators/${name}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
    if (started.status !== 202) throw new Error(`${await started.text()}\n${host.logs().slice(-2000)}`);
    const { id, statusQueryGetUri } = (await started.json()) as { id: string; statusQueryGetUri: string };
    for (;;) {
      const answer = await fetch(statusQueryGetUri.replace("localhost", "127.0.0.1"));
      const status = (await answer.json()) as { runtimeStatus: string; output: unknown };
      if (answer.status !== 202) return { id, ...status };
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
});

async function listens(port: number): Promise<boolean> {
  return await new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
    socket.once("connect", () => socket.end());
  });
}
