/** QEMU is missing, too old, did not start, or ended in the middle of a run. The text says which, and what to do. */
export class QemuError extends Error {
  /** True when installing or updating QEMU is the remedy. */
  readonly missing: boolean;

  constructor(message: string, options: { readonly missing?: boolean; readonly cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'QemuError';
    this.missing = options.missing ?? false;
  }
}
