/**
 * Starts `work` on pieces in order, up to `most` concurrently.
 * @param work may await its turn: until all pieces before are done. The turn is false if one of them failed.
 * @throws the first error, once no work is running
 */
export async function inOrder<Piece>(
  pieces: Iterable<Piece>,
  most: number,
  work: (piece: Piece, turn: () => Promise<boolean>) => Promise<void>,
): Promise<void> {
  const underWay = new Set<Promise<void>>();
  let failure: { error: unknown } | undefined;
  let last = Promise.resolve();
  for (const piece of pieces) {
    if (failure) break;
    const before = last;
    const turn = async (): Promise<boolean> => {
      await before;
      return failure === undefined;
    };
    const done: Promise<void> = work(piece, turn)
      .catch((error: unknown) => void (failure ??= { error }))
      .finally(() => underWay.delete(done));
    underWay.add((last = done));
    while (underWay.size >= most) await Promise.race(underWay);
  }
  await Promise.all(underWay);
  if (failure) throw failure.error;
}
