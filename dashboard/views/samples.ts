/** How much was done by a given time. */
interface Sample {
  /** Milliseconds since 1970. */
  at: number;
  files: number;
  bytes: number;
}

/** The pace between two refreshes; `at` in seconds since 1970, for the chart. */
export interface Rate {
  at: number;
  bytesPerSecond: number;
  filesPerSecond: number;
}

const MOST = 600;
/** The period over which the current rate is averaged, in milliseconds. */
const RECENT_MS = 8000;

/** The samples of a run's progress, kept for the session so that a reload does not lose the chart. */
export class Samples {
  readonly #name: string;
  #samples: Sample[];

  constructor(run: string) {
    this.#name = `site-backup.samples.${run}`;
    this.#samples = read(this.#name);
  }

  add({ files, bytes }: { files: number; bytes: number }): void {
    const last = this.#samples.at(-1);
    const at = Date.now();
    if (last && (at - last.at < 200 || files < last.files)) return;
    this.#samples.push({ at, files, bytes });
    // A long run is kept ever more coarsely.
    if (this.#samples.length > MOST)
      this.#samples = this.#samples.filter((_sample, index) => index % 2 === 0);
    try {
      sessionStorage.setItem(this.#name, JSON.stringify(this.#samples));
    } catch {
      // Storage is full: the chart then lives on this page only.
    }
  }

  rates(): Rate[] {
    return this.#samples.slice(1).flatMap((sample, index) => {
      const before = this.#samples[index];
      return before ? [rate(before, sample)] : [];
    });
  }

  recent(): Rate | undefined {
    const last = this.#samples.at(-1);
    const from = this.#samples.find(({ at }) => last !== undefined && last.at - at <= RECENT_MS);
    return last && from && from !== last ? rate(from, last) : undefined;
  }
}

function rate(from: Sample, to: Sample): Rate {
  const seconds = Math.max(0.001, (to.at - from.at) / 1000);
  return {
    at: to.at / 1000,
    bytesPerSecond: Math.max(0, to.bytes - from.bytes) / seconds,
    filesPerSecond: Math.max(0, to.files - from.files) / seconds,
  };
}

function read(name: string): Sample[] {
  try {
    return JSON.parse(sessionStorage.getItem(name) ?? "[]") as Sample[];
  } catch {
    return [];
  }
}
