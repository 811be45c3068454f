/** What the form asks of a restore. */
export interface RestoreRequest {
  run: string;
  to: string;
  overwrite: string;
  include: string[];
  exclude: string[];
  delete: boolean;
}
