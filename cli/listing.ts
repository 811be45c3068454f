import { joinPath, parsePath } from "../src/model/path.ts";
import type { TreeEntry, TreePage } from "../client/answers.ts";
import { Refusal } from "./failure.ts";
import { err } from "./print.ts";
import type { Session } from "./session.ts";

/** The largest page to ask the app for. */
const PAGE = 10_000;

/** Something at a path of a backup. Paths are escaped, and relative to the backup's root. */
export interface Found {
  path: string;
  /** Something in the path is escaped. */
  escaped?: true | undefined;
  entry: TreeEntry;
  /** It is the requested path itself, and not a directory. */
  itself?: true;
}

/** What a backup has at a path: the names in a directory, or all below it; a file or link itself. */
export class Listing implements AsyncIterable<Found> {
  readonly #session: Session;
  readonly #run: string;
  readonly #path: string;
  readonly #recursive: boolean;
  readonly #warned = new Set<string>();
  /** What has been listed so far. */
  readonly listed = { files: 0, bytes: 0, complete: false };
  /** What is known of the directory itself, once something was listed. */
  own: Pick<TreePage, "mtime" | "mode"> | undefined;

  constructor(session: Session, run: string, path = "", recursive = false) {
    this.#session = session;
    this.#run = run;
    this.#path = path;
    this.#recursive = recursive;
  }

  /** Whether names may be missing, because records of the backup are damaged. Each was named on standard error. */
  get isIncomplete(): boolean {
    return this.#warned.size > 0;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Found> {
    const { api, interruption } = this.#session;
    const query = { path: this.#path, limit: String(PAGE), recursive: String(this.#recursive) };
    let continuation: string | undefined;
    do {
      interruption.signal.throwIfAborted();
      let page;
      try {
        page = await api.tree(this.#run, { ...query, continuation });
      } catch (error) {
        const entry = error instanceof Refusal && (error.problem["entry"] as TreeEntry | undefined);
        if (!entry) throw error;
        this.#count({ entries: [entry] });
        const escaped = parsePath(this.#path) === this.#path ? undefined : true;
        yield { path: this.#path, escaped, entry, itself: true };
        return;
      }
      this.#warn(page.damaged ?? []);
      this.#count(page);
      this.own ??= { mtime: page.mtime, mode: page.mode };
      for (const entry of page.entries)
        yield { path: joinPath(page.path, entry.name), escaped: page.escaped ?? entry.escaped, entry };
      ({ continuation } = page);
    } while (continuation !== undefined);
  }

  #count({ entries, continuation }: Pick<TreePage, "entries" | "continuation">): void {
    this.listed.files += entries.length;
    this.listed.bytes += entries.reduce((sum, { size }) => sum + size, 0);
    this.listed.complete = continuation === undefined;
  }

  #warn(damaged: readonly { record: string; reason: string }[]): void {
    for (const { record, reason } of damaged) {
      const warning = `Names may be missing: the record ${record} is damaged: ${reason}.`;
      if (!this.#warned.has(warning)) err(warning);
      this.#warned.add(warning);
    }
  }
}

/** Whether a name is in the backup, and not only known to it. */
export function isBackedUp({ outcome }: TreeEntry): boolean {
  return outcome === undefined || outcome === "copied" || outcome === "unchanged";
}
