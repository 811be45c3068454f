/** The most lanes that the large files of a part are divided among. */
export const LANES = 16;

/** The files of each lane: file `n` is in lane `n % LANES`. */
export function lanesOf<T>(files: readonly T[]): T[][] {
  return Array.from({ length: Math.min(LANES, files.length) }, (_none, lane) =>
    files.filter((_file, number) => number % LANES === lane),
  );
}
