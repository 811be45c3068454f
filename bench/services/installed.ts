import { spawnSync } from "node:child_process";

/** A program's output for `args`; undefined if it is not installed or does not run. */
export function printed(program: string, args: readonly string[]): string | undefined {
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: "utf8", timeout: 20_000 });
  return status === 0 ? `${stdout}${stderr}`.trim() : undefined;
}

export function installed(program: string, args: readonly string[]): boolean {
  return printed(program, args) !== undefined;
}
