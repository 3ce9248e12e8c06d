import type { NTSTATUS } from '../kernel/index.ts';
import { NtError, ntStatusName } from '../kernel/index.ts';

/** What a client could not do, why, and what helps, as sentences for people. */
export class ClientError extends Error {
  override readonly name = 'ClientError';
  /** Status that a driver or the kernel gave; null when the client itself refuses. */
  readonly status: NTSTATUS | null;

  constructor(message: string, status: NTSTATUS | null = null, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.status = status;
  }
}

/** Hints by status name; what a person can do about it. */
const REMEDIES: Readonly<Record<string, string>> = {
  STATUS_NO_MATCH: 'The driver does not take this format; choose another one.',
  STATUS_INVALID_PARAMETER: 'The driver refuses a value of the request; look at its trace for which.',
  STATUS_NOT_SUPPORTED: 'The driver does not have this feature; use another mode.',
  STATUS_NOT_FOUND: 'The driver does not handle this property here; check its automation tables.',
  STATUS_PROPSET_NOT_FOUND: 'The driver does not handle this property set here; check its automation tables.',
  STATUS_INSUFFICIENT_RESOURCES:
    'All instances or buffers are in use; close other streams or ask for a smaller buffer.',
  STATUS_DEVICE_BUSY: 'Another stream holds the device; close it first.',
  STATUS_DEVICE_NOT_READY: 'The device is not ready; start it, or wait until it is.',
  STATUS_OBJECT_NAME_NOT_FOUND: 'No device has this name; list the endpoints again.',
  STATUS_NO_SUCH_DEVICE: 'The device is gone; plug it in again.',
  STATUS_DEVICE_REMOVED: 'The device was removed while it was in use; plug it in again.',
  STATUS_DELETE_PENDING: 'The device is being removed; open it again when it is back.',
  STATUS_INVALID_DEVICE_REQUEST: 'The driver does not handle this request; check its dispatch tables.',
  STATUS_INVALID_DEVICE_STATE: 'The stream is in the wrong state for this; look at the order of requests.',
  STATUS_IO_DEVICE_ERROR: 'The device reports an error; look at the trace for the register that showed it.',
};

/** A {@link ClientError} for a request that ended with a status: what was tried, the status by name, a remedy. */
export function statusError(what: string, status: NTSTATUS, cause?: unknown): ClientError {
  const name = ntStatusName(status);
  const detail =
    cause instanceof Error && cause.message !== '' && cause.message !== name ? ` (${cause.message})` : '';
  const remedy = REMEDIES[name];
  return new ClientError(
    `${what}: ${name}${detail}.${remedy === undefined ? '' : ` ${remedy}`}`,
    status,
    cause,
  );
}

/** Runs `action`; an NtError it throws becomes a {@link ClientError} that begins with `what`. */
export function explained<T>(what: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    if (error instanceof NtError) throw statusError(what, error.status, error);
    throw error;
  }
}
