/** The account that every emulator has unless it is told another; its key stands in Microsoft's documentation. */
import { connectionString } from "../../local/storage/own-account.ts";

export const PUBLISHED_ACCOUNT = {
  name: "devstoreaccount1",
  key: "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==",
};

export function publishedAccountOn(port: number): string {
  return connectionString(PUBLISHED_ACCOUNT, port);
}
