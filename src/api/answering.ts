import azureFunctions from "@azure/functions";
import type {
  HttpHandler,
  HttpRequest,
  HttpResponse,
  HttpResponseInit,
  InvocationContext,
} from "@azure/functions";
import { problemResponse } from "./problem.ts";
import { refuseLargeBody } from "./read-body.ts";

/**
 * Wraps a handler: errors become `application/problem+json`, and every answer says nosniff, because the names and
 * reasons in it are untrusted.
 */
export function answering(
  handler: (request: HttpRequest, context: InvocationContext) => Promise<HttpResponseInit | HttpResponse>,
): HttpHandler {
  return async (request, context) => {
    const response = await answer(handler, request, context);
    response.headers.set("X-Content-Type-Options", "nosniff");
    return response;
  };
}

async function answer(
  handler: Parameters<typeof answering>[0],
  request: HttpRequest,
  context: InvocationContext,
): Promise<HttpResponse> {
  try {
    refuseLargeBody(request);
    const answered = await handler(request, context);
    return answered instanceof azureFunctions.HttpResponse
      ? answered
      : new azureFunctions.HttpResponse(answered);
  } catch (error) {
    return new azureFunctions.HttpResponse(problemResponse(error, context));
  }
}
