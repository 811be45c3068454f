import { createHmac, createSecretKey, type KeyObject } from "node:crypto";
import type { StorageSharedKeyCredential } from "@azure/storage-blob";

/** An account's key, prepared for signing: preparing takes five times as long. */
export interface AccountKey {
  name: string;
  key: KeyObject;
}

export function accountKey(credential: StorageSharedKeyCredential): AccountKey {
  return { name: credential.accountName, key: createSecretKey(credential["accountKey"]) };
}

/** The parts of a request that are signed. */
interface ToSign {
  method: string;
  /**
   * All headers sent. Those of the service are in lower case, and no two differ only by "-" and "_", which the
   * service sorts in its own way.
   */
  headers: Readonly<Record<string, string>>;
  /** As sent, encoded. */
  path: string;
  /** Not encoded; names in lower case. */
  query: Readonly<Record<string, string>>;
}

/**
 * The Authorization header of a request, signed with the account's key:
 * https://learn.microsoft.com/rest/api/storageservices/authorize-with-shared-key
 */
export function sign({ method, headers, path, query }: ToSign, { name: account, key }: AccountKey): string {
  const value = (name: string): string => headers[name] ?? "";
  const length = value("Content-Length");
  const ofService = Object.keys(headers)
    .filter((name) => name.startsWith("x-ms-"))
    .toSorted()
    .map((name) => `${name}:${value(name)}`);
  const ofQuery = Object.keys(query)
    .toSorted()
    .map((name) => `\n${name}:${query[name]}`);
  const toSign = [
    method,
    value("Content-Encoding"),
    value("Content-Language"),
    length === "0" ? "" : length,
    value("Content-MD5"),
    value("Content-Type"),
    value("Date"),
    value("If-Modified-Since"),
    value("If-Match"),
    value("If-None-Match"),
    value("If-Unmodified-Since"),
    value("Range"),
    ...ofService,
    `/${account}${path}${ofQuery.join("")}`,
  ];
  const signature = createHmac("sha256", key).update(toSign.join("\n"), "utf8").digest("base64");
  return `SharedKey ${account}:${signature}`;
}
