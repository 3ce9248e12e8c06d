import type { NTSTATUS } from '../../kernel/index.ts';

/** What the client uses of a process (see `UserProcess` of the kernel); all at PASSIVE_LEVEL. Failures throw an NtError. */
export interface ClientProcess {
  /** With `rootHandle`, `path` is relative to that file. */
  createFile(path: string, rootHandle?: number | null): number;
  closeHandle(handle: number): void;
  /** Sends the request and waits until it is completed; the output is written into `output`. */
  deviceIoControl(
    handle: number,
    ioControlCode: number,
    input: Uint8Array | null,
    output: Uint8Array | null,
  ): { readonly status: NTSTATUS; readonly information: number };
  createEvent(type: 'NotificationEvent' | 'SynchronizationEvent'): number;
  /** Calls `callback` once, from the machine's outermost loop, when the event is signalled; `arm()` waits again. */
  whenSignaled(handle: number, callback: () => void): { arm(): void; cancel(): void };
  readMemory(address: number, into: Uint8Array): void;
  writeMemory(address: number, from: Uint8Array): void;
  /** The bytes themselves, where the machine can give them; null otherwise. */
  memoryView(address: number, length: number): Uint8Array | null;
}
