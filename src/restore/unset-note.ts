import type { Tally } from "../model/outcome.ts";

/** What to say of files and directories that were restored without their mode or time. */
export function unsetNote({ unset = 0 }: Tally): string | undefined {
  if (unset === 0) return undefined;
  const which = unset === 1 ? "One file or directory was" : `${unset} files and directories were`;
  return `${which} restored without the recorded mode or time: the file system refused it. The outcome of each says more.`;
}
