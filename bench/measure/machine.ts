import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { arch, availableParallelism, cpus, platform, totalmem } from "node:os";
import { printed } from "../services/installed.ts";

/** What the figures depend on beside the code; nothing that names the machine. */
export interface Machine {
  date: string;
  system: string;
  processor: string;
  cores: number;
  memoryGiB: number;
  /** By name: versions of what was measured. */
  versions: Record<string, string>;
}

const require = createRequire(import.meta.url);

export function describeMachine(): Machine {
  return {
    date: new Date().toISOString().slice(0, 10),
    system: `${platform()} ${arch()}`,
    processor: cpus()[0]?.model.trim() ?? "unknown",
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 1024 ** 3),
    versions: {
      node: process.version.slice(1),
      azurite: packageVersion("azurite/package.json"),
      "@azure/storage-blob": packageVersion("@azure/storage-blob/package.json"),
      ...programVersion("rclone", ["version"], /rclone v([\w.-]+)/),
      ...programVersion("restic", ["version"], /restic ([\w.-]+)/),
      ...programVersion("nginx", ["-v"], /nginx\/([\w.-]+)/),
    },
  };
}

function packageVersion(manifest: string): string {
  const { version } = JSON.parse(readFileSync(require.resolve(manifest), "utf8")) as { version: string };
  return version;
}

function programVersion(name: string, args: string[], pattern: RegExp): Record<string, string> {
  const version = pattern.exec(printed(name, args) ?? "")?.[1];
  return version === undefined ? {} : { [name]: version };
}
