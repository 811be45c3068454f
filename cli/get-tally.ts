import type { TreeEntry } from "../client/answers.ts";
import { bytes, duration, number } from "../client/words.ts";
import type { Take } from "./download.ts";
import { ExitCode } from "./failure.ts";
import type { Listing } from "./listing.ts";
import type { Written } from "./local-tree.ts";
import { err, out, outJson, paint } from "./print.ts";
import { createProgress, type ProgressView } from "./progress.ts";
import { row } from "./report.ts";
import type { CommonOptions } from "./session.ts";

/** Counts what `get` does, shows how it goes, and reports it. */
export class GetTally {
  readonly #options: CommonOptions;
  readonly #listing: Listing;
  readonly #view: ProgressView;
  readonly #began = performance.now();
  readonly #files = { written: 0, unchanged: 0, failed: 0 };
  #notInBackup = 0;
  #settled = { files: 0, bytes: 0 };
  #fetched = 0;

  private constructor(options: CommonOptions, listing: Listing, view: ProgressView) {
    this.#options = options;
    this.#listing = listing;
    this.#view = view;
  }

  static async start(options: CommonOptions, listing: Listing): Promise<GetTally> {
    return new GetTally(
      options,
      listing,
      await createProgress({ ...options, quiet: options.quiet || options.json, json: false }),
    );
  }

  add(path: string, { kind, size }: TreeEntry, outcome: Written): void {
    this.#settle(outcome === "unchanged" ? size : 0);
    if (kind !== "directory") this.#files[outcome]++;
    if (this.#options.json) outJson({ type: "got", path, kind, size, outcome });
  }

  fail(path: string, { kind, size }: TreeEntry, reason: string): void {
    this.#settle(0);
    this.#files.failed++;
    if (this.#options.json) outJson({ type: "got", path, kind, size, outcome: "failed", reason });
    else err(`${path}: ${reason}`);
  }

  notInBackup(): void {
    this.#settle(0);
    this.#notInBackup++;
  }

  /** The same, counting the bytes that arrive. */
  counting(take: Take): Take {
    return async (some) => {
      await take(some);
      this.#fetched += some.length;
      this.#settled.bytes += some.length;
      this.#show();
    };
  }

  close(): void {
    this.#view.close();
  }

  report(place: string): number {
    const { written, unchanged, failed } = this.#files;
    const elapsed = performance.now() - this.#began;
    if (!this.#options.json && !this.#options.quiet) {
      const counts = [
        ...(written === 0 && unchanged > 0 ? [] : [`${number(written)} written`]),
        ...(unchanged === 0 ? [] : [`${number(unchanged)} there already`]),
        ...(failed === 0 ? [] : [paint("red", `${number(failed)} failed`)]),
      ];
      out(row("Files", counts.join(", ")));
      if (this.#fetched > 0)
        out(row("Bytes", `${bytes(this.#fetched)} in ${duration(elapsed)}, ${bytes(this.#perSecond())}/s`));
      out(row("Into", place));
      const missing = this.#notInBackup;
      if (missing > 0)
        out(
          row(
            "Note",
            `${number(missing)} ${missing === 1 ? "name is" : "names are"} not in this backup; ls -l says why.`,
          ),
        );
    }
    if (failed === 0 && !this.#listing.isIncomplete) return ExitCode.done;
    return written + unchanged > 0 ? ExitCode.someFilesFailed : ExitCode.failed;
  }

  #settle(size: number): void {
    this.#settled.files++;
    this.#settled.bytes += size;
    this.#show();
  }

  #show(): void {
    const { listed } = this.#listing;
    const bytesPerSecond = this.#perSecond();
    const secondsLeft = (listed.bytes - this.#settled.bytes) / bytesPerSecond;
    this.#view.update({
      id: "",
      progress: {
        listed,
        settled: this.#settled,
        bytesPerSecond,
        filesPerSecond: 0,
        ...(listed.complete && Number.isFinite(secondsLeft) ? { secondsLeft } : {}),
      },
    });
  }

  #perSecond(): number {
    return this.#fetched / Math.max(0.001, (performance.now() - this.#began) / 1000);
  }
}
