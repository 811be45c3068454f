import { globSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { scheduledBackup, scheduledPrune } from "../../src/api/schedule-setting.ts";
import { readSettings } from "../../src/settings.ts";
import { bicep, bicepCompiler, infra, snapshot, type Resource, type Snapshot } from "./bicep-cli.ts";

const compiler = bicepCompiler();
const missing = "missing" in compiler ? compiler.missing : undefined;
if (missing) console.warn(`The Bicep templates are not tested: ${missing}`);
const compilerPath = "path" in compiler ? compiler.path : "";

const OPERATOR = "11111111-2222-3333-4444-555555555555";

const ROLES: Record<string, string> = {
  "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1": "Storage Blob Data Reader",
  "ba92f5b4-2d11-453d-a403-e96b0029c9fe": "Storage Blob Data Contributor",
  "b7e6dc6d-f1e8-4753-8033-0f276bb0955b": "Storage Blob Data Owner",
  "974c5e8b-45b9-4653-ba55-5f855dd0fb88": "Storage Queue Data Contributor",
  "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3": "Storage Table Data Contributor",
  "3913510d-42f4-4e42-8a64-420c390055eb": "Monitoring Metrics Publisher",
};

describe.skipIf(missing)(`the Bicep templates${missing ? ` (skipped: ${missing})` : ""}`, () => {
  const main = path.join(infra, "main.bicep");
  // Compiling main compiles every module, and says what is wrong in any of them.
  const build = missing ? { status: 1, diagnostics: [], output: "{}" } : bicep(compilerPath, "build", main);
  const template: unknown = JSON.parse(build.output || "{}");

  it("compile without a warning", () => {
    expect(build.diagnostics).toEqual([]);
    expect(build.status).toBe(0);
  });

  it("lint without a warning", () => {
    const { status, diagnostics } = bicep(compilerPath, "lint", main);
    expect(diagnostics).toEqual([]);
    expect(status).toBe(0);
  });

  it("are all in use", () => {
    const source = readFileSync(main, "utf8");
    for (const name of globSync("modules/*.bicep", { cwd: infra })) expect(source).toContain(`'${name}'`);
  });

  it("describe every parameter and every output", () => {
    const described = [...declarations(template, "parameters"), ...declarations(template, "outputs")];
    expect(described.length).toBeGreaterThan(40);
    const silent = described.filter(([, { metadata }]) => !metadata?.description);
    expect(silent.map(([name]) => name)).toEqual([]);
  });

  it("have no secret among their outputs", () => {
    const outputs = declarations(template, "outputs").map(
      ([name, { value }]) => `${name} = ${JSON.stringify(value)}`,
    );
    expect(outputs.length).toBeGreaterThan(5);
    for (const text of outputs)
      expect(text).not.toMatch(/listKeys|key|secret|password|token|connectionString|sas\b/i);
  });

  it("are given by azd only parameters that they have", () => {
    const file = path.join(infra, "main.parameters.json");
    const given = (JSON.parse(readFileSync(file, "utf8")) as { parameters: object }).parameters;
    const known = (template as { parameters: object }).parameters;
    expect(Object.keys(known)).toEqual(expect.arrayContaining(Object.keys(given)));
  });
});

describe.skipIf(missing)(`a deployment${missing ? ` (skipped: ${missing})` : ""}`, () => {
  const deployment = missing
    ? nothing
    : snapshot(compilerPath, { environmentName: "test", location: "westeurope" });
  /** The same with everything that a parameter turns on. */
  const other = missing
    ? nothing
    : snapshot(compilerPath, {
        environmentName: "test",
        location: "westeurope",
        operatorPrincipalId: OPERATOR,
        backupVersionDays: 90,
        sourceAccountName: "contoso",
        sourceResourceGroup: "rg-contoso",
        sourceShareName: "wwwroot",
        backupSchedule: "0 0 2 * * *",
        pruneSchedule: "0 0 4 * * 0",
        pruneScheduleInput: { keepDaily: 7, keepWithin: "1m" },
        pruneMayDeleteVersions: true,
      });
  const all = deployment.predictedResources;
  const site = () => only(all, "Microsoft.Web/sites");
  const settings = () => config(all, "appsettings");

  it("is worked out without a complaint", () => {
    expect(deployment.diagnostics).toEqual([]);
  });

  it("opens the runtime's and the backups' account to identities only", () => {
    for (const name of [String(deployment.outputs.RUNTIME_STORAGE_ACCOUNT), backupAccount(deployment)]) {
      expect(named(all, name).properties).toMatchObject({
        allowSharedKeyAccess: false,
        allowBlobPublicAccess: false,
        minimumTlsVersion: "TLS1_2",
        supportsHttpsTrafficOnly: true,
      });
    }
  });

  it("keeps what is deleted or overwritten there", () => {
    for (const name of [String(deployment.outputs.RUNTIME_STORAGE_ACCOUNT), backupAccount(deployment)]) {
      expect(
        named(all, `${name}/default`, "Microsoft.Storage/storageAccounts/blobServices").properties,
      ).toEqual({
        isVersioningEnabled: true,
        deleteRetentionPolicy: { enabled: true, days: expect.any(Number) },
        containerDeleteRetentionPolicy: { enabled: true, days: expect.any(Number) },
      });
    }
  });

  it("never deletes an earlier version of a backup unless told to", () => {
    const policies = (made: Snapshot) =>
      ofType(made.predictedResources, "Microsoft.Storage/storageAccounts/managementPolicies").map(
        ({ name }) => name.split("/")[0],
      );
    expect(policies(deployment)).not.toContain(backupAccount(deployment));
    expect(policies(other)).toContain(backupAccount(other));
  });

  it("lets nobody read a blob without signing in, in any account", () => {
    for (const account of ofType(all, "Microsoft.Storage/storageAccounts"))
      expect(account.properties.allowBlobPublicAccess).toBe(false);
    for (const container of ofType(all, "Microsoft.Storage/storageAccounts/blobServices/containers"))
      expect(container.properties.publicAccess).toBe("None");
  });

  it("keeps shared keys for nothing but the share, which is mounted with one", () => {
    const open = ofType(all, "Microsoft.Storage/storageAccounts").filter(
      (a) => a.properties.allowSharedKeyAccess,
    );
    expect(open.map(({ name }) => name)).toEqual([deployment.outputs.SOURCE_STORAGE_ACCOUNT]);
  });

  it("gives the app the rights that it needs and no other", () => {
    expect(rights(deployment)).toEqual([
      "backups/backup-runs: Storage Blob Data Contributor",
      "backups/backups: Storage Blob Data Contributor",
      "insights: Monitoring Metrics Publisher",
      "runtime: Storage Blob Data Owner",
      "runtime: Storage Queue Data Contributor",
      "runtime: Storage Table Data Contributor",
    ]);
  });

  it("lets an operator read the backups, if one is named", () => {
    expect(rights(other, OPERATOR)).toEqual([
      "backups/backup-runs: Storage Blob Data Reader",
      "backups/backups: Storage Blob Data Reader",
    ]);
  });

  it("makes the containers that the app writes to", () => {
    const containers = ofType(all, "Microsoft.Storage/storageAccounts/blobServices/containers");
    const names = containers
      .map(({ name }) => name)
      .filter((name) => name.startsWith(backupAccount(deployment)));
    expect(names.sort()).toEqual(
      ["backup-runs", "backups"].map((name) => `${backupAccount(deployment)}/default/${name}`),
    );
  });

  it("runs the app on Flex Consumption with Node 24, as its identity", () => {
    expect(only(all, "Microsoft.Web/serverfarms")).toMatchObject({ sku: { name: "FC1" } });
    expect(site()).toMatchObject({
      kind: "functionapp,linux",
      identity: { type: "UserAssigned" },
      tags: { "azd-service-name": "app" },
    });
    expect(site().properties.functionAppConfig.runtime).toEqual({ name: "node", version: "24" });
  });

  it("is reached, and deployed to, over TLS and without passwords", () => {
    expect(site().properties).toMatchObject({
      httpsOnly: true,
      siteConfig: { minTlsVersion: "1.2", scmMinTlsVersion: "1.2", ftpsState: "Disabled" },
    });
    const basic = ofType(all, "Microsoft.Web/sites/basicPublishingCredentialsPolicies");
    expect(basic.map(({ name, properties }) => [name.split("/")[1], properties.allow])).toEqual([
      ["ftp", false],
      ["scm", false],
    ]);
  });

  it("tells the app where things are, and no secret", () => {
    expect(Object.keys(settings()).sort()).toEqual([
      "APPLICATIONINSIGHTS_AUTHENTICATION_STRING",
      "APPLICATIONINSIGHTS_CONNECTION_STRING",
      "AzureFunctionsJobHost__extensions__durableTask__tracing__distributedTracingEnabled",
      "AzureWebJobsStorage__accountName",
      "AzureWebJobsStorage__clientId",
      "AzureWebJobsStorage__credential",
      "BACKUP_LAYOUT",
      "BACKUP_ROOTS",
      "BackupStorage__blobServiceUri",
      "BackupStorage__clientId",
      "BackupStorage__credential",
    ]);
    expect(settings()).toMatchObject({
      AzureWebJobsStorage__accountName: deployment.outputs.RUNTIME_STORAGE_ACCOUNT,
      BackupStorage__blobServiceUri: expect.stringContaining(backupAccount(deployment)),
      BACKUP_LAYOUT: "files",
      BACKUP_ROOTS: "/mounts",
    });
    expect(JSON.stringify(settings())).not.toMatch(/listKeys|AccountKey|SharedAccessSignature/i);
  });

  it("starts nothing by itself unless told to; then backs up the share, and prunes as told", () => {
    const ofApp = (made: Snapshot) =>
      config(made.predictedResources, "appsettings") as Record<string, string>;
    expect(Object.keys(ofApp(deployment)).filter((name) => name.includes("_SCHEDULE"))).toEqual([]);
    const { BackupStorage__blobServiceUri: _unresolved, ...scheduled } = ofApp(other);
    const read = readSettings({ ...scheduled, BackupStorage: "UseDevelopmentStorage=true" });
    expect(scheduled).toMatchObject({ BACKUP_SCHEDULE: "0 0 2 * * *", PRUNE_SCHEDULE: "0 0 4 * * 0" });
    expect(scheduledBackup(read)).toMatchObject({
      setting: "BACKUP_SCHEDULE",
      input: { root: other.outputs.BACKUP_SOURCE_ROOT, mode: "incremental" },
    });
    expect(scheduledPrune(read)).toMatchObject({
      setting: "PRUNE_SCHEDULE",
      input: { keepDaily: 7, keepWithin: "1m" },
    });
  });

  it("lets the app delete earlier versions only where pruning is to", () => {
    expect(rights(other).filter((right) => right.startsWith("backups/"))).toEqual([
      "backups/backup-runs: Storage Blob Data Owner",
      "backups/backups: Storage Blob Data Owner",
    ]);
  });

  it("takes telemetry from identities only", () => {
    expect(only(all, "Microsoft.Insights/components").properties.DisableLocalAuth).toBe(true);
    const workspace = only(all, "Microsoft.OperationalInsights/workspaces");
    expect(workspace.properties.features.disableLocalAuth).toBe(true);
    expect(settings().APPLICATIONINSIGHTS_AUTHENTICATION_STRING).toContain("Authorization=AAD");
  });

  it("mounts the share within the roots that may be backed up", () => {
    const { site: mount } = config(all, "azurestorageaccounts");
    expect(mount).toMatchObject({ type: "AzureFiles", mountPath: "/mounts/site", shareName: "site" });
    expect(deployment.outputs.BACKUP_SOURCE_ROOT).toBe(mount.mountPath);
    expect(mount.mountPath.startsWith(`${settings().BACKUP_ROOTS}/`)).toBe(true);
  });

  it("mounts a share that exists, and makes no account for it", () => {
    const accounts = ofType(other.predictedResources, "Microsoft.Storage/storageAccounts");
    expect(accounts.every(({ properties }) => properties.allowSharedKeyAccess === false)).toBe(true);
    const { site: mount } = config(other.predictedResources, "azurestorageaccounts");
    expect(mount).toMatchObject({ accountName: "contoso", shareName: "wwwroot" });
    expect(mount.accessKey).toContain("/resourceGroups/rg-contoso/");
  });

  it("puts the key of the share into the mount and nowhere else", () => {
    const holders = all.filter((resource) => JSON.stringify(resource).includes("listKeys("));
    expect(holders.map(({ name }) => name.split("/")[1])).toEqual(["azurestorageaccounts"]);
  });
});

interface Declaration {
  metadata?: { description?: string };
  value?: unknown;
}

const nothing: Snapshot = { predictedResources: [], diagnostics: [], outputs: {} };

function ofType(resources: Resource[], type: string): Resource[] {
  return resources.filter((resource) => resource.type === type);
}

function only(resources: Resource[], type: string): Resource {
  const [first, ...others] = ofType(resources, type);
  if (!first || others.length > 0)
    throw new Error(`expected one ${type}, found ${others.length + (first ? 1 : 0)}`);
  return first;
}

function named(resources: Resource[], name: string, type = "Microsoft.Storage/storageAccounts"): Resource {
  const found = ofType(resources, type).find((resource) => resource.name === name);
  if (!found) throw new Error(`no ${type} named ${name}`);
  return found;
}

/** The properties of one kind of configuration of the function app. */
function config(resources: Resource[], kind: string): Resource["properties"] {
  const found = ofType(resources, "Microsoft.Web/sites/config").find(({ name }) => name.endsWith(`/${kind}`));
  return found?.properties;
}

function backupAccount({ outputs }: Snapshot): string {
  return String(outputs.BACKUP_STORAGE_ACCOUNT);
}

/** Role assignments as "where: role", those of one principal; without one, those of the app's identity. */
function rights({ predictedResources, outputs }: Snapshot, principal = "userAssignedIdentities"): string[] {
  return ofType(predictedResources, "Microsoft.Authorization/roleAssignments")
    .filter(({ properties }) => properties.principalId.includes(principal))
    .map(({ id, properties }) => {
      const scope = id
        .slice(0, id.indexOf("/providers/Microsoft.Authorization/"))
        .replace(/^.*\/components\/.*$/, "insights")
        .replace(/^.*\/storageAccounts\//, "")
        .replace("/blobServices/default/containers", "")
        .replace(String(outputs.RUNTIME_STORAGE_ACCOUNT), "runtime")
        .replace(backupAccount({ predictedResources, outputs, diagnostics: [] }), "backups");
      const role = properties.roleDefinitionId.split("/").at(-1);
      return `${scope}: ${ROLES[role] ?? role}`;
    })
    .sort();
}

/** The parameters or the outputs of a template and of the templates nested in it. */
function declarations(template: unknown, kind: "parameters" | "outputs"): [string, Declaration][] {
  if (typeof template !== "object" || template === null) return [];
  const own = "$schema" in template ? Object.entries((template as Record<string, object>)[kind] ?? {}) : [];
  return [...own, ...Object.values(template).flatMap((value) => declarations(value, kind))];
}
