/** Which storage settings mean the emulator, and how they name another port of it. */

export const EMULATOR_PORT = 10_000;
const SHORT_FORM = /^\s*UseDevelopmentStorage=true\s*;?\s*$/i;
const SETTINGS = ["AzureWebJobsStorage", "BackupStorage"];

/** The emulator's account; its key is published in Microsoft's documentation. */
export function emulatorConnectionString(port: number): string {
  const key = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";
  return (
    `DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey=${key};` +
    `BlobEndpoint=http://127.0.0.1:${port}/devstoreaccount1;`
  );
}

/**
 * Whether the environment's storage settings name the emulator on this port. With a port that is not the usual
 * one, settings in the short form are rewritten, so that the app finds it.
 */
export function usesEmulator(environment: NodeJS.ProcessEnv, port: number): boolean {
  let uses = false;
  for (const name of SETTINGS) {
    const value = environment[name] ?? "";
    if (SHORT_FORM.test(value)) {
      uses = true;
      if (port !== EMULATOR_PORT) environment[name] = emulatorConnectionString(port);
    } else if (
      new RegExp(`BlobEndpoint=http://(127\\.0\\.0\\.1|localhost):${port}/devstoreaccount1`, "i").test(value)
    ) {
      uses = true;
    }
  }
  return uses;
}
