import { type NTSTATUS, ntStatusName } from './ntstatus.ts';

// Capturing a stack costs microseconds, and a status that says "no" is an everyday answer (size queries, NOT_IMPLEMENTED from
// every second property). V8 reads the limit at construction; other engines ignore it.
const stackControl: { stackTraceLimit?: number; readonly prototype: Error } = Error;

/**
 * The failure of a DDI: what would be the NTSTATUS return value. The IRP boundary turns it into the IRP's status. It carries no
 * stack unless {@link NtError.captureStacks} is on.
 */
export class NtError extends Error {
  /** Set to true while hunting the origin of a status: every NtError made from then on carries its stack. */
  static captureStacks = false;

  readonly status: NTSTATUS;
  override readonly name = 'NtError';

  constructor(status: NTSTATUS, message?: string) {
    const limit = stackControl.stackTraceLimit;
    if (!NtError.captureStacks) stackControl.stackTraceLimit = 0;
    super(message === undefined ? ntStatusName(status) : `${ntStatusName(status)}: ${message}`);
    if (limit !== undefined) stackControl.stackTraceLimit = limit;
    this.status = status;
  }
}

/** The status of a failure: that of an NtError; anything else is thrown on, since it is no answer but a bug. */
export function statusOfError(error: unknown): NTSTATUS {
  if (error instanceof NtError) return error.status;
  throw error;
}
