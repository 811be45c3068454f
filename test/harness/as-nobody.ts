/** The user that the tests step down to where the app is not to be root, whom no mode binds. */
export const NOBODY = 65534;

/** Does something as that user; as whoever runs the tests where that is not root. */
export async function asNobody<T>(work: () => Promise<T>): Promise<T> {
  const isRoot = process.geteuid?.() === 0;
  if (isRoot) process.seteuid?.(NOBODY);
  try {
    return await work();
  } finally {
    if (isRoot) process.seteuid?.(0);
  }
}
