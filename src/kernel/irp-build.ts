/** IRPs that a driver asks for and the I/O manager frees. */
import { currentKernel } from './current.ts';
import { type DEVICE_OBJECT, IRP_MJ_DEVICE_CONTROL, IRP_MJ_INTERNAL_DEVICE_CONTROL } from './device.ts';
import type { KEVENT } from './event.ts';
import type { IO_STATUS_BLOCK } from './io-stack-location.ts';
import { type IRP, ioGetNextIrpStackLocation } from './irp.ts';
import { PASSIVE_LEVEL, requireIrql } from './irql.ts';

/**
 * IoBuildDeviceIoControlRequest: an IRP for another driver's device, with METHOD_BUFFERED, direct or neither buffers as the code
 * says; `event` is set and `ioStatusBlock` filled when it is complete, and the I/O manager frees the IRP. IRQL = PASSIVE_LEVEL.
 */
export function ioBuildDeviceIoControlRequest(
  ioControlCode: number,
  deviceObject: DEVICE_OBJECT,
  inputBuffer: Uint8Array | null,
  outputBuffer: Uint8Array | null,
  internalDeviceIoControl: boolean,
  event: KEVENT,
  ioStatusBlock: IO_STATUS_BLOCK,
): IRP {
  requireIrql(PASSIVE_LEVEL, 'IoBuildDeviceIoControlRequest');
  const { io } = currentKernel();
  const irp = io.allocateIrp(deviceObject.stackSize);
  const stack = ioGetNextIrpStackLocation(irp);
  stack.majorFunction = internalDeviceIoControl ? IRP_MJ_INTERNAL_DEVICE_CONTROL : IRP_MJ_DEVICE_CONTROL;
  io.setDeviceControlBuffers(irp, stack, ioControlCode, inputBuffer, outputBuffer);
  irp.userEvent = event;
  irp.userIosb = ioStatusBlock;
  irp.onCompleted = (done) => {
    io.returnOutput(done, outputBuffer);
    io.freeIrp(done);
  };
  return irp;
}

/**
 * IoBuildSynchronousFsdRequest for IRP_MJ_PNP, _FLUSH_BUFFERS and _SHUTDOWN: the caller sets minor function and parameters in the
 * next location. `event` is set when it is complete; the I/O manager frees the IRP. IRQL = PASSIVE_LEVEL.
 */
export function ioBuildSynchronousFsdRequest(
  majorFunction: number,
  deviceObject: DEVICE_OBJECT,
  event: KEVENT,
  ioStatusBlock: IO_STATUS_BLOCK,
): IRP {
  requireIrql(PASSIVE_LEVEL, 'IoBuildSynchronousFsdRequest');
  const { io } = currentKernel();
  const irp = io.allocateIrp(deviceObject.stackSize);
  ioGetNextIrpStackLocation(irp).majorFunction = majorFunction;
  irp.userEvent = event;
  irp.userIosb = ioStatusBlock;
  irp.onCompleted = (done) => io.freeIrp(done);
  return irp;
}
