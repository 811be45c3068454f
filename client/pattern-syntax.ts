/** How patterns are written, in short: for `--help` and the dashboard. docs/reference/patterns.md has all of it. */
export const PATTERN_SYNTAX = [
  ["*.log", "names that end in .log, in any directory"],
  ["cache", "files and directories of this name, with all that is below"],
  ["cache/", "directories only"],
  ["/cache", "not in subdirectories"],
  ["images/2026", "a path: with a / in it, a pattern begins at the root"],
  ["images/**/*.jpg", "** stands for any number of directories"],
  ["?  [a-z]  [!a-z]", "one character"],
] as const;
