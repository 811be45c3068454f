/** Settings that are wrong stop the app, with a message that names them and shows no secret. */
import { inspect } from "node:util";
import { hostname } from "node:os";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { redact, Secret } from "../../src/secret.ts";
import { readSettings } from "../../src/settings.ts";
import { connect } from "../../src/storage/connect.ts";

const KEY = "c2VjcmV0LWtleS1vZi10aGUtYWNjb3VudA==";
const CONNECTION = `DefaultEndpointsProtocol=https;AccountName=acct;AccountKey=${KEY};EndpointSuffix=core.windows.net`;

function messageOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error("nothing was thrown");
}

describe("settings", () => {
  it("are right for most by default", () => {
    const settings = readSettings({ AzureWebJobsStorage: "UseDevelopmentStorage=true" });
    expect(settings).toMatchObject({
      roots: undefined,
      requestsInFlight: 32,
      bytesInFlight: 64 * 1024 * 1024,
      listFiles: 20_000,
    });
    expect(settings.destination).toMatchObject({ kind: "connectionString", setting: "AzureWebJobsStorage" });
  });

  it("BackupStorage goes before AzureWebJobsStorage, as a connection string and as an identity", () => {
    const both = { AzureWebJobsStorage: "UseDevelopmentStorage=true", BackupStorage: CONNECTION };
    expect(readSettings(both).destination).toMatchObject({ setting: "BackupStorage" });
    const uri = "https://acct.blob.core.windows.net";
    const identity = {
      AzureWebJobsStorage: "UseDevelopmentStorage=true",
      BackupStorage__blobServiceUri: uri,
    };
    expect(readSettings(identity).destination).toMatchObject({ kind: "identity", blobServiceUri: uri });
    expect(readSettings({ AzureWebJobsStorage__accountName: "acct" }).destination).toMatchObject({
      kind: "identity",
      blobServiceUri: uri,
    });
  });

  it("an app's name is its host name in Azure, elsewhere its host id, and never that of a port", () => {
    const of = (env: Record<string, string>) =>
      readSettings({ AzureWebJobsStorage: "UseDevelopmentStorage=true", ...env }).app;
    const slot = { WEBSITE_SITE_NAME: "site", WEBSITE_HOSTNAME: "site-slot.azurewebsites.net" };
    const hostId = { AzureFunctionsWebHost__hostid: "mine" };
    expect(of({ ...slot, ...hostId })).toBe("site-slot.azurewebsites.net");
    expect(of({ WEBSITE_HOSTNAME: "localhost:7071", ...hostId })).toBe("mine");
    expect(of({ WEBSITE_HOSTNAME: "localhost:7071" })).toBe(hostname());
  });

  it.each([
    [{ WEBSITE_INSTANCE_ID: "1" }],
    [{ WEBSITE_POD_NAME: "1" }],
    [{ CONTAINER_NAME: "1", WEBSITE_SITE_NAME: "site" }],
  ])("in Azure (%j) only the home directory and mounts may be backed up", (signs) => {
    const env = { AzureWebJobsStorage: "UseDevelopmentStorage=true", HOME: "/home", ...signs };
    expect(readSettings(env).roots).toEqual(["/home", "/mounts"]);
    expect(readSettings({ ...env, BACKUP_ROOTS: `/a${path.delimiter}/b` }).roots).toEqual(["/a", "/b"]);
  });

  it.each([
    [{ BACKUP_LIST_FILES: "many" }, /BACKUP_LIST_FILES/],
    [{ BACKUP_LIST_FILES: "0" }, /BACKUP_LIST_FILES/],
    [{ BACKUP_REQUESTS_IN_FLIGHT: "1.5" }, /BACKUP_REQUESTS_IN_FLIGHT/],
    [{ BACKUP_MIB_IN_FLIGHT: "7" }, /BACKUP_MIB_IN_FLIGHT/],
    [{ BACKUP_LAYOUT: "zip" }, /BACKUP_LAYOUT: .*"files"\|"packs"/],
    [{ BACKUP_ROOTS: "relative/dir" }, /BACKUP_ROOTS: .*"relative\/dir"/],
    [{ BACKUP_ROOTS: "" }, /BACKUP_ROOTS: .*empty/],
    [{ BACKUP_ROOTS: path.delimiter }, /BACKUP_ROOTS: .*empty/],
    [{ RESTORE_ROOTS: `/a${path.delimiter} ` }, /RESTORE_ROOTS: .*empty/],
    [{ BackupStorage__blobServiceUri: "not a url" }, /BackupStorage__blobServiceUri/],
  ])("%j is refused by name", (wrong, message) => {
    const env = { BackupStorage: CONNECTION, ...wrong };
    const said = messageOf(() => readSettings(env));
    expect(said).toMatch(message);
    expect(said).not.toContain(KEY);
  });

  it("two wrong ones are both named", () => {
    const env = { BackupStorage: CONNECTION, BACKUP_LIST_FILES: "x", BACKUP_MIB_IN_FLIGHT: "x" };
    expect(messageOf(() => readSettings(env))).toMatch(/BACKUP_MIB_IN_FLIGHT.*BACKUP_LIST_FILES/);
  });

  it("no storage at all: says what to set", () => {
    expect(messageOf(() => readSettings({}))).toMatch(/BackupStorage/);
  });

  it.each([
    `AccountKey=${KEY}`,
    `DefaultEndpointsProtocol=https;AccountName=x;AccountKey`,
    "hunter2-secret",
    "{}",
  ])("a connection string that is none is refused without a word of it: %s", (value) => {
    const said = messageOf(() => connect(readSettings({ BackupStorage: value }).destination));
    expect(said).toMatch(/^BackupStorage .*connection string/);
    expect(said).not.toContain(KEY);
    expect(said).not.toContain("hunter2");
  });

  it("show no secret however they are printed", () => {
    const settings = readSettings({ BackupStorage: CONNECTION });
    const printed = [
      inspect(settings, { depth: 10, showHidden: true }),
      JSON.stringify(settings),
      String(settings.destination.kind === "connectionString" && settings.destination.value),
    ];
    for (const text of printed) {
      expect(text).not.toContain(KEY);
      expect(text).toContain("***");
    }
    expect(new Secret("x").reveal()).toBe("x");
  });
});

describe("redact", () => {
  it.each([
    [`failed with ${CONNECTION}`, KEY],
    ["BlobEndpoint=https://a;SharedAccessSignature=sv=2024&sig=abc%2Fdef;x", "abc%2Fdef"],
    ["GET https://a.blob.core.windows.net/c/b?sv=2024-01-01&sig=aBc%3D&se=x", "aBc%3D"],
    ["POST http://localhost/orchestrators/x?code=VERYSECRET==", "VERYSECRET"],
    ["GET /x?a=1&CODE=VERYSECRET", "VERYSECRET"],
    ["Authorization: Bearer eyJhbGciOi.J9.abc-_def", "eyJhbGciOi"],
    ["Authorization: SharedKey acct:c2lnbmF0dXJl+/=", "c2lnbmF0dXJl"],
    ["Endpoint=sb://x/;SharedAccessKey=topsecret;", "topsecret"],
  ])("%s", (text, secret) => {
    expect(redact(text)).not.toContain(secret);
    expect(redact(text)).toContain("***");
  });

  it("leaves all else as it is", () => {
    const text = 'The directory /a/code=1/b does not exist. {"sig": 1} 50% & more; Bearer of news';
    expect(redact(text)).toBe(text);
  });
});
