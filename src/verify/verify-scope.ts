import type { Place } from "../store/store.ts";

/** Where a verification reads. Activities get it from the orchestration, never from a record. */
export type VerifyScope = Place;

export function verifyScope({ container, prefix, layout }: Place): VerifyScope {
  return { container, prefix, layout };
}
