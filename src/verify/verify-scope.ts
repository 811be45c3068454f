/** Where a verification reads: what its activities are given by the orchestration, and take from no record. */
export interface VerifyScope {
  container: string;
  prefix: string;
}

export function verifyScope({ container, prefix }: VerifyScope): VerifyScope {
  return { container, prefix };
}
