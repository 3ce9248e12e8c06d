/** I/O request packets: stack locations, passing down, completing, forwarding. */
import { BugcheckCode } from './bugcheck.ts';
import { currentKernel } from './current.ts';
import {
  type DEVICE_OBJECT,
  IRP_MJ_CLEANUP,
  IRP_MJ_CLOSE,
  IRP_MJ_CREATE,
  IRP_MJ_DEVICE_CONTROL,
  IRP_MJ_INTERNAL_DEVICE_CONTROL,
  IRP_MJ_PNP,
  IRP_MJ_POWER,
  irpMajorName,
  printableFileName,
} from './device.ts';
import { KEVENT, keSetEvent, keWaitForSingleObject } from './event.ts';
import {
  type DRIVER_CANCEL,
  type IO_COMPLETION_ROUTINE,
  IO_NO_INCREMENT,
  IO_STACK_LOCATION,
  IO_STATUS_BLOCK,
  isEveryday,
  METHOD_FROM_CTL_CODE,
  METHOD_NEITHER,
  SL_INVOKE_ON_CANCEL,
  SL_INVOKE_ON_ERROR,
  SL_INVOKE_ON_SUCCESS,
  SL_PENDING_RETURNED,
} from './io-stack-location.ts';
import { APC_LEVEL, DISPATCH_LEVEL, type KIRQL, PASSIVE_LEVEL, requireIrql } from './irql.ts';
import type { Kernel } from './kernel.ts';
import type { MDL } from './mdl.ts';
import { NtError } from './nt-error.ts';
import {
  type NTSTATUS,
  ntError,
  ntStatusName,
  ntSuccess,
  STATUS_MORE_PROCESSING_REQUIRED,
  STATUS_PENDING,
} from './ntstatus.ts';
import { IRP_MN_READ_CONFIG, IRP_MN_WRITE_CONFIG, irpMinorName } from './pnp-types.ts';
import type { UserProcess } from './process.ts';
import { TraceKind, type TraceValue } from './trace.ts';

/** Where an IRP is in its life; what the checks against double completion and stale pointers look at. */
export type IrpState = 'Free' | 'Allocated' | 'Completed';

/** An I/O request packet. Made by {@link ioAllocateIrp} or by the I/O manager for a process's request. */
export class IRP {
  /** Its number in traces and reports; a recycled IRP gets a new one. */
  id = 0;
  state: IrpState = 'Free';
  readonly stackCount: number;
  /** 1…stackCount for the driver that owns it; stackCount + 1 before the first call and after completion. */
  currentLocation: number;
  /** Where the IRP is when its allocator has it: stackCount + 1, or the location that it gave itself. */
  ownerLocation: number;
  /** Indexed by location − 1. */
  readonly locations: readonly IO_STACK_LOCATION[];
  readonly ioStatus = new IO_STATUS_BLOCK();
  /** The process that asked; null for requests of the kernel and of drivers. */
  requestor: UserProcess | null = null;
  /** AssociatedIrp.SystemBuffer: METHOD_BUFFERED and direct I/O controls, and READ/WRITE on DO_BUFFERED_IO devices. */
  systemBuffer: Uint8Array | null = null;
  /** UserBuffer: the caller's output for METHOD_NEITHER. */
  userBuffer: Uint8Array | null = null;
  mdlAddress: MDL | null = null;
  pendingReturned = false;
  cancel = false;
  /** The level to which the cancel routine must release the cancel spin lock. */
  cancelIrql: KIRQL = PASSIVE_LEVEL;
  cancelRoutine: DRIVER_CANCEL | null = null;
  /** Tail.Overlay.DriverContext: the current owner's own four pointers. */
  readonly driverContext: [unknown, unknown, unknown, unknown] = [null, null, null, null];
  /** Set and cleared by the requestor alone: what becomes of the IRP when the last driver has completed it. */
  onCompleted: ((irp: IRP) => void) | null = null;
  userEvent: KEVENT | null = null;
  userIosb: IO_STATUS_BLOCK | null = null;

  constructor(stackCount: number) {
    this.stackCount = stackCount;
    this.currentLocation = stackCount + 1;
    this.ownerLocation = stackCount + 1;
    this.locations = Array.from({ length: stackCount }, () => new IO_STACK_LOCATION());
  }

  /** The request's input bytes, by whichever method they came; null when there are none. Of the current location. */
  get inputBuffer(): Uint8Array | null {
    const { parameters } = ioGetCurrentIrpStackLocation(this);
    if (METHOD_FROM_CTL_CODE(parameters.ioControlCode) === METHOD_NEITHER) return parameters.type3InputBuffer;
    return this.systemBuffer?.subarray(0, parameters.inputBufferLength) ?? null;
  }

  /** Where the request's output bytes go, by whichever method; null when there is no room. Of the current location. */
  get outputBuffer(): Uint8Array | null {
    const { parameters } = ioGetCurrentIrpStackLocation(this);
    if (METHOD_FROM_CTL_CODE(parameters.ioControlCode) === METHOD_NEITHER) return this.userBuffer;
    return this.systemBuffer?.subarray(0, parameters.outputBufferLength) ?? null;
  }
}

/**
 * IoAllocateIrp: a driver's own IRP with `stackSize` locations, which it frees with {@link ioFreeIrp} after it came back.
 * IRQL ≤ DISPATCH_LEVEL.
 */
export function ioAllocateIrp(stackSize: number): IRP {
  requireIrql(DISPATCH_LEVEL, 'IoAllocateIrp');
  return currentKernel().io.allocateDriverIrp(stackSize);
}

/** IoFreeIrp. Bugcheck when it is free already or still with a lower driver. IRQL ≤ DISPATCH_LEVEL. */
export function ioFreeIrp(irp: IRP): void {
  requireIrql(DISPATCH_LEVEL, 'IoFreeIrp');
  const kernel = currentKernel();
  if (irp.state === 'Free') {
    kernel.bugcheck(
      BugcheckCode.MULTIPLE_IRP_COMPLETE_REQUESTS,
      [irp.id, 0, 0, 0],
      `IoFreeIrp of IRP ${irp.id}, which is free already.`,
    );
  }
  if (irp.currentLocation < irp.ownerLocation) {
    kernel.bugcheck(
      BugcheckCode.DRIVER_VERIFIER_IOMANAGER_VIOLATION,
      [0x2, irp.id, 0, 0],
      `IoFreeIrp of IRP ${irp.id} (${describeIrp(irp)}), which has been sent and has not come back.`,
    );
  }
  kernel.io.freeDriverIrp(irp);
}

/** IoReuseIrp: as new, with this status. The driver owns it. IRQL ≤ DISPATCH_LEVEL. */
export function ioReuseIrp(irp: IRP, status: NTSTATUS): void {
  requireIrql(DISPATCH_LEVEL, 'IoReuseIrp');
  currentKernel().io.resetIrp(irp);
  irp.ioStatus.status = status;
}

/** IoGetCurrentIrpStackLocation. */
export function ioGetCurrentIrpStackLocation(irp: IRP): IO_STACK_LOCATION {
  return irp.locations[irp.currentLocation - 1] ?? noLocation(irp, 'IoGetCurrentIrpStackLocation');
}

/** IoGetNextIrpStackLocation: the lower driver's. Bugcheck NO_MORE_IRP_STACK_LOCATIONS when there is none. */
export function ioGetNextIrpStackLocation(irp: IRP): IO_STACK_LOCATION {
  return irp.locations[irp.currentLocation - 2] ?? noLocation(irp, 'IoGetNextIrpStackLocation');
}

function noLocation(irp: IRP, ddi: string): never {
  return currentKernel().bugcheck(
    BugcheckCode.NO_MORE_IRP_STACK_LOCATIONS,
    [irp.id, 0, 0, 0],
    `${ddi}: IRP ${irp.id} has ${irp.stackCount} stack locations and is at ${irp.currentLocation}.`,
  );
}

/** IoSetNextIrpStackLocation: gives the driver that allocated the IRP a location of its own. */
export function ioSetNextIrpStackLocation(irp: IRP): void {
  if (irp.currentLocation <= 1) noLocation(irp, 'IoSetNextIrpStackLocation');
  irp.currentLocation--;
  irp.ownerLocation = irp.currentLocation;
}

/** IoCopyCurrentIrpStackLocationToNext: everything but completion routine, context and control. */
export function ioCopyCurrentIrpStackLocationToNext(irp: IRP): void {
  const from = ioGetCurrentIrpStackLocation(irp);
  const to = ioGetNextIrpStackLocation(irp);
  to.majorFunction = from.majorFunction;
  to.minorFunction = from.minorFunction;
  to.flags = from.flags;
  to.control = 0;
  if (isEveryday(from.majorFunction)) to.parameters.assignEveryday(from.parameters);
  else to.parameters.assign(from.parameters);
  to.fileObject = from.fileObject;
  to.completionRoutine = null;
  to.context = null;
}

/** IoSkipCurrentIrpStackLocation: the next driver gets this driver's own location. No completion routine may be set then. */
export function ioSkipCurrentIrpStackLocation(irp: IRP): void {
  if (irp.currentLocation > irp.stackCount) noLocation(irp, 'IoSkipCurrentIrpStackLocation');
  irp.currentLocation++;
}

/** IoMarkIrpPending: the dispatch routine will return STATUS_PENDING. */
export function ioMarkIrpPending(irp: IRP): void {
  ioGetCurrentIrpStackLocation(irp).control |= SL_PENDING_RETURNED;
}

/** IoSetCompletionRoutine: sets it in the next location. `context` comes back as it is. IRQL ≤ DISPATCH_LEVEL. */
export function ioSetCompletionRoutine(
  irp: IRP,
  completionRoutine: IO_COMPLETION_ROUTINE | null,
  context: unknown,
  invokeOnSuccess = true,
  invokeOnError = true,
  invokeOnCancel = true,
): void {
  const next = ioGetNextIrpStackLocation(irp);
  next.completionRoutine = completionRoutine;
  next.context = context;
  next.control =
    (next.control & SL_PENDING_RETURNED) |
    (invokeOnSuccess ? SL_INVOKE_ON_SUCCESS : 0) |
    (invokeOnError ? SL_INVOKE_ON_ERROR : 0) |
    (invokeOnCancel ? SL_INVOKE_ON_CANCEL : 0);
}

/** 'IRP_MJ_PNP / IRP_MN_START_DEVICE', 'IRP_MJ_DEVICE_CONTROL 0x2F0003': what the current location asks, for reports. */
export function describeIrp(irp: IRP): string {
  const stack = irp.locations[Math.min(irp.currentLocation, irp.stackCount) - 1];
  if (stack === undefined) return 'no stack location';
  const major = irpMajorName(stack.majorFunction);
  if (isDeviceControl(stack.majorFunction)) return `${major} 0x${hex(stack.parameters.ioControlCode)}`;
  if (stack.majorFunction === IRP_MJ_PNP || stack.majorFunction === IRP_MJ_POWER) {
    return `${major} / ${irpMinorName(stack.majorFunction, stack.minorFunction)}`;
  }
  return major;
}

function isDeviceControl(majorFunction: number): boolean {
  return majorFunction === IRP_MJ_DEVICE_CONTROL || majorFunction === IRP_MJ_INTERNAL_DEVICE_CONTROL;
}

function hex(value: number): string {
  return value.toString(16).toUpperCase();
}

/** Where a request may be sent. The requests for configuration space are the PnP requests that say otherwise (< DISPATCH_LEVEL). */
function highestIrqlOf({ majorFunction, minorFunction }: IO_STACK_LOCATION): number {
  switch (majorFunction) {
    case IRP_MJ_CREATE:
    case IRP_MJ_CLEANUP:
    case IRP_MJ_CLOSE:
      return PASSIVE_LEVEL;
    case IRP_MJ_PNP:
      return minorFunction === IRP_MN_READ_CONFIG || minorFunction === IRP_MN_WRITE_CONFIG
        ? APC_LEVEL
        : PASSIVE_LEVEL;
    default:
      return DISPATCH_LEVEL;
  }
}

function describeRequest({ majorFunction, minorFunction }: IO_STACK_LOCATION): string {
  return majorFunction === IRP_MJ_PNP
    ? irpMinorName(majorFunction, minorFunction)
    : irpMajorName(majorFunction);
}

/**
 * IoCallDriver: hands the IRP to the driver of `deviceObject`. IRQL ≤ DISPATCH_LEVEL; PASSIVE_LEVEL for create, cleanup, close
 * and PnP requests, APC_LEVEL for those that read and write configuration space. What the dispatch routine did wrong (no completion and no pending mark, an exception that is no NtError,
 * another IRQL on return) is a bugcheck.
 */
export function ioCallDriver(deviceObject: DEVICE_OBJECT, irp: IRP): NTSTATUS {
  const kernel = currentKernel();
  const at = irp.currentLocation - 1;
  const stack = irp.locations[at - 1];
  if (stack === undefined) noLocation(irp, 'IoCallDriver');
  if (irp.state !== 'Allocated') staleIrp(kernel, irp, 'IoCallDriver');
  const major = stack.majorFunction;
  const irql = kernel.processor.irql;
  if (irql !== PASSIVE_LEVEL) {
    requireIrql(highestIrqlOf(stack), `IoCallDriver (${describeRequest(stack)})`);
  }
  irp.currentLocation = at;
  stack.deviceObject = deviceObject;
  const driver = deviceObject.driverObject;
  const dispatch = driver.majorFunction[major];
  if (dispatch === undefined) {
    return kernel.bugcheck(
      BugcheckCode.DRIVER_VERIFIER_IOMANAGER_VIOLATION,
      [0x5, irp.id, major, 0],
      `IoCallDriver: IRP ${irp.id} has major function ${major}, which does not exist.`,
    );
  }
  const { id } = irp;
  const name = irpMajorName(major);
  const source = driver.shortName;
  const traced = (kernel.trace.mask & TraceKind.Irp) !== 0;
  if (traced) kernel.trace.emit(TraceKind.Irp, 'B', source, name, irpData(irp, stack, deviceObject));
  kernel.pushFrame(source, name);
  let status: NTSTATUS;
  try {
    status = dispatch(deviceObject, irp);
  } catch (error) {
    status = dispatchThrew(kernel, irp, id, at, error);
  }
  if (kernel.processor.irql !== irql) kernel.irqlChanged(irql);
  kernel.popFrame();
  if (traced) kernel.trace.emit(TraceKind.Irp, 'E', source, name, { irp: id, status: ntStatusName(status) });
  // The IRP still lies at this driver's location: then it must have been queued, and said so.
  if (irp.id === id && irp.currentLocation === at && irp.state === 'Allocated') {
    checkDispatchResult(kernel, deviceObject, irp, stack, status);
  }
  return status;
}

/** An NtError from a dispatch routine becomes the IRP's status, if the routine still owned the IRP when it threw. */
function dispatchThrew(kernel: Kernel, irp: IRP, id: number, at: number, error: unknown): NTSTATUS {
  if (!(error instanceof NtError)) {
    return kernel.exceptionInRoutine(
      BugcheckCode.SYSTEM_SERVICE_EXCEPTION,
      error,
      kernel.currentMethod ?? 'dispatch',
    );
  }
  if (irp.id !== id || irp.currentLocation !== at || irp.state !== 'Allocated') {
    return kernel.bugcheck(
      BugcheckCode.DRIVER_VERIFIER_IOMANAGER_VIOLATION,
      [0x6, id, error.status, 0],
      `A dispatch routine threw ${ntStatusName(error.status)} after it had completed IRP ${id} or passed it down.`,
      { cause: error },
    );
  }
  irp.ioStatus.status = error.status;
  ioCompleteRequest(irp, IO_NO_INCREMENT);
  return error.status;
}

function checkDispatchResult(
  kernel: Kernel,
  deviceObject: DEVICE_OBJECT,
  irp: IRP,
  stack: IO_STACK_LOCATION,
  status: NTSTATUS,
): void {
  const marked = (stack.control & SL_PENDING_RETURNED) !== 0;
  if (status === STATUS_PENDING && marked) return;
  const driver = deviceObject.driverObject.shortName;
  const what =
    status === STATUS_PENDING
      ? 'returned STATUS_PENDING without IoMarkIrpPending'
      : marked
        ? `marked it pending but returned ${ntStatusName(status)}`
        : `returned ${ntStatusName(status)} but neither completed it, nor passed it down, nor marked it pending`;
  kernel.bugcheck(
    BugcheckCode.DRIVER_VERIFIER_IOMANAGER_VIOLATION,
    [0x7, irp.id, status, 0],
    `${driver}'s dispatch routine for ${describeIrp(irp)} ${what} (IRP ${irp.id}).`,
    { driver, method: irpMajorName(stack.majorFunction) },
  );
}

function irpData(irp: IRP, stack: IO_STACK_LOCATION, device: DEVICE_OBJECT): Record<string, TraceValue> {
  const data: Record<string, TraceValue> = { irp: irp.id, device: device.displayName };
  const major = stack.majorFunction;
  if (isDeviceControl(major)) data['ioctl'] = stack.parameters.ioControlCode;
  else if (major === IRP_MJ_PNP || major === IRP_MJ_POWER)
    data['minor'] = irpMinorName(major, stack.minorFunction);
  else if (major === IRP_MJ_CREATE && stack.fileObject !== null)
    data['file'] = printableFileName(stack.fileObject.fileName);
  return data;
}

function staleIrp(kernel: Kernel, irp: IRP, ddi: string): never {
  return kernel.bugcheck(
    BugcheckCode.MULTIPLE_IRP_COMPLETE_REQUESTS,
    [irp.id, irp.ioStatus.status, 0, 0],
    `${ddi}: IRP ${irp.id} has been completed ${irp.state === 'Free' ? 'and freed ' : ''}already.`,
  );
}

/**
 * IoCompleteRequest: the driver is done with the IRP whose `ioStatus` it has set. Calls the completion routines on the way up and
 * gives the result to the requestor. IRQL ≤ DISPATCH_LEVEL. Bugchecks: MULTIPLE_IRP_COMPLETE_REQUESTS for a second completion,
 * CANCEL_STATE_IN_COMPLETED_IRP when a cancel routine is still set, DRIVER_VERIFIER_IOMANAGER_VIOLATION for status STATUS_PENDING.
 */
export function ioCompleteRequest(irp: IRP, _priorityBoost: number = IO_NO_INCREMENT): void {
  const kernel = currentKernel();
  if (kernel.processor.irql > DISPATCH_LEVEL) requireIrql(DISPATCH_LEVEL, 'IoCompleteRequest');
  if (irp.state !== 'Allocated' || irp.currentLocation > irp.stackCount)
    staleIrp(kernel, irp, 'IoCompleteRequest');
  if (irp.ioStatus.status === STATUS_PENDING) {
    kernel.bugcheck(
      BugcheckCode.DRIVER_VERIFIER_IOMANAGER_VIOLATION,
      [0x8, irp.id, 0, 0],
      `IoCompleteRequest: IRP ${irp.id} (${describeIrp(irp)}) is completed with STATUS_PENDING in its status block.`,
    );
  }
  if (irp.cancelRoutine !== null) {
    kernel.bugcheck(
      BugcheckCode.CANCEL_STATE_IN_COMPLETED_IRP,
      [irp.id, 0, 0, 0],
      `IoCompleteRequest: IRP ${irp.id} (${describeIrp(irp)}) still has a cancel routine; take it out with IoSetCancelRoutine(irp, null).`,
    );
  }
  const { locations, stackCount, id } = irp;
  while (irp.currentLocation <= stackCount) {
    const stack = locations[irp.currentLocation - 1];
    if (stack === undefined) break;
    const pending = (stack.control & SL_PENDING_RETURNED) !== 0;
    irp.pendingReturned = pending;
    irp.currentLocation++;
    const upper = locations[irp.currentLocation - 1];
    const routine = stack.completionRoutine;
    if (routine !== null && wantsCompletion(irp, stack.control)) {
      stack.completionRoutine = null;
      const upperDevice = upper?.deviceObject ?? null;
      const { context } = stack;
      const result = callCompletion(kernel, upperDevice, irp, routine, context);
      if (result === STATUS_MORE_PROCESSING_REQUIRED) return;
      if (irp.id !== id || irp.state !== 'Allocated')
        staleIrp(kernel, irp, 'IoCompleteRequest (completion routine)');
    } else if (pending && upper !== undefined) {
      upper.control |= SL_PENDING_RETURNED;
    }
  }
  finishIrp(kernel, irp);
}

function wantsCompletion(irp: IRP, control: number): boolean {
  if (irp.cancel && (control & SL_INVOKE_ON_CANCEL) !== 0) return true;
  return (control & (ntSuccess(irp.ioStatus.status) ? SL_INVOKE_ON_SUCCESS : SL_INVOKE_ON_ERROR)) !== 0;
}

function callCompletion(
  kernel: Kernel,
  device: DEVICE_OBJECT | null,
  irp: IRP,
  routine: IO_COMPLETION_ROUTINE,
  context: unknown,
): NTSTATUS {
  const { irql } = kernel.processor;
  kernel.pushFrame(device?.driverObject.shortName ?? kernel.currentDriver, 'IoCompletion');
  let result: NTSTATUS;
  try {
    result = routine(device, irp, context);
  } catch (error) {
    // Nobody is there to take a status.
    return kernel.exceptionInRoutine(BugcheckCode.SYSTEM_SERVICE_EXCEPTION, error, 'a completion routine');
  }
  if (kernel.processor.irql !== irql) kernel.irqlChanged(irql);
  kernel.popFrame();
  return result;
}

function finishIrp(kernel: Kernel, irp: IRP): void {
  irp.state = 'Completed';
  const { ioStatus } = irp;
  if (irp.pendingReturned && (kernel.trace.mask & TraceKind.Irp) !== 0) {
    const driver = irp.locations[irp.stackCount - 1]?.deviceObject?.driverObject.shortName ?? 'kernel';
    kernel.trace.emit(TraceKind.Irp, 'I', driver, 'IoCompleteRequest', {
      irp: irp.id,
      status: ntStatusName(ioStatus.status),
      information: ioStatus.information,
    });
  }
  if (irp.userIosb !== null) {
    irp.userIosb.status = ioStatus.status;
    irp.userIosb.information = ioStatus.information;
    irp.userIosb.informationPointer = ioStatus.informationPointer;
  }
  const { onCompleted, userEvent } = irp;
  // First: it returns the output, which whoever waits for the event will look at.
  if (onCompleted !== null) onCompleted(irp);
  if (userEvent !== null) keSetEvent(userEvent);
  else if (onCompleted === null && kernel.io.isDriverIrp(irp)) {
    kernel.trace.finding(
      'kernel',
      'A driver-allocated IRP was completed past its last location: no completion routine took it back, so nobody frees it.',
      { irp: irp.id, status: ntStatusName(ioStatus.status) },
    );
  }
}

/**
 * IoForwardIrpSynchronously: copies the location, sends the IRP down and waits until the lower drivers are done; the IRP is the
 * caller's again afterwards, with their status in `ioStatus`. False when there is no location left. IRQL ≤ APC_LEVEL.
 */
export function ioForwardIrpSynchronously(deviceObject: DEVICE_OBJECT, irp: IRP): boolean {
  requireIrql(APC_LEVEL, 'IoForwardIrpSynchronously');
  if (irp.currentLocation <= 1) return false;
  const event = new KEVENT('NotificationEvent');
  ioCopyCurrentIrpStackLocationToNext(irp);
  ioSetCompletionRoutine(irp, signalAndKeep, event);
  if (ioCallDriver(deviceObject, irp) === STATUS_PENDING) keWaitForSingleObject(event, null);
  return true;
}

function signalAndKeep(_device: DEVICE_OBJECT | null, _irp: IRP, context: unknown): NTSTATUS {
  if (context instanceof KEVENT) keSetEvent(context);
  return STATUS_MORE_PROCESSING_REQUIRED;
}

/** True when output produced with this status goes back to the caller: everything but errors (so also STATUS_BUFFER_OVERFLOW). */
export function carriesOutput(status: NTSTATUS): boolean {
  return !ntError(status);
}
