import type { TreeEntry } from "../client/answers.ts";

const KINDS: Readonly<Record<TreeEntry["kind"], string>> = {
  file: "-",
  link: "l",
  directory: "d",
  other: "?",
};

/** Kind and permissions as ls shows them: drwxr-xr-x. */
export function modeText(kind: TreeEntry["kind"], mode: number): string {
  const letters = ["s", "s", "t"].map((mark, index) => {
    const bits = mode >> (6 - 3 * index);
    const isSpecial = (mode & (0o4000 >> index)) !== 0;
    const execute = isSpecial ? (bits & 1 ? mark : mark.toUpperCase()) : bits & 1 ? "x" : "-";
    return `${bits & 4 ? "r" : "-"}${bits & 2 ? "w" : "-"}${execute}`;
  });
  return `${KINDS[kind]}${letters.join("")}`;
}
