/** Orchestrations that the large files of a part are shared among. */
export const LANES = 16;

/** The files of each lane; the file with the number `n` is in the lane `n % LANES`. */
export function lanesOf<T>(files: readonly T[]): T[][] {
  return Array.from({ length: Math.min(LANES, files.length) }, (_none, lane) =>
    files.filter((_file, number) => number % LANES === lane),
  );
}
