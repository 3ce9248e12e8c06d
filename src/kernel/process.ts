/** An application: its handles, its address space and its requests. */
import { BugcheckCode } from './bugcheck.ts';
import {
  DO_BUFFERED_IO,
  DO_DIRECT_IO,
  FILE_OBJECT,
  FO_HANDLE_CREATED,
  IRP_MJ_DEVICE_CONTROL,
  IRP_MJ_READ,
  IRP_MJ_WRITE,
  ioGetAttachedDevice,
} from './device.ts';
import { type EVENT_TYPE, KEVENT, keResetEvent, keSetEvent, keWaitForSingleObject } from './event.ts';
import type { CreateOptions } from './io-manager.ts';
import { describeIrp, type IRP, ioCallDriver, ioGetNextIrpStackLocation } from './irp.ts';
import { ioCancelIrp } from './irp-cancel.ts';
import { PASSIVE_LEVEL, requireIrql } from './irql.ts';
import type { Kernel } from './kernel.ts';
import { type MDL, PAGE_SIZE } from './mdl.ts';
import { NtError } from './nt-error.ts';
import {
  type NTSTATUS,
  ntError,
  STATUS_ACCESS_VIOLATION,
  STATUS_NO_MEMORY,
  STATUS_OBJECT_TYPE_MISMATCH,
  STATUS_PENDING,
  STATUS_PROCESS_IS_TERMINATING,
} from './ntstatus.ts';
import {
  type HANDLE,
  HandleTable,
  type KernelObject,
  obCreateObject,
  obDereferenceObject,
  obReferenceObject,
} from './object.ts';
import { SystemMapping } from './system-mapping.ts';
import { UserWait } from './wait.ts';

/** What a request came to. */
export interface IoResult {
  readonly status: NTSTATUS;
  /** Usually the bytes returned; 0 for a status that is an error. */
  readonly information: number;
}

/** An application's IO_STATUS_BLOCK is not filled in for errors: whatever a driver left in Information stays in the kernel. */
function informationFor(irp: IRP): number {
  return ntError(irp.ioStatus.status) ? 0 : irp.ioStatus.information;
}

/** A request under way; see {@link UserProcess.deviceIoControlAsync}. */
export interface PendingRequest {
  /** CancelIoEx: asks the driver to give it up. It still completes, with STATUS_CANCELLED unless the driver was faster. */
  cancel(): void;
}

/** A piece of the address space. */
interface Region {
  readonly base: number;
  readonly length: number;
  readonly mapping: SystemMapping;
  readonly pages: readonly number[];
  /** The MDL that is mapped here; null for memory of the process's own. */
  readonly mdl: MDL | null;
  locks: number;
  freed: boolean;
}

/** User addresses start above 4 GiB, so that code which keeps them in 32 bits is found out. */
const FIRST_USER_ADDRESS = 0x1_0001_0000;
/** Allocation granularity of 64-bit Windows. */
const GRANULARITY = 0x1_0000;

/**
 * An application of the machine. Its methods are called from outside the kernel or from user-mode continuations, at
 * PASSIVE_LEVEL; they enter the kernel themselves. A request that a driver pends makes the machine run until it completes.
 */
export class UserProcess implements Disposable {
  readonly kernel: Kernel;
  readonly name: string;
  readonly #handles = new HandleTable<KernelObject>();
  readonly #regions: Region[] = [];
  readonly #pendingIrps = new Set<IRP>();
  /** What is left to do of requests that drivers have completed, before the application learns of it. */
  readonly #completions = new Set<() => void>();
  #nextAddress = FIRST_USER_ADDRESS;
  #terminated = false;

  constructor(kernel: Kernel, name: string) {
    this.kernel = kernel;
    this.name = name;
  }

  get isTerminated(): boolean {
    return this.#terminated;
  }

  /** Open handles. */
  get handleCount(): number {
    return this.#handles.size;
  }

  // ---- files

  /**
   * CreateFile: opens a device by a path as applications write it (`\\.\name`, `\\?\…#{guid}\Wave`, or a kernel path), or, with
   * `rootHandle`, a name relative to that file, taken as it is (KS pins and nodes: `{GUID}\` and binary data as UTF-16 code units).
   * Throws STATUS_OBJECT_NAME_NOT_FOUND, STATUS_NO_SUCH_DEVICE, or what the driver answered.
   */
  createFile(path: string, rootHandle: HANDLE | null = null, options: CreateOptions = {}): HANDLE {
    return this.#enter(() => {
      const related = rootHandle === null ? null : this.#file(rootHandle);
      const name = related === null ? path.replace(/^\\\\[.?]\\/, '\\??\\') : path;
      const file = this.kernel.io.openFile(name, related, this, options);
      file.flags |= FO_HANDLE_CREATED;
      file.handleCount = 1;
      return this.#handles.insert(file);
    });
  }

  /** CloseHandle. The last handle of a file sends IRP_MJ_CLEANUP, the last reference IRP_MJ_CLOSE. Throws STATUS_INVALID_HANDLE. */
  closeHandle(handle: HANDLE): void {
    this.#enter(() => this.#close(handle));
  }

  #close(handle: HANDLE): void {
    const object = this.#handles.remove(handle);
    if (object instanceof FILE_OBJECT) {
      object.handleCount--;
      if (object.handleCount === 0) this.kernel.io.cleanupFile(object);
    }
    obDereferenceObject(object);
    // Nobody's driver code is on the stack here: a device that waited for its last handle may go now.
    if (this.kernel.currentDriver === null) this.kernel.pnp.processQueuedRemovals();
  }

  /** DuplicateHandle within the process. Throws STATUS_INVALID_HANDLE. */
  duplicateHandle(handle: HANDLE): HANDLE {
    return this.#enter(() => {
      const object = this.#handles.get(handle);
      obReferenceObject(object);
      if (object instanceof FILE_OBJECT) object.handleCount++;
      return this.#handles.insert(object);
    });
  }

  /**
   * ObReferenceObjectByHandle: the object behind a handle, with a reference that the caller drops. Throws STATUS_INVALID_HANDLE,
   * STATUS_OBJECT_TYPE_MISMATCH.
   */
  referenceObjectByHandle<T extends KernelObject>(
    handle: HANDLE,
    type: abstract new (...args: never[]) => T,
  ): T {
    const object = this.#handles.getOfType(handle, type);
    obReferenceObject(object);
    return object;
  }

  #file(handle: HANDLE): FILE_OBJECT {
    const object = this.#handles.get(handle);
    if (!(object instanceof FILE_OBJECT))
      throw new NtError(STATUS_OBJECT_TYPE_MISMATCH, `handle ${handle} is no file`);
    return object;
  }

  // ---- requests

  /**
   * DeviceIoControl: sends a control code with input and output buffers and waits for the answer. `output` is filled as the code's
   * method says; for METHOD_NEITHER the driver has the very arrays. Throws STATUS_INVALID_HANDLE, STATUS_OBJECT_TYPE_MISMATCH.
   */
  deviceIoControl(
    handle: HANDLE,
    ioControlCode: number,
    input: Uint8Array | null,
    output: Uint8Array | null,
  ): IoResult {
    // The way of every property request: one closure, no other detour.
    return this.kernel.enter(() => {
      if (this.kernel.processor.irql !== PASSIVE_LEVEL) this.#requirePassive();
      const irp = this.#newDeviceControl(this.#file(handle), ioControlCode, input, output);
      return this.#sendAndWait(irp, output);
    });
  }

  /**
   * DeviceIoControl with an OVERLAPPED: `completed` runs as a user-mode continuation when the request is done, also when that is at
   * once. Throws STATUS_INVALID_HANDLE, STATUS_OBJECT_TYPE_MISMATCH.
   */
  deviceIoControlAsync(
    handle: HANDLE,
    ioControlCode: number,
    input: Uint8Array | null,
    output: Uint8Array | null,
    completed: (status: NTSTATUS, information: number) => void,
  ): PendingRequest {
    return this.#enter(() => {
      const irp = this.#newDeviceControl(this.#file(handle), ioControlCode, input, output);
      return this.#sendAsync(irp, output, completed);
    });
  }

  /** ReadFile with a wait: fills `into`. Throws STATUS_INVALID_HANDLE, STATUS_OBJECT_TYPE_MISMATCH. */
  readFile(handle: HANDLE, into: Uint8Array, byteOffset = 0): IoResult {
    return this.#enter(() =>
      this.#sendAndWait(this.#newReadWrite(this.#file(handle), IRP_MJ_READ, into, byteOffset), into),
    );
  }

  /** WriteFile with a wait. Throws STATUS_INVALID_HANDLE, STATUS_OBJECT_TYPE_MISMATCH. */
  writeFile(handle: HANDLE, from: Uint8Array, byteOffset = 0): IoResult {
    return this.#enter(() =>
      this.#sendAndWait(this.#newReadWrite(this.#file(handle), IRP_MJ_WRITE, from, byteOffset), null),
    );
  }

  /** Requests that drivers hold. */
  get pendingRequestCount(): number {
    return this.#pendingIrps.size;
  }

  #newIrp(file: FILE_OBJECT, majorFunction: number): IRP {
    const irp = this.kernel.io.allocateIrp(ioGetAttachedDevice(file.deviceObject).stackSize);
    const stack = ioGetNextIrpStackLocation(irp);
    stack.majorFunction = majorFunction;
    stack.fileObject = file;
    irp.requestor = this;
    return irp;
  }

  #newDeviceControl(
    file: FILE_OBJECT,
    ioControlCode: number,
    input: Uint8Array | null,
    output: Uint8Array | null,
  ): IRP {
    const irp = this.#newIrp(file, IRP_MJ_DEVICE_CONTROL);
    this.kernel.io.setDeviceControlBuffers(irp, ioGetNextIrpStackLocation(irp), ioControlCode, input, output);
    return irp;
  }

  #newReadWrite(file: FILE_OBJECT, majorFunction: number, bytes: Uint8Array, byteOffset: number): IRP {
    const irp = this.#newIrp(file, majorFunction);
    const stack = ioGetNextIrpStackLocation(irp);
    stack.parameters.length = bytes.length;
    stack.parameters.byteOffset = byteOffset;
    const { flags } = ioGetAttachedDevice(file.deviceObject);
    if (bytes.length > 0 && (flags & DO_BUFFERED_IO) !== 0) {
      irp.systemBuffer = majorFunction === IRP_MJ_WRITE ? bytes.slice() : new Uint8Array(bytes.length);
    } else if (bytes.length > 0 && (flags & DO_DIRECT_IO) !== 0) {
      this.kernel.io.attachBounceBuffer(irp, bytes);
    } else {
      irp.userBuffer = bytes;
    }
    return irp;
  }

  #sendAndWait(irp: IRP, output: Uint8Array | null): IoResult {
    const { io } = this.kernel;
    const file = irp.locations[irp.currentLocation - 2]?.fileObject;
    if (file === undefined || file === null) throw new NtError(STATUS_OBJECT_TYPE_MISMATCH);
    const device = ioGetAttachedDevice(file.deviceObject);
    // The request keeps its file while it is under way.
    file.referenceCount++;
    const returned = ioCallDriver(device, irp);
    if (irp.state !== 'Completed') {
      if (returned !== STATUS_PENDING) io.neverCompleted(device, irp, returned);
      const event = new KEVENT('NotificationEvent', false, describeIrp(irp));
      irp.userEvent = event;
      this.#pendingIrps.add(irp);
      keWaitForSingleObject(event, null);
      this.#pendingIrps.delete(irp);
    }
    const { status } = irp.ioStatus;
    const information = informationFor(irp);
    io.returnOutput(irp, output);
    io.freeIrp(irp);
    obDereferenceObject(file);
    return { status, information };
  }

  #sendAsync(
    irp: IRP,
    output: Uint8Array | null,
    completed: (status: NTSTATUS, information: number) => void,
  ): PendingRequest {
    const { io } = this.kernel;
    const file = irp.locations[irp.currentLocation - 2]?.fileObject;
    if (file === undefined || file === null) throw new NtError(STATUS_OBJECT_TYPE_MISMATCH);
    const device = ioGetAttachedDevice(file.deviceObject);
    const { id } = irp;
    file.referenceCount++;
    this.#pendingIrps.add(irp);
    irp.onCompleted = (done) => {
      this.#pendingIrps.delete(done);
      const { status } = done.ioStatus;
      const information = informationFor(done);
      // May be at DISPATCH_LEVEL: what needs PASSIVE_LEVEL, and the application, come later.
      const finish = () => {
        if (!this.#completions.delete(finish)) return;
        io.returnOutput(done, output);
        io.freeIrp(done);
        obDereferenceObject(file);
      };
      this.#completions.add(finish);
      this.kernel.queueContinuation(() => {
        this.kernel.enter(finish);
        if (!this.#terminated) completed(status, information);
      });
    };
    const returned = ioCallDriver(device, irp);
    if (returned !== STATUS_PENDING && irp.id === id && irp.state === 'Allocated') {
      io.neverCompleted(device, irp, returned);
    }
    return {
      cancel: () => {
        this.kernel.enter(() => {
          if (irp.id === id && irp.state === 'Allocated') ioCancelIrp(irp);
        });
      },
    };
  }

  // ---- events

  /** CreateEvent: 'NotificationEvent' is reset by hand, 'SynchronizationEvent' by the wait that it ends. */
  createEvent(type: EVENT_TYPE = 'SynchronizationEvent', initialState = false): HANDLE {
    return this.#enter(() => {
      const name = `event of ${this.name}`;
      const event = obCreateObject(new KEVENT(type, initialState, name), 'KEVENT', name);
      return this.#handles.insert(event);
    });
  }

  /** SetEvent. Throws STATUS_INVALID_HANDLE, STATUS_OBJECT_TYPE_MISMATCH. */
  setEvent(handle: HANDLE): void {
    this.#enter(() => keSetEvent(this.#handles.getOfType(handle, KEVENT)));
  }

  /** ResetEvent. Throws STATUS_INVALID_HANDLE, STATUS_OBJECT_TYPE_MISMATCH. */
  resetEvent(handle: HANDLE): void {
    this.#enter(() => keResetEvent(this.#handles.getOfType(handle, KEVENT)));
  }

  /** Is the event signalled? Throws STATUS_INVALID_HANDLE, STATUS_OBJECT_TYPE_MISMATCH. */
  isSignaled(handle: HANDLE): boolean {
    return this.#handles.getOfType(handle, KEVENT).signalState > 0;
  }

  /**
   * A wait that does not block: `callback` runs once, as a user-mode continuation, after the event was signalled. `arm()` on the
   * result waits again, `cancel()` gives up. Throws STATUS_INVALID_HANDLE, STATUS_OBJECT_TYPE_MISMATCH.
   */
  whenSignaled(handle: HANDLE, callback: () => void): UserWait {
    return this.#enter(() => {
      const event = this.#handles.getOfType(handle, KEVENT);
      const wait = new UserWait(this.kernel, event, () => {
        if (!this.#terminated) callback();
      });
      wait.arm();
      return wait;
    });
  }

  // ---- memory

  /** VirtualAlloc: zeroed memory of the process's own, page-aligned; in RAM, so that drivers can lock it. Throws STATUS_NO_MEMORY. */
  allocateMemory(bytes: number): number {
    return this.#enter(() => {
      const { memory } = this.kernel;
      const pages = memory.allocatePages(Math.ceil(bytes / PAGE_SIZE));
      if (pages === null) throw new NtError(STATUS_NO_MEMORY, `${bytes} bytes`);
      const length = pages.length * PAGE_SIZE;
      const base = this.#reserve(length);
      const mapping = new SystemMapping(this.kernel.platform, pages, 0, length, base, null, false);
      this.#regions.push({ base, length, mapping, pages, mdl: null, locks: 0, freed: false });
      return base;
    });
  }

  /** VirtualFree of what {@link allocateMemory} returned. Pages that a driver has locked go when it unlocks them. */
  freeMemory(address: number): void {
    this.#enter(() => {
      const region = this.#regions.find((r) => r.base === address && r.mdl === null);
      if (region === undefined)
        throw new NtError(STATUS_ACCESS_VIOLATION, `no memory was allocated at ${hex(address)}`);
      this.#dropRegion(region);
    });
  }

  /** Copies from the process's address space. Throws STATUS_ACCESS_VIOLATION when a byte is not mapped. */
  readMemory(address: number, into: Uint8Array): void {
    this.#enter(() => {
      const region = this.#region(address, into.length);
      region.mapping.read(address - region.base, into);
    });
  }

  /** Copies into the process's address space. Throws STATUS_ACCESS_VIOLATION when a byte is not mapped. */
  writeMemory(address: number, from: Uint8Array): void {
    this.#enter(() => {
      const region = this.#region(address, from.length);
      region.mapping.write(address - region.base, from);
    });
  }

  /**
   * The bytes at an address without a copy; null when they are registers, not contiguous in RAM, or the machine gives no view.
   * Ask again after a buffer was freed and mapped anew. Throws STATUS_ACCESS_VIOLATION.
   */
  memoryView(address: number, length: number): Uint8Array | null {
    return this.#enter(() => {
      const region = this.#region(address, length);
      return region.mapping.view(address - region.base, length);
    });
  }

  /** See {@link mmMapMdlToProcess}. */
  mapMdl(mdl: MDL): number {
    if (this.#terminated) throw new NtError(STATUS_PROCESS_IS_TERMINATING, this.name);
    if (mdl.freed) {
      this.kernel.bugcheck(
        BugcheckCode.MEMORY_MANAGEMENT,
        [0x1, mdl.pages[0] ?? 0, 0, 0],
        'MmMapLockedPagesSpecifyCache: the MDL has been freed.',
      );
    }
    const base = this.#reserve(mdl.byteOffset + mdl.byteCount) + mdl.byteOffset;
    const mapping = new SystemMapping(
      this.kernel.platform,
      mdl.pages,
      mdl.byteOffset,
      mdl.byteCount,
      base,
      mdl,
      mdl.kind === 'IoSpace',
    );
    this.#regions.push({
      base,
      length: mdl.byteCount,
      mapping,
      pages: mdl.pages,
      mdl,
      locks: 0,
      freed: false,
    });
    mdl.processMappings++;
    return base;
  }

  /** See {@link mmUnmapFromProcess}. */
  unmapMdl(address: number, mdl: MDL): void {
    const region = this.#regions.find((r) => r.base === address && r.mdl === mdl);
    if (region === undefined) {
      this.kernel.bugcheck(
        BugcheckCode.MEMORY_MANAGEMENT,
        [0x2, address, 0, 0],
        `MmUnmapLockedPages: nothing of this MDL is mapped at ${hex(address)} in process '${this.name}'.`,
      );
    }
    this.#dropRegion(region);
  }

  /** See {@link mmProbeAndLockPages}. */
  lockPages(address: number, byteCount: number): MDL {
    const region = this.#region(address, byteCount);
    const offset = address - region.base + (region.mapping.physicalAddress(0) % PAGE_SIZE);
    const first = Math.floor(offset / PAGE_SIZE);
    const pages = region.pages.slice(first, Math.ceil((offset + byteCount) / PAGE_SIZE));
    const mdl = this.kernel.memory.newMdl('LockedUser', pages, byteCount, offset % PAGE_SIZE);
    region.locks++;
    mdl.unlock = () => {
      region.locks--;
      if (region.freed && region.locks === 0) this.#releaseRegion(region);
    };
    return mdl;
  }

  #reserve(bytes: number): number {
    const base = this.#nextAddress;
    // One granule more: running off the end of a buffer must not meet the next one.
    this.#nextAddress += (Math.ceil(bytes / GRANULARITY) + 1) * GRANULARITY;
    return base;
  }

  #region(address: number, length: number): Region {
    // Addresses only grow, so the list is in order.
    const regions = this.#regions;
    let low = 0;
    let high = regions.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((regions[middle]?.base ?? 0) <= address) low = middle;
      else high = middle - 1;
    }
    const region = regions[low];
    if (region !== undefined && address >= region.base && address + length <= region.base + region.length) {
      return region;
    }
    throw new NtError(
      STATUS_ACCESS_VIOLATION,
      `${length} bytes at ${hex(address)} are not mapped in process '${this.name}'`,
    );
  }

  #dropRegion(region: Region): void {
    this.#regions.splice(this.#regions.indexOf(region), 1);
    region.freed = true;
    if (region.locks === 0) this.#releaseRegion(region);
  }

  #releaseRegion(region: Region): void {
    region.mapping.invalidate();
    if (region.mdl === null)
      this.kernel.memory.releasePages(region.pages, `memory of process '${this.name}'`);
    else region.mdl.processMappings--;
  }

  // ---- end

  /**
   * TerminateProcess: cancels requests, closes all handles, frees the memory. Bugcheck PROCESS_HAS_LOCKED_PAGES when a driver left
   * pages locked; a mapping or a request that a driver left behind is a finding. On a stopped machine nothing is left to do.
   */
  terminate(): void {
    if (this.#terminated) return;
    if (this.kernel.stopped !== null) {
      this.#terminated = true;
      return;
    }
    this.#enter(() => {
      this.#terminated = true;
      for (const irp of [...this.#pendingIrps]) if (irp.state === 'Allocated') ioCancelIrp(irp);
      for (const handle of this.#handles.handles().reverse()) this.#close(handle);
      // Nobody will hear of these any more, but each still keeps its file open.
      for (const finish of [...this.#completions]) finish();
      if (this.#pendingIrps.size > 0) {
        for (const irp of this.#pendingIrps) {
          this.kernel.trace.finding('kernel', 'A driver still holds a request of a process that has ended.', {
            process: this.name,
            irp: irp.id,
            request: describeIrp(irp),
          });
        }
      }
      for (const region of [...this.#regions]) {
        if (region.locks > 0) {
          this.kernel.bugcheck(
            BugcheckCode.PROCESS_HAS_LOCKED_PAGES,
            [0, 0, region.pages.length, 0],
            `Process '${this.name}' ends while a driver has ${region.pages.length} of its pages locked (MmUnlockPages is missing).`,
          );
        }
        if (region.mdl !== null) {
          this.kernel.trace.finding(
            'kernel',
            'A driver left its pages mapped into a process that has ended.',
            {
              process: this.name,
              address: hex(region.base),
            },
          );
        }
        this.#dropRegion(region);
      }
    });
  }

  [Symbol.dispose](): void {
    this.terminate();
  }

  #enter<T>(fn: () => T): T {
    return this.kernel.enter(() => {
      if (this.kernel.processor.irql !== PASSIVE_LEVEL) this.#requirePassive();
      return fn();
    });
  }

  #requirePassive(): void {
    requireIrql(PASSIVE_LEVEL, `user mode ('${this.name}')`);
  }
}

function hex(value: number): string {
  return `0x${value.toString(16)}`;
}
