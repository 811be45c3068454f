/** The running function, wherever its code has got to: what it prints is logged under its name. */
import { AsyncLocalStorage } from "node:async_hooks";

export interface InvocationName {
  functionName: string;
  invocationId: string;
}

const current = new AsyncLocalStorage<InvocationName>();

export function withInvocation<T>(name: InvocationName, run: () => T): T {
  return current.run(name, run);
}

export function currentInvocation(): InvocationName | undefined {
  return current.getStore();
}
