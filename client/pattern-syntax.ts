/** The pattern syntax in short, for `--help` and the dashboard. docs/reference/patterns.md has all of it. */
export const PATTERN_SYNTAX = [
  ["*.log", "names that end in .log, in any directory"],
  ["cache", "files and directories with this name, and everything below"],
  ["cache/", "directories only"],
  ["/cache", "not in subdirectories"],
  ["images/2026", "a path: a pattern with a / in it starts at the root"],
  ["images/**/*.jpg", "** matches any number of directories"],
  ["?  [a-z]  [!a-z]", "one character"],
] as const;
