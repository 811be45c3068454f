/** What a shell offers at a Tab, asked of the shell itself. */
import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeFolder } from "../harness/tree.ts";
import { objects, run } from "./command.ts";

const SHELLS = ["bash", "zsh", "fish"] as const;
const scripts = new Map<string, string>();
let folder: string;
beforeAll(async () => {
  folder = await makeFolder("completion");
  for (const name of ["pictures", "my site", "$(touch evil)"]) mkdirSync(path.join(folder, name));
  for (const shell of SHELLS) scripts.set(shell, (await run(["completion", shell])).stdout);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What bash would offer after these words, the last of which is being typed. */
function offered(...words: string[]): string[] {
  const asked = ["site-backup", ...words].map((word) => `'${word}'`).join(" ");
  const program = `${scripts.get("bash")}
    COMP_WORDS=(${asked}); COMP_CWORD=${words.length}; _site_backup
    printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr } = spawnSync("bash", ["--norc", "-c", program], { cwd: folder, encoding: "utf8" });
  expect(stderr).toBe("");
  return stdout.split("\n").filter((line) => line !== "");
}

describe("in bash", () => {
  it("the commands", () => {
    expect(offered("")).toEqual(
      expect.arrayContaining(["backup", "restore", "verify", "prune", "runs", "open", "completion"]),
    );
    expect(offered("re")).toEqual(["restore"]);
  });

  it("a command's options, and no other's", () => {
    expect(offered("prune", "--keep-")).toEqual([
      "--keep-last",
      "--keep-hourly",
      "--keep-daily",
      "--keep-weekly",
      "--keep-monthly",
      "--keep-yearly",
      "--keep-within",
    ]);
    expect(offered("show", "--keep-")).toEqual([]);
    expect(offered("runs", "--json", "--st")).toEqual(["--status"]);
  });

  it("the values that an option or an argument can have", () => {
    expect(offered("restore", "0123", "--overwrite", "")).toEqual(["never", "changed", "always"]);
    expect(offered("backup", "x", "--layout", "")).toEqual(["files", "packs"]);
    expect(offered("completion", "")).toEqual([...SHELLS]);
  });

  it("directories, whatever they are called; nothing that is typed is run", () => {
    expect(offered("backup", "").sort()).toEqual(["$(touch evil)", "my site", "pictures"]);
    expect(offered("restore", "0123", "--to", "pi")).toEqual(["pictures"]);
    expect(offered("backup", "$(touch ran)")).toEqual([]);
    expect(spawnSync("ls", { cwd: folder, encoding: "utf8" }).stdout).not.toMatch(/^(ran|evil)$/m);
  });
});

it("the runs of an app that runs, newest first; without one only latest, and no waiting", async () => {
  const asked: string[] = [];
  const app = createServer((request, response) => {
    asked.push(request.url ?? "");
    const ids = ["1d0e432730114054a8168f3e14bea06b", "$(touch ran)", "custom"];
    const runs = ids.map((id) => ({ id, kind: "backup", started: "2026-11-23T02:00:00Z", root: "/srv" }));
    response.end(JSON.stringify({ runs }));
  });
  await new Promise<void>((resolve) => app.listen(0, "127.0.0.1", resolve));
  const { port } = app.address() as AddressInfo;
  const command = `${process.execPath} ${fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url))}`;
  const offer = async (url: string) => {
    const program = `site-backup() { ${command} "$@"; }; ${scripts.get("bash")}
      COMP_WORDS=(site-backup restore ""); COMP_CWORD=2; _site_backup; echo "\${COMPREPLY[@]}"`;
    const shell = spawn("bash", ["--norc", "-c", program], {
      cwd: folder,
      env: { ...process.env, SITE_BACKUP_URL: url },
    });
    return (await Promise.all([text(shell.stdout), text(shell.stderr)])).join("");
  };
  expect(await offer(`http://127.0.0.1:${port}`)).toBe("latest 1d0e4327 custom\n");
  app.close();
  expect(asked).toEqual(["/backups?kind=backup&limit=50"]);
  expect(await offer("http://127.0.0.1:9")).toBe("latest\n");
});

/** What asks for run ids where a command takes one, and by which call; the shells are on few machines. */
it.each<[string, (command: string) => string, string]>([
  [
    "zsh",
    (command) => `'1:${command}: _site_backup_runs ${command}'`,
    "site-backup complete-runs $1 2>/dev/null",
  ],
  [
    "fish",
    (command) => `_from ${command}' -a 'latest (site-backup complete-runs ${command} `,
    "2>/dev/null)'",
  ],
])("%s asks as bash does for the runs that each command takes", async (shell, asking, call) => {
  const script = scripts.get(shell) ?? "";
  const { stdout: help } = await run(["--help"]);
  const taking = [...help.matchAll(/^ {2}(\w+) .*[<[]run[>\]]/gm)].map(([, command = ""]) => command);
  expect(taking).toEqual(expect.arrayContaining(["restore", "verify", "show", "ls", "cat", "get"]));
  for (const command of taking) expect(script).toContain(asking(command));
  expect(script).toContain(call);
});

function scriptOf(shell: string): string {
  const file = path.join(folder, `site-backup.${shell}`);
  writeFileSync(file, scripts.get(shell) ?? "");
  return file;
}

describe.each(SHELLS)("the script for %s", (shell) => {
  const missing = spawnSync(shell, ["-c", "true"]).error !== undefined;

  it.skipIf(missing)(
    `is one that it can read${missing ? ` (skipped: ${shell} is not installed)` : ""}`,
    () => {
      const { status, stderr } = spawnSync(shell, ["-n", scriptOf(shell)], { encoding: "utf8" });
      expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    },
  );

  it("knows every command and option", async () => {
    const script = scripts.get(shell) ?? "";
    for (const word of ["backup", "verify", "read-data", "dry-run", "stats"]) expect(script).toContain(word);
    const { stdout } = await run(["completion", shell, "--json"]);
    expect(objects(stdout)).toEqual([{ type: "completion", shell, script }]);
  });
});
