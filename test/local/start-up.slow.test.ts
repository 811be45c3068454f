import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { BlobServiceClient } from "@azure/storage-blob";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type LocalHostProcess, runLocalHost, startLocalHost } from "../harness/local-host.ts";
import { isRunning } from "../harness/processes.ts";
import { FIXTURE_APP, startFixture } from "./durable-helpers.ts";

let folder: string;
let app: string;
let host: LocalHostProcess | undefined;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "start-up-"));
  app = path.join(folder, "app");
});
afterEach(async () => {
  await host?.stop();
  host = undefined;
  rmSync(folder, { recursive: true, force: true });
});

/** An app of one file. It finds no packages: it can only use the core module. */
function makeApp(files: Record<string, string>): void {
  const all = {
    "package.json": '{ "type": "module", "main": "functions/*.cjs" }',
    "host.json": '{ "version": "2.0" }',
    "functions/one.cjs": "",
    ...files,
  };
  for (const [name, text] of Object.entries(all)) {
    mkdirSync(path.dirname(path.join(app, name)), { recursive: true });
    writeFileSync(path.join(app, name), text);
  }
}

async function refusal(args: string[] = []): Promise<string> {
  const { code, stderr } = await runLocalHost({ app, state: path.join(folder, "state"), args });
  expect(code).toBe(1);
  return stderr;
}

it("a schedule that is none costs its function alone, and is named", async () => {
  const binding = '{ type: "timerTrigger", direction: "in", schedule: "every day", name: "t" }';
  makeApp({
    "functions/one.cjs": `require("@azure/functions-core").registerFunction({ name: "tick", bindings: { t: ${binding} } }, () => {});`,
  });
  host = await startLocalHost({ app, state: path.join(folder, "state"), connectionString: "none" });
  expect(host.logs()).toMatch(/schedule.*'tick'/);
});

describe("what stops it from starting is said in a sentence, with exit code 1", () => {
  it("a port in use", async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const { code, stderr } = await runLocalHost({
      app: FIXTURE_APP,
      state: path.join(folder, "state"),
      port,
    });
    server.close();
    expect(code).toBe(1);
    expect(stderr).toMatch(new RegExp(`^Port ${port} .*--port.*\\n$`));
  });

  it("a bad host.json, naming the field", async () => {
    makeApp({ "host.json": '{ "version": "2.0", "functionTimeout": "soon" }' });
    const said = await refusal();
    expect(said).toContain(path.join(app, "host.json"));
    expect(said).toMatch(/^.*\bfunctionTimeout: .*\n$/);
  });

  it("no host.json", async () => {
    makeApp({});
    rmSync(path.join(app, "host.json"));
    const said = await refusal();
    expect(said).toContain(path.join(app, "host.json"));
    expect(said).toContain("ENOENT");
  });

  it("a build that is missing", async () => {
    makeApp({ "package.json": '{ "main": "dist/src/functions/*.js" }' });
    const said = await refusal();
    expect(said).toMatch(/"main" in package\.json.*"dist\/src\/functions\/\*\.js"/);
    expect(said).toContain("npm run build");
  });

  it("files that register nothing, and files that do not load", async () => {
    makeApp({});
    expect(await refusal()).toMatch(/^No functions .*\b1 files? .*"main"/);
    makeApp({ "functions/one.cjs": 'throw new Error("broken on purpose");' });
    expect(await refusal()).toContain(`"${path.join("functions", "one.cjs")}": broken on purpose`);
  });

  it("an app of programming model v3", async () => {
    makeApp({ "package.json": "{}", "hello/function.json": '{ "bindings": [] }' });
    expect(await refusal()).toMatch(/\bv3 .*function\.json/);
  });

  it("options it does not know", async () => {
    makeApp({});
    expect(await refusal(["--prot", "1"])).toContain("'--prot'");
    expect(await refusal(["--state", ""])).toMatch(/^--state .*empty/);
    expect(await refusal(["--port", "x"])).toMatch(/^--port .*\b0 to 65535\b.*"x"/);
    // It would be a free one, which the connection string does not name.
    expect(await refusal(["--azurite-port", "0"])).toMatch(/^--azurite-port .*\b1 to 65535\b.*"0"/);
  });

  it("local settings that are not right", async () => {
    makeApp({ "local.settings.json": '{ "Values": { "A": [] } }' });
    expect(await refusal()).toMatch(/local\.settings\.json.* Values\.A\b/);
  });
});

describe("a start that works", () => {
  it("explains itself with --help", async () => {
    const { code, output } = await runLocalHost({ args: ["--help"] });
    expect(code).toBe(0);
    for (const word of [
      "--port",
      "--state",
      "--ready-file",
      "--verbose",
      "Exit codes",
      "FUNCTIONS_WORKER_PROCESS_COUNT",
    ]) {
      expect(output).toContain(word);
    }
  });

  it("lists the functions with their addresses, says how to begin, and tells where it is", async () => {
    const readyFile = path.join(folder, "ready.json");
    host = await startFixture({ args: ["--ready-file", readyFile] });
    const url = host.url.replace("127.0.0.1", "localhost");
    expect(host.logs()).toContain(`\nFunctions:\n\n\tclient: [POST] ${url}/client/{method}\n`);
    expect(host.logs()).toContain("\n\tfan: orchestrationTrigger\n");
    expect(host.logs()).toMatch(
      /curl -i http:\/\/localhost:\d+\/orchestrators\/\w+ -H 'Content-Type: application\/json'/,
    );
    expect(JSON.parse(readFileSync(readyFile, "utf8"))).toEqual({ url, pid: host.pid });
    expect(await host.stop()).toBe(0);
    expect(existsSync(readyFile)).toBe(false);
  });

  it("takes settings from local.settings.json, except those the environment has", async () => {
    cpSync(FIXTURE_APP, app, { recursive: true });
    const values = { FROM_FILE: "file", FROM_BOTH: "file" };
    writeFileSync(
      path.join(app, "local.settings.json"),
      `// settings\n${JSON.stringify({ IsEncrypted: false, Values: values })}`,
    );
    writeFileSync(
      path.join(app, "functions", "settings.cjs"),
      `const core = require("@azure/functions-core");
       core.log("information", "user", "file=" + process.env.FROM_FILE + " both=" + process.env.FROM_BOTH + " host=" + process.env.WEBSITE_HOSTNAME);`,
    );
    // The packages are found from the repository.
    writeFileSync(path.join(app, "package.json"), '{ "type": "module", "main": "functions/settings.cjs" }');
    const { output } = await runLocalHost({
      app,
      state: path.join(folder, "state"),
      env: { FROM_BOTH: "environment" },
    });
    expect(output).toMatch(/file=file both=environment host=localhost:\d+/);
    expect(output).toMatch(/'FROM_BOTH'.*settings/);
  });

  it("prints what functions log with their names, and no keys", async () => {
    host = await startFixture();
    await fetch(`${host.url}/says`);
    await fetch(`${host.url}/orchestrators/fan`, { method: "POST" });
    await host.stop();
    expect(host.logs()).toMatch(/info {2}says [0-9a-f]{8} {2}by context/);
    expect(host.logs()).toMatch(
      /info {2}says [0-9a-f]{8} {2}by console, with http:\/\/localhost\/x\?taskHub=a&code=\*\*\*/,
    );
    expect(host.logs()).not.toMatch(/code=[^*]/);
  });
});

describe("Azurite", () => {
  it("is started for UseDevelopmentStorage=true, outlives a killed host, and another takes its place and data", async () => {
    host = await startLocalHost({ app: FIXTURE_APP, connectionString: "own" });
    const container = () =>
      BlobServiceClient.fromConnectionString(host!.connectionString).getContainerClient("kept");
    const endpoint = endpointOf(host);
    expect((await fetch(endpoint)).headers.get("server")).toMatch(/^Azurite-Blob\/3\.(3[7-9]|[4-9])/);
    await container().create();
    await host.kill();
    expect((await fetch(endpoint)).status).toBeGreaterThan(0);
    const left = pidOfAzurite(host);
    host = await host.restart();
    expect(isRunning(left)).toBe(false);
    expect(await container().exists()).toBe(true);
    expect(await host.stop()).toBe(0);
    await expect(fetch(endpoint)).rejects.toThrow("fetch failed");
  });

  it("takes the host along when it ends: who listens on its port then is a stranger", async () => {
    host = await startLocalHost({ app: FIXTURE_APP, connectionString: "own" });
    process.kill(pidOfAzurite(host), "SIGKILL");
    expect(await host.ended).toBe(1);
    expect(host.logs()).toMatch(/Azurite.*\(SIGKILL\).*azurite\.log/);
  });
});

function endpointOf({ connectionString }: LocalHostProcess): string {
  return `${/BlobEndpoint=([^;]+)/.exec(connectionString)?.[1]}?comp=list`;
}

function pidOfAzurite({ state }: LocalHostProcess): number {
  return (JSON.parse(readFileSync(path.join(state, "azurite.pid"), "utf8")) as { pid: number }).pid;
}
