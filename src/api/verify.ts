import type { Opening } from "../ledger/runs.ts";
import { openingOf } from "../manifest/open-source.ts";
import { parseVerifyRequest } from "../verify/request.ts";
import { HttpProblem } from "./problem.ts";
import { findSource } from "./restore.ts";
import type { Start } from "./start-context.ts";

export async function prepareVerify(body: unknown, start: Start): Promise<Opening> {
  const parsed = parseVerifyRequest(body);
  if (!parsed.ok) throw new HttpProblem(400, parsed.problem);
  return openingOf(await findSource(parsed.value, start), { kind: "verify" });
}
