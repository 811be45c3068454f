import { spawnSync } from "node:child_process";

/** What a program prints when it is asked with `args`; undefined when it is not installed or does not run. */
export function printed(program: string, args: readonly string[]): string | undefined {
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: "utf8", timeout: 20_000 });
  return status === 0 ? `${stdout}${stderr}`.trim() : undefined;
}

export function installed(program: string, args: readonly string[]): boolean {
  return printed(program, args) !== undefined;
}
