/**
 * Permission bits that come back. The bits that run a program as its owner do not: the owner is not part of a backup,
 * and a program of one user must not come back as one that runs as another.
 */
export const PERMISSIONS = 0o777;

/** A time for utimes. Node takes a negative number for "now"; a Date of before 1970 it takes, to the millisecond. */
export function timeOf(microseconds: number): number | Date {
  return microseconds < 0 ? new Date(Math.floor(microseconds / 1000)) : microseconds / 1_000_000;
}
