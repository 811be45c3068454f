import { availableParallelism, homedir } from "node:os";
import path from "node:path";
import { z } from "zod";
import { appIdentity } from "./app-identity.ts";
import { LAYOUTS, type Layout } from "./model/names.ts";
import { Secret } from "./secret.ts";

const MIB = 1024 * 1024;

/** What the SDK takes a proxy from. */
const PROXIES = ["HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY"];

/** A whole number in the environment, with its default and its bounds. */
const whole = (fallback: number, min: number, max: number) =>
  z.coerce.number().int().min(min).max(max).default(fallback);

/**
 * Every environment variable that the app reads. The descriptions become the table of settings in the
 * documentation; a default is right for most.
 */
export const environment = z.object({
  AzureWebJobsStorage: z.string().optional().describe("The Functions runtime's storage (connection string)."),
  BackupStorage: z
    .string()
    .optional()
    .describe("Where backups go: a connection string. Default: `AzureWebJobsStorage`."),
  BackupLedgerStorage: z
    .string()
    .optional()
    .describe(
      "Where the ledger is, if a SAS reaches one container only: a connection string for `backup-runs`. Default: where backups go.",
    ),
  BackupStorage__blobServiceUri: z
    .url()
    .optional()
    .describe("Instead of a connection string: the blob endpoint, reached with the app's identity."),
  BackupStorage__clientId: z
    .string()
    .optional()
    .describe(
      "The client id of a user-assigned identity. Unset: the system-assigned one, or who is logged in.",
    ),
  AzureWebJobsStorage__blobServiceUri: z
    .url()
    .optional()
    .describe("The runtime's storage by identity: its blob endpoint."),
  AzureWebJobsStorage__accountName: z
    .string()
    .optional()
    .describe("The runtime's storage by identity: its account, in Azure's public cloud."),
  AzureWebJobsStorage__clientId: z
    .string()
    .optional()
    .describe("The client id of the user-assigned identity for it."),
  BACKUP_ROOTS: z
    .string()
    .optional()
    .describe(
      "Directories that may be backed up, separated as in PATH. Unset: any directory on a developer's machine; `$HOME` and `/mounts` in Azure.",
    ),
  RESTORE_ROOTS: z
    .string()
    .optional()
    .describe(
      "Directories that may be restored into, separated as in PATH. Unset: any directory on a developer's machine; none in Azure.",
    ),
  RESTORE_SETUID: z
    .stringbool()
    .default(true)
    .describe(
      "`false`: restored files do not get the bits by which a program runs as its owner or group (setuid, setgid).",
    ),
  BACKUP_LAYOUT: z
    .enum(LAYOUTS)
    .default("files")
    .describe(
      "The layout of new destinations, if a request names none: `files`, a blob for each file, or `packs`, many files in a blob. A " +
        "destination that has backups keeps its own.",
    ),
  BACKUP_REQUESTS_IN_FLIGHT: whole(32, 1, 1024).describe(
    "Storage requests open at a time, per process. 32 saturates Azurite and a storage account from two cores.",
  ),
  BACKUP_MIB_IN_FLIGHT: whole(64, 8, 4096).describe(
    "File content held in memory at a time, in MiB, per process.",
  ),
  BACKUP_LIST_FILES: whole(20_000, 1, 100_000).describe(
    "Files that one listing looks at before it leaves the rest of the tree to others.",
  ),
  BACKUP_LIST_SECONDS: whole(45, 1, 240).describe(
    "Seconds that one listing may take before it leaves the rest to others.",
  ),
  BACKUP_LARGE_FILE_MIB: whole(256, 1, 1_000_000).describe(
    "Files above this size, in MiB, are in no batch: each is copied, restored or read back by one activity after another.",
  ),
  BACKUP_FILE_TIMEOUT_SECONDS: whole(60, 1, 600).describe(
    "Seconds that one file operation (open, read, stat) may take: if a mount hangs, its files fail and the run continues.",
  ),
  OTEL_EXPORTER_OTLP_ENDPOINT: z
    .url()
    .optional()
    .describe(
      "Where spans, metrics and logs go: an OTLP endpoint that takes JSON over HTTP, such as `http://localhost:4318`. Unset: nowhere.",
    ),
  OTEL_SDK_DISABLED: z
    .string()
    .optional()
    .describe("`true` turns telemetry off although there is an endpoint."),
  BACKUP_SCHEDULE: z
    .string()
    .optional()
    .describe(
      "When to start a backup: NCRONTAB with six fields, e.g. `0 0 2 * * *`. Unset: never by itself.",
    ),
  BACKUP_SCHEDULE_INPUT: z
    .string()
    .optional()
    .describe("What to back up: a request, as a JSON object. It is incremental unless it names a mode."),
  PRUNE_SCHEDULE: z.string().optional().describe("When to start a prune. Unset: never by itself."),
  PRUNE_SCHEDULE_INPUT: z.string().optional().describe("What to keep: a prune request, as a JSON object."),
  AzureFunctionsWebHost__hostid: z
    .string()
    .optional()
    .describe(
      "The Functions runtime's own: a host id. Outside Azure it is the name of the app in the records of its runs. Unset: one that the local host keeps with its state; with `func` the machine's name.",
    ),
  WEBSITE_SKU: z.string().optional(),
  WEBSITE_INSTANCE_ID: z.string().optional(),
  WEBSITE_POD_NAME: z.string().optional(),
  CONTAINER_NAME: z.string().optional(),
  WEBSITE_SITE_NAME: z.string().optional(),
  WEBSITE_HOSTNAME: z.string().optional(),
  HOME: z.string().optional(),
});

/** Where blobs are kept: an account reached with a key or SAS, or an endpoint reached with an identity. */
export type StorageConnection =
  | { kind: "connectionString"; value: Secret; setting: string }
  | { kind: "identity"; blobServiceUri: string; clientId: string | undefined; setting: string };

/** A schedule and the body of the request that it starts, as they are set. */
export interface ScheduleSetting {
  schedule: string | undefined;
  input: string | undefined;
}

/** The app's settings, validated. Sizes are in bytes, times in milliseconds. */
export interface Settings {
  /** Which app this is, among those that work on the same storage; see appIdentity. */
  app: string;
  destination: StorageConnection;
  /** Where the ledgers are, if not there. */
  ledger?: StorageConnection;
  /** Directories that may be backed up; undefined means any. */
  roots: string[] | undefined;
  /** Directories that may be restored into; undefined means any. */
  restoreRoots: string[] | undefined;
  /** Whether restored files get their setuid and setgid bits. */
  restoreSetuid: boolean;
  /** The layout of new destinations. */
  layout: Layout;
  requestsInFlight: number;
  bytesInFlight: number;
  listFiles: number;
  listMs: number;
  largeFile: number;
  fileTimeoutMs: number;
  cores: number;
  /** Storage is reached through a proxy, unless NO_PROXY names it. */
  behindProxy: boolean;
  /** Whether spans, metrics and logs are sent. */
  telemetry: boolean;
  /** When a timer starts a backup, and what of. */
  backupSchedule: ScheduleSetting;
  pruneSchedule: ScheduleSetting;
  /** The app is on a plan that is scaled to zero: Consumption or Flex Consumption. */
  serverless: boolean;
}

/**
 * Reads and validates the settings.
 * @throws Error that names each wrong variable and what it should be; no value of a secret is in it.
 */
export function readSettings(env: NodeJS.ProcessEnv): Settings {
  const present = Object.fromEntries(
    Object.entries(env).filter(([, value]) => value !== undefined && value !== ""),
  );
  const parsed = environment.safeParse(present);
  if (!parsed.success) {
    const wrong = parsed.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`);
    throw new Error(`Invalid settings: ${wrong.join("; ")}`);
  }
  const value = parsed.data;
  return {
    app: appIdentity(value),
    destination: destination(value),
    ...(value.BackupLedgerStorage
      ? {
          ledger: {
            kind: "connectionString" as const,
            value: new Secret(value.BackupLedgerStorage),
            setting: "BackupLedgerStorage",
          },
        }
      : {}),
    roots:
      directories("BACKUP_ROOTS", env) ?? (inAzure(value) ? [value.HOME ?? homedir(), "/mounts"] : undefined),
    restoreRoots: directories("RESTORE_ROOTS", env) ?? (inAzure(value) ? [] : undefined),
    restoreSetuid: value.RESTORE_SETUID,
    layout: value.BACKUP_LAYOUT,
    requestsInFlight: value.BACKUP_REQUESTS_IN_FLIGHT,
    bytesInFlight: value.BACKUP_MIB_IN_FLIGHT * MIB,
    listFiles: value.BACKUP_LIST_FILES,
    listMs: value.BACKUP_LIST_SECONDS * 1000,
    largeFile: value.BACKUP_LARGE_FILE_MIB * MIB,
    fileTimeoutMs: value.BACKUP_FILE_TIMEOUT_SECONDS * 1000,
    cores: availableParallelism(),
    telemetry:
      value.OTEL_EXPORTER_OTLP_ENDPOINT !== undefined && !/^true$/i.test(value.OTEL_SDK_DISABLED ?? ""),
    behindProxy: PROXIES.some((name) => env[name] || env[name.toLowerCase()]),
    backupSchedule: { schedule: value.BACKUP_SCHEDULE, input: value.BACKUP_SCHEDULE_INPUT },
    pruneSchedule: { schedule: value.PRUNE_SCHEDULE, input: value.PRUNE_SCHEDULE_INPUT },
    serverless:
      ["Dynamic", "FlexConsumption"].includes(value.WEBSITE_SKU ?? "") ||
      (inAzure(value) && value.WEBSITE_INSTANCE_ID === undefined),
  };
}

function destination(env: z.infer<typeof environment>): StorageConnection {
  if (env.BackupStorage) {
    return { kind: "connectionString", value: new Secret(env.BackupStorage), setting: "BackupStorage" };
  }
  if (env.BackupStorage__blobServiceUri) {
    return {
      kind: "identity",
      blobServiceUri: env.BackupStorage__blobServiceUri,
      clientId: env.BackupStorage__clientId,
      setting: "BackupStorage__blobServiceUri",
    };
  }
  if (env.AzureWebJobsStorage) {
    return {
      kind: "connectionString",
      value: new Secret(env.AzureWebJobsStorage),
      setting: "AzureWebJobsStorage",
    };
  }
  const account = env.AzureWebJobsStorage__accountName;
  const blobServiceUri =
    env.AzureWebJobsStorage__blobServiceUri ?? (account && `https://${account}.blob.core.windows.net`);
  if (blobServiceUri) {
    return {
      kind: "identity",
      blobServiceUri,
      clientId: env.AzureWebJobsStorage__clientId,
      setting: "AzureWebJobsStorage",
    };
  }
  throw new Error(
    "No storage is set. Set BackupStorage to a connection string, or BackupStorage__blobServiceUri to a blob endpoint " +
      "that the app's identity may write to (for Azurite: BackupStorage=UseDevelopmentStorage=true).",
  );
}

/** @throws Error for an empty value, too: it is a variable that is not set, and must not allow more than was meant */
function directories(
  setting: "BACKUP_ROOTS" | "RESTORE_ROOTS",
  env: NodeJS.ProcessEnv,
): string[] | undefined {
  const roots = env[setting]?.split(path.delimiter);
  const wrong = roots?.find((root) => !path.isAbsolute(root));
  if (wrong === undefined) return roots;
  throw new Error(
    `${setting}: expected absolute paths separated by "${path.delimiter}", got ${wrong.trim() === "" ? "an empty one" : `"${wrong}"`}.`,
  );
}

/**
 * Whether the Functions host runs in Azure, by its own signs: App Service sets the first, Consumption and Flex Consumption
 * the others. CONTAINER_NAME alone proves nothing: other containers have it as well.
 */
function inAzure(env: z.infer<typeof environment>): boolean {
  return Boolean(
    env.WEBSITE_INSTANCE_ID ?? env.WEBSITE_POD_NAME ?? (env.CONTAINER_NAME && env.WEBSITE_SITE_NAME),
  );
}
