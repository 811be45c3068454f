/** Errors as answers: what is not the caller's doing is told in general, and shows no secret. */
import { RestError } from "@azure/storage-blob";
import type { InvocationContext } from "@azure/functions";
import { describe, expect, it } from "vitest";
import { HttpProblem, problemResponse } from "../../src/api/problem.ts";

const SECRET = "c2VjcmV0LWtleQ==";

function answerTo(error: unknown) {
  const logged: unknown[] = [];
  const context = {
    invocationId: "the-invocation",
    error: (...args: unknown[]) => logged.push(...args),
  } as unknown as InvocationContext;
  const response = problemResponse(error, context);
  return {
    response,
    body: JSON.parse(response.body as string) as Record<string, unknown>,
    logged: logged.join("\n"),
  };
}

describe("an error as an answer", () => {
  it("that is the caller's: the status, the detail, and nothing in the log", () => {
    const { response, body, logged } = answerTo(new HttpProblem(409, "Wait.", { activeRun: "r" }));
    expect(response).toMatchObject({ status: 409, headers: { "Content-Type": "application/problem+json" } });
    expect(body).toEqual({
      type: "about:blank",
      title: "Conflict",
      status: 409,
      detail: "Wait.",
      activeRun: "r",
    });
    expect(logged).toBe("");
  });

  it("of storage: 503, with what to do", () => {
    const refused = new RestError("no", { statusCode: 403, code: "AuthenticationFailed" });
    const { body } = answerTo(refused);
    expect(body).toMatchObject({ status: 503, detail: expect.stringMatching(/refused.*key or SAS/) });
    const gone = new RestError("connect ECONNREFUSED", { code: "REQUEST_SEND_ERROR" });
    expect(answerTo(gone).body).toMatchObject({
      status: 503,
      detail: expect.stringMatching(/not be reached/),
    });
  });

  it("of the durable client's call to its host: 503, and not told as storage's", () => {
    const reset = Object.assign(new Error("socket hang up"), { isAxiosError: true, code: "ECONNRESET" });
    const { body, logged } = answerTo(reset);
    expect(body).toMatchObject({
      status: 503,
      detail: expect.stringMatching(/host did not answer.*ECONNRESET/),
    });
    expect(`${JSON.stringify(body)} ${logged}`).not.toContain("torage");
  });

  it("that nobody expected: 500 in general, with where to look; the log has it without secrets", () => {
    const { body, logged } = answerTo(new Error(`broken: AccountKey=${SECRET};x`));
    expect(body).toMatchObject({ status: 500, invocationId: "the-invocation" });
    expect(JSON.stringify(body)).not.toContain("broken");
    expect(logged).toContain("broken");
    expect(logged).not.toContain(SECRET);
  });
});
