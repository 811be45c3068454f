/** Where a verification reads. Activities get it from the orchestration, never from a record. */
export interface VerifyScope {
  container: string;
  prefix: string;
}

export function verifyScope({ container, prefix }: VerifyScope): VerifyScope {
  return { container, prefix };
}
