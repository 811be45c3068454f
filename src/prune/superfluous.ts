import type { Content } from "./list-contents.ts";
import type { Needs } from "./needs.ts";

/**
 * Which contents of one name can go. What stays:
 * - all of a name that is in no backup's manifest, and what has not the marks of a backup: the product did not write it;
 * - one of each content that a run which stays needs, by its MD5, the blob itself before a snapshot or version of it;
 * - what has lost its MD5 (others set its headers), as long as a run which stays needs anything of the name;
 * - what a run that stays wrote, though its manifest does not name it: activities of a run that was ended from outside
 *   may record it yet;
 * - where such activities may be at work, the blob itself: they may have found it unchanged;
 * - a blob whose snapshots stay: it cannot be deleted without them.
 * @param contents of one name
 * @param staying ids of the runs that stay
 * @returns snapshots and versions first, then the blob itself
 */
export function superfluous(
  contents: readonly Content[],
  needs: Needs,
  { staying, lingering }: { staying: ReadonlySet<string>; lingering: boolean },
): Content[] {
  const [first] = contents;
  if (!first || !needs.has(first.name)) return [];
  const satisfied = new Set<string | undefined>();
  const isSuperfluous = ({ name, md5, run, etag }: Content): boolean => {
    if (run === undefined) return false;
    const isNeeded = needs.needs(name, md5);
    if (isNeeded && md5 === undefined) return false;
    if (isNeeded && !satisfied.has(md5)) {
      satisfied.add(md5);
      return false;
    }
    if (etag !== undefined && lingering) return false;
    return isNeeded || !staying.has(run);
  };
  const current = contents.filter(({ etag }) => etag !== undefined);
  const older = contents.filter(({ etag }) => etag === undefined);
  const currentGoes = current.filter(isSuperfluous);
  const olderGo = older.filter(isSuperfluous);
  const snapshotStays = older.some((content) => content.snapshot !== undefined && !olderGo.includes(content));
  return [...olderGo, ...(snapshotStays ? [] : currentGoes)];
}
