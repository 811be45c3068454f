/** As the extension: JSON where it is JSON, else the text itself (an error, a terminate reason). */
export function toJson(text: string | null): unknown {
  if (text === null) return null;
  if (text.trim() === "") return "";
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
