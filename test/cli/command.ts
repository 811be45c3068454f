/** Runs the command line as a real process, as a person would. */
import { spawn, type ChildProcess } from "node:child_process";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";
import { JSON_LINES, type JsonType } from "../../cli/json-lines.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

export interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

export interface Running {
  child: ChildProcess;
  /** Resolves when standard output and error together match. */
  until(pattern: RegExp): Promise<void>;
  ended: Promise<Ended>;
}

/** Starts `site-backup ARGS`. The build is what is run: it is what starts the local host. */
export function start(
  args: string[],
  {
    env = {},
    cwd,
    input,
    output,
  }: {
    env?: Record<string, string | undefined>;
    cwd?: string;
    /** For standard input. */
    input?: string;
    /** A file that gets standard output. */
    output?: number;
  } = {},
): Running {
  const child = spawn(process.execPath, [path.join(ROOT, "dist/cli/main.js"), ...args], {
    cwd,
    // npm_command says that npm runs it, as it runs the tests.
    env: {
      ...process.env,
      SITE_BACKUP_URL: undefined,
      SITE_BACKUP_KEY: undefined,
      npm_command: undefined,
      ...env,
    },
    stdio: ["pipe", output ?? "pipe", "pipe"],
  });
  child.stdin?.end(input);
  let stdout = "";
  let stderr = "";
  const waiting = new Set<() => void>();
  const take = (stream: "stdout" | "stderr") => (text: string) => {
    if (stream === "stdout") stdout += text;
    else stderr += text;
    for (const look of waiting) look();
  };
  child.stdout?.setEncoding("utf8").on("data", take("stdout"));
  child.stderr?.setEncoding("utf8").on("data", take("stderr"));
  const ended = new Promise<Ended>((resolve) =>
    child.once("close", (code) => resolve({ code, stdout, stderr })),
  );
  return {
    child,
    ended,
    until: (pattern) =>
      new Promise((resolve, reject) => {
        const look = () => {
          if (!pattern.test(`${stdout}\n${stderr}`)) return;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        look();
        void ended.then(() => reject(new Error(`ended before it said ${pattern}: ${stdout}${stderr}`)));
      }),
  };
}

export async function run(args: string[], options: Parameters<typeof start>[1] = {}): Promise<Ended> {
  return await start(args, options).ended;
}

/** The objects of --json; fails where a line is none, or has a type or a field that the reference does not tell of. */
export function objects(stdout: string): Record<string, unknown>[] {
  return stdout
    .trimEnd()
    .split("\n")
    .map((line) => {
      const { type, ...fields } = JSON.parse(line) as Record<string, unknown>;
      const described = JSON_LINES[type as JsonType]?.fields;
      expect(described, `--json type ${String(type)}`).toBeDefined();
      expect(Object.keys(described)).toEqual(expect.arrayContaining(Object.keys(fields)));
      return { type, ...fields };
    });
}

/** What a command says on stderr but for its progress, of which there is a line for each five seconds that it takes. */
export function besidesProgress(stderr: string): string {
  return stderr.replace(/^(?:listing …|[\d,]+ of [\d,]+ files?\b.*)\n/gm, "");
}
