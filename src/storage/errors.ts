import { RestError } from "@azure/storage-blob";
import { fileError, isOutOfHandles } from "../files/errors.ts";
import { heldByCode, whatHolds } from "../model/held.ts";
import { redact } from "../secret.ts";
import { lackingPermission } from "./refusal.ts";

/** What a failed storage request means to its caller. */
type StorageFailure =
  /** The service asks for less: slow down, then try again. */
  | "throttled"
  /** A transient fault: try again. */
  | "transient"
  /** What arrived was not what was sent: send it again. */
  | "damaged"
  /** A condition on the blob failed: somebody else wrote it. */
  | "conflict"
  /** The blob cannot be used as it is: it is leased, archived, protected or of another type. */
  | "held"
  /** The container or blob does not exist. */
  | "missing"
  /** No request can succeed: no permission, an expired signature, a disabled account. */
  | "refused"
  /** This request cannot succeed. */
  | "invalid"
  /** No request was made: this process or machine has no handle left for a socket. */
  | "local"
  /** Not an error of the storage service. */
  | "other";

/** The codes of a 409 or 412 that mean somebody else wrote. */
const WRITTEN = new Set([undefined, "ConditionNotMet", "BlobAlreadyExists", "ContainerAlreadyExists"]);

const NETWORK = new Set([
  "ECONNRESET",
  "ECONNREFUSED",
  "ECONNABORTED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EPIPE",
  "ETIMEDOUT",
  "ESOCKETTIMEDOUT",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "REQUEST_SEND_ERROR",
  "PARSE_ERROR",
]);

/** What arrived is not what the service says it sent. */
export class DamagedContent extends Error {
  constructor() {
    super("what was fetched does not have the MD5 that the storage account says it has");
  }
}

/** A blob is larger than a record of its kind can be. */
export class TooLarge extends Error {
  constructor(bytes: number, most: number) {
    super(`it has ${bytes} bytes; such a record has at most ${most}`);
  }
}

/** A container does not exist, and the app may not create it. Kept apart from every other refusal. */
export class ContainerMissing extends Error {
  constructor(name: string, cause: unknown) {
    super(
      `The container "${name}" does not exist, and the SAS or identity may not create containers. Create it (az storage ` +
        `container create --name ${name}), then start again.`,
      { cause },
    );
  }
}

/** Classifies an error thrown by a storage client. */
export function classify(error: unknown): StorageFailure {
  if (error instanceof DamagedContent) return "damaged";
  if (error instanceof ContainerMissing) return "refused";
  if (isTimeout(error)) return "transient";
  if (isOutOfHandles(error)) return "local";
  if (!(error instanceof RestError)) return hasCode(error) && NETWORK.has(error.code) ? "transient" : "other";
  const { statusCode, code } = error;
  if (statusCode === undefined) return "transient";
  if (code === "Md5Mismatch" || code === "InvalidMd5" || code === "Crc64Mismatch") return "damaged";
  if (statusCode === 429 || statusCode === 503) return "throttled";
  if (statusCode >= 500 || statusCode === 408) return "transient";
  if (code === "ContainerBeingDeleted") return "transient";
  if (statusCode === 412 || statusCode === 409) return WRITTEN.has(code) ? "conflict" : "held";
  if (statusCode === 404) return "missing";
  if (statusCode === 401 || statusCode === 403) return "refused";
  // Another attempt's commit discarded these blocks: it has written the blob.
  if (code === "InvalidBlockList" || code === "InvalidBlobOrBlock") return "conflict";
  return "invalid";
}

/** The key, SAS or token is valid but does not allow this. */
const LACKING = new Set([
  "AuthorizationPermissionMismatch",
  "AuthorizationResourceTypeMismatch",
  "AuthorizationServiceMismatch",
  "UnauthorizedBlobOverwrite",
]);

const AGAIN = "Finished work is kept; start the run again when storage answers.";

/** A sentence about a storage error: what happened and what to do, without secrets. */
export function describe(error: unknown): string {
  if (isTimeout(error)) return `The storage account did not answer in time. ${AGAIN}`;
  if (isOutOfHandles(error)) return `No connection to the storage account: ${fileError(error.code ?? "")}.`;
  if (!(error instanceof RestError) && hasCode(error) && NETWORK.has(error.code))
    return unreachable(error.code);
  if (!(error instanceof RestError)) return redact(error instanceof Error ? error.message : String(error));
  const status =
    error.statusCode === undefined ? "" : ` (HTTP ${error.statusCode}${error.code ? ` ${error.code}` : ""})`;
  switch (classify(error)) {
    case "refused":
      if (LACKING.has(error.code ?? "")) {
        const { to, permission } = lackingPermission(error.request);
        return (
          `The storage account refused to ${to}${status}. The SAS lacks the permission ${permission}, or the identity a ` +
          `role that has it ("Storage Blob Data Contributor"); docs/security.md says what each operation needs.`
        );
      }
      return (
        `The storage account refused the request${status}. Check that the key or SAS is right and not expired, or that ` +
        `the app's identity has the role "Storage Blob Data Contributor" on the containers.`
      );
    case "throttled":
      return `The storage account throttled the requests${status}. Try again later, or lower BACKUP_REQUESTS_IN_FLIGHT.`;
    case "transient":
      return unreachable(status === "" ? (error.code ?? "no answer") : status.slice(2, -1));
    case "missing":
      return `The container or blob does not exist${status}.`;
    case "held": {
      const held = heldByCode(error.code);
      const why = held === undefined ? firstLine(error.message) : `it ${whatHolds(held)}`;
      return redact(`The blob cannot be used${status}: ${why}.`);
    }
    case "local":
    case "damaged":
    case "conflict":
    case "invalid":
    case "other":
      return redact(
        `The storage account answered${status}: ${firstLine(error.message) || "no reason given"}`,
      );
  }
}

function unreachable(how: string): string {
  return `The storage account could not be reached or failed (${how}). ${AGAIN}`;
}

/** The request was aborted because it stalled. */
export function isTimeout(error: unknown): boolean {
  return error instanceof Error && (error.name === "AbortError" || error.name === "TimeoutError");
}

function hasCode(error: unknown): error is { code: string } {
  return (
    typeof error === "object" && error !== null && typeof (error as { code?: unknown }).code === "string"
  );
}

function firstLine(text: string): string {
  return text.split("\n", 1)[0] ?? "";
}

/** The error for an activity to throw: a storage error as a sentence, any other as it is. */
export function toUserError(error: unknown): unknown {
  const failure = classify(error);
  if (failure === "other") return error;
  return new Error(describe(error), { cause: error });
}
