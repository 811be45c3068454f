/**
 * A FAKE of a storage account with blob versioning on, for Azurite keeps no versions: a reverse proxy before Azurite that
 * answers as such an account does where it differs. A write or a deletion keeps what the blob was, as a version; writes
 * and reads answer with `x-ms-version-id`; `versionid` reads and deletes a version; lists include them. What it keeps is
 * in a container of its own. Versioning can be turned off: from then on nothing more is kept, but what was current until
 * then as a version becomes an older one when it is written over. Written from the documentation of the service, not recorded from one:
 * https://learn.microsoft.com/azure/storage/blobs/versioning-overview
 */
import { createServer, request as send, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import {
  AccountSASPermissions,
  AccountSASResourceTypes,
  AccountSASServices,
  BlobServiceClient,
  generateAccountSASQueryParameters,
  type BlobItem,
  type StorageSharedKeyCredential,
} from "@azure/storage-blob";
import type { TestStorage } from "./azurite.ts";
import { connectionString } from "../../local/storage/own-account.ts";
import { refuse } from "./wire-faults.ts";

/** The versions of one blob, by their ids. */
interface Versions {
  current?: string;
  /** Oldest first; the content of each is a blob of that name in the container of versions. */
  old: string[];
}

export interface VersionedRequest {
  method: string;
  container: string;
  blob: string;
  query: URLSearchParams;
}

export interface FakeVersionedAccount {
  connectionString: string;
  readonly requests: VersionedRequest[];
  /** Whether versioning is on; it is at first. */
  versioning: boolean;
  stop(): Promise<void>;
}

const KEPT = "fake-versions";

export async function startFakeVersionedAccount(azurite: TestStorage): Promise<FakeVersionedAccount> {
  const service = BlobServiceClient.fromConnectionString(azurite.connectionString);
  const kept = service.getContainerClient(KEPT);
  await kept.createIfNotExists();
  // What is passed on is signed anew, for its address is changed.
  const sas = generateAccountSASQueryParameters(
    {
      expiresOn: new Date(Date.now() + 86_400_000),
      permissions: AccountSASPermissions.parse("rwdlacup"),
      services: AccountSASServices.parse("b").toString(),
      resourceTypes: AccountSASResourceTypes.parse("sco").toString(),
    },
    service.credential as StorageSharedKeyCredential,
  ).toString();
  const blobs = new Map<string, Versions>();
  const requests: VersionedRequest[] = [];
  const turns = new Map<string, Promise<void>>();
  let count = 0;

  const server = createServer((incoming, outgoing) => {
    const url = new URL(incoming.url ?? "", azurite.connectionString.match(/http:[^;]*/)?.[0]);
    const [, account, container = "", ...rest] = url.pathname.split("/");
    const seen = {
      method: incoming.method ?? "",
      container,
      blob: decodeURIComponent(rest.join("/")),
      query: new URLSearchParams(url.search),
    };
    requests.push(seen);
    // One at a time for each blob, as the service orders writes.
    const key = `${container}/${seen.blob}`;
    const before = turns.get(key) ?? Promise.resolve();
    const turn = before.then(() => answer(seen, url, `/${account}/${KEPT}/`, incoming, outgoing));
    turns.set(
      key,
      turn.catch(() => void outgoing.destroy()),
    );
  });

  async function answer(
    { method, container, blob, query }: VersionedRequest,
    url: URL,
    keptPath: string,
    incoming: IncomingMessage,
    outgoing: ServerResponse,
  ): Promise<void> {
    const key = `${container}/${blob}`;
    const versions = blobs.get(key) ?? { old: [] };
    if (query.get("include")?.includes("versions")) return await list(container, query, outgoing);

    const version = query.get("versionid");
    if (version !== null) {
      url.searchParams.delete("versionid");
      if (versions.old.includes(version)) url.pathname = keptPath + encodeURIComponent(version);
      else if (version !== versions.current) return refuse(outgoing, { status: 404, code: "BlobNotFound" });
      else if (method === "DELETE") {
        return refuse(outgoing, { status: 403, code: "OperationNotAllowedOnRootBlob" });
      }
      const status = await pass(url, incoming, outgoing, version);
      if (method === "DELETE" && status < 300) versions.old = versions.old.filter((id) => id !== version);
      return;
    }

    const comp = query.get("comp") ?? "";
    const writes = method === "PUT" && blob !== "" && ["", "blocklist", "metadata"].includes(comp);
    const deletes = method === "DELETE" && blob !== "" && !query.has("snapshot");
    if (!writes && !deletes) {
      await pass(url, incoming, outgoing, blob === "" ? undefined : versions.current);
      return;
    }
    if (versions.current !== undefined) await keep(container, blob, versions.current);
    const next =
      writes && fake.versioning
        ? new Date().toISOString().replace("Z", `${String(++count).padStart(4, "0")}Z`)
        : undefined;
    if ((await pass(url, incoming, outgoing, next)) >= 300) return;
    if (versions.current !== undefined) versions.old.push(versions.current);
    versions.current = next;
    blobs.set(key, versions);
  }

  /** Copies what a blob is to the versions that are kept. */
  async function keep(container: string, blob: string, version: string): Promise<void> {
    const now = await service.getContainerClient(container).getBlobClient(blob).download();
    const content = await buffer(now.readableStreamBody!);
    await kept.getBlockBlobClient(version).upload(content, content.length, {
      metadata: now.metadata,
      blobHTTPHeaders: { blobContentMD5: now.contentMD5, blobContentType: now.contentType },
    });
  }

  async function list(container: string, query: URLSearchParams, outgoing: ServerResponse): Promise<void> {
    const prefix = query.get("prefix") ?? "";
    const items: BlobItem[] = [];
    const own = service.getContainerClient(container);
    if (!(await own.exists())) return refuse(outgoing, { status: 404, code: "ContainerNotFound" });
    const includeSnapshots = query.get("include")?.includes("snapshots") ?? false;
    for await (const item of own.listBlobsFlat({ prefix, includeMetadata: true, includeSnapshots })) {
      const versionId = item.snapshot ? undefined : blobs.get(`${container}/${item.name}`)?.current;
      items.push({ ...item, ...(versionId === undefined ? {} : { versionId, isCurrentVersion: true }) });
    }
    const contents = new Map<string, BlobItem>();
    for await (const item of kept.listBlobsFlat({ includeMetadata: true })) contents.set(item.name, item);
    for (const [key, { old }] of blobs) {
      if (!key.startsWith(`${container}/${prefix}`)) continue;
      const name = key.slice(container.length + 1);
      for (const versionId of old) items.push({ ...contents.get(versionId)!, name, versionId });
    }
    // What has neither is the blob itself, and the last of its name.
    const order = ({ name, versionId, snapshot }: BlobItem) => `${name}\0${versionId ?? (snapshot || "~")}`;
    items.sort((a, b) => (order(a) < order(b) ? -1 : 1));
    outgoing.writeHead(200, { "content-type": "application/xml" });
    outgoing.end(
      `<?xml version="1.0" encoding="utf-8"?><EnumerationResults ContainerName="${container}"><Blobs>` +
        `${items.map(toXml).join("")}</Blobs><NextMarker/></EnumerationResults>`,
    );
  }

  /** Passes a request on to Azurite, and its answer back with the version's id. @returns the status */
  async function pass(
    url: URL,
    incoming: IncomingMessage,
    outgoing: ServerResponse,
    version: string | undefined,
  ): Promise<number> {
    const { authorization: _signature, ...headers } = incoming.headers;
    const path = `${url.pathname}${url.search === "" ? "?" : `${url.search}&`}${sas}`;
    return await new Promise((resolve, reject) => {
      const options = { host: "127.0.0.1", port: azurite.port, method: incoming.method, path, headers };
      const onward = send(options, (response) => {
        const status = response.statusCode ?? 502;
        const more = version !== undefined && status < 300 ? { "x-ms-version-id": version } : {};
        outgoing.writeHead(status, { ...response.headers, ...more });
        response.pipe(outgoing).once("close", () => resolve(status));
      });
      onward.once("error", reject);
      incoming.once("error", reject).pipe(onward);
    });
  }

  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const fake: FakeVersionedAccount = {
    connectionString: connectionString(azurite.account, (server.address() as AddressInfo).port),
    requests,
    versioning: true,
    async stop() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
  return fake;
}

function toXml({ name, snapshot, versionId, isCurrentVersion, properties, metadata }: BlobItem): string {
  const md5 = properties.contentMD5 && Buffer.from(properties.contentMD5).toString("base64");
  return element("Blob", [
    element("Name", escape(name)),
    snapshot ? element("Snapshot", snapshot) : "",
    versionId === undefined ? "" : element("VersionId", versionId),
    isCurrentVersion ? element("IsCurrentVersion", "true") : "",
    element("Properties", [
      element("Last-Modified", properties.lastModified.toUTCString()),
      element("Etag", escape(properties.etag)),
      element("Content-Length", String(properties.contentLength)),
      md5 ? element("Content-MD5", md5) : "",
      element("BlobType", "BlockBlob"),
    ]),
    element(
      "Metadata",
      Object.entries(metadata ?? {}).map(([key, value]) => element(key, escape(value))),
    ),
  ]);
}

function element(name: string, content: string | string[]): string {
  return `<${name}>${typeof content === "string" ? content : content.join("")}</${name}>`;
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
