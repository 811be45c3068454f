/** The content of the page below the bar. */
export interface View {
  element: HTMLElement;
  /** Shows what the address's parameters say; called again when only they change. */
  show(query: URLSearchParams): void;
  /** It is no longer shown: stops everything it does. */
  dispose(): void;
}
