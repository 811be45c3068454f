/** Takes keys out of a line: the Durable API's `code`, a SAS's `sig`, an account key. */
export function redact(line: string): string {
  return line
    .replace(/([?&]code=)[^&\s"'\\]+/gi, "$1***")
    .replace(/([?&](?:amp;)?sig=)[^&\s"'\\]+/gi, "$1***")
    .replace(/(AccountKey=)[^;\s"']+/gi, "$1***")
    .replace(/(SharedAccessSignature=)[^;\s"']+/gi, "$1***");
}
