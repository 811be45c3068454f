/** Announces an event to screen readers; for turning points, not for every number that changes. */
export function announce(text: string): void {
  const region = document.querySelector("#announcer");
  if (region && region.textContent !== text) region.textContent = text;
}
