/**
 * The access routines of the HAL (WDK headers wdm.h; DDI pages READ_PORT_UCHAR … WRITE_REGISTER_BUFFER_ULONG64): every one of them is
 * bus cycles on the machine under the current kernel. They keep the WDK's macro names. Callable at any IRQL. After the cycle the
 * processor takes what became pending through it, as far as its IRQL lets it: an interrupt that a register write raises is serviced
 * before the access routine returns.
 *
 * Port numbers and addresses are translated ones: a port is what the resource list says, an address is what mmMapIoSpace returned.
 */
import { type AccessSize, currentKernel, type Kernel, TraceKind } from '../kernel/index.ts';
import { ioSpaceToPhysical } from './map-io-space.ts';

const ACCESS_NAMES: Readonly<Record<AccessSize, string>> = { 1: 'UCHAR', 2: 'USHORT', 4: 'ULONG' };

function hex(value: number): string {
  return `0x${value.toString(16).toUpperCase()}`;
}

/** A machine whose cards name their registers has traced the access already; a bare "port 0xE016" beside it says nothing more. */
function traceAccess(
  kernel: Kernel,
  kind: string,
  size: AccessSize,
  address: number,
  value: number,
  before: number,
): void {
  if (kernel.trace.lastSequence !== before) return;
  kernel.trace.emit(
    TraceKind.Register,
    'I',
    kernel.platform.name,
    `${kind}_${ACCESS_NAMES[size]} ${hex(address)}`,
    {
      address,
      size,
      value,
    },
  );
}

function readPort(port: number, size: AccessSize): number {
  const kernel = currentKernel();
  const trace = kernel.trace;
  if ((trace.mask & TraceKind.Register) === 0) {
    const value = kernel.platform.readPort(port, size);
    kernel.afterAccess();
    return value;
  }
  const before = trace.lastSequence;
  const value = kernel.platform.readPort(port, size);
  traceAccess(kernel, 'READ_PORT', size, port, value, before);
  kernel.afterAccess();
  return value;
}

function writePort(port: number, size: AccessSize, value: number): void {
  const kernel = currentKernel();
  const trace = kernel.trace;
  if ((trace.mask & TraceKind.Register) === 0) {
    kernel.platform.writePort(port, size, value);
  } else {
    const before = trace.lastSequence;
    kernel.platform.writePort(port, size, value);
    traceAccess(kernel, 'WRITE_PORT', size, port, value, before);
  }
  kernel.afterAccess();
}

function readRegister(address: number, size: AccessSize): number {
  const kernel = currentKernel();
  const trace = kernel.trace;
  const physical = ioSpaceToPhysical(kernel, address, size);
  if ((trace.mask & TraceKind.Register) === 0) {
    const value = kernel.platform.readMemory(physical, size);
    kernel.afterAccess();
    return value;
  }
  const before = trace.lastSequence;
  const value = kernel.platform.readMemory(physical, size);
  traceAccess(kernel, 'READ_REGISTER', size, physical, value, before);
  kernel.afterAccess();
  return value;
}

function writeRegister(address: number, size: AccessSize, value: number): void {
  const kernel = currentKernel();
  const trace = kernel.trace;
  const physical = ioSpaceToPhysical(kernel, address, size);
  if ((trace.mask & TraceKind.Register) === 0) {
    kernel.platform.writeMemory(physical, size, value);
  } else {
    const before = trace.lastSequence;
    kernel.platform.writeMemory(physical, size, value);
    traceAccess(kernel, 'WRITE_REGISTER', size, physical, value, before);
  }
  kernel.afterAccess();
}

/** Reads a byte from a port. Nothing there: FFh. Any IRQL. */
export function READ_PORT_UCHAR(port: number): number {
  return readPort(port, 1);
}

/** Reads 16 bits from a port. Nothing there: FFFFh. Any IRQL. */
export function READ_PORT_USHORT(port: number): number {
  return readPort(port, 2);
}

/** Reads 32 bits, unsigned, from a port. Nothing there: FFFFFFFFh. Any IRQL. */
export function READ_PORT_ULONG(port: number): number {
  return readPort(port, 4);
}

/** Writes the low 8 bits of `value` to a port. Any IRQL. */
export function WRITE_PORT_UCHAR(port: number, value: number): void {
  writePort(port, 1, value & 0xff);
}

/** Writes the low 16 bits of `value` to a port. Any IRQL. */
export function WRITE_PORT_USHORT(port: number, value: number): void {
  writePort(port, 2, value & 0xffff);
}

/** Writes the low 32 bits of `value` to a port. Any IRQL. */
export function WRITE_PORT_ULONG(port: number, value: number): void {
  writePort(port, 4, value >>> 0);
}

/** Reads `buffer.length` bytes from one port, one after the other (REP INSB). Any IRQL. */
export function READ_PORT_BUFFER_UCHAR(port: number, buffer: Uint8Array): void {
  for (let i = 0; i < buffer.length; i++) buffer[i] = readPort(port, 1);
}

/** Reads 16-bit values from one port, one after the other. Any IRQL. */
export function READ_PORT_BUFFER_USHORT(port: number, buffer: Uint16Array): void {
  for (let i = 0; i < buffer.length; i++) buffer[i] = readPort(port, 2);
}

/** Reads 32-bit values from one port, one after the other. Any IRQL. */
export function READ_PORT_BUFFER_ULONG(port: number, buffer: Uint32Array): void {
  for (let i = 0; i < buffer.length; i++) buffer[i] = readPort(port, 4);
}

/** Writes bytes to one port, one after the other (REP OUTSB). Any IRQL. */
export function WRITE_PORT_BUFFER_UCHAR(port: number, buffer: Uint8Array): void {
  for (const value of buffer) writePort(port, 1, value);
}

/** Writes 16-bit values to one port, one after the other. Any IRQL. */
export function WRITE_PORT_BUFFER_USHORT(port: number, buffer: Uint16Array): void {
  for (const value of buffer) writePort(port, 2, value);
}

/** Writes 32-bit values to one port, one after the other. Any IRQL. */
export function WRITE_PORT_BUFFER_ULONG(port: number, buffer: Uint32Array): void {
  for (const value of buffer) writePort(port, 4, value);
}

/** Reads a byte register. Bugcheck PAGE_FAULT_IN_NONPAGED_AREA when the address was not mapped by mmMapIoSpace. Any IRQL. */
export function READ_REGISTER_UCHAR(register: number): number {
  return readRegister(register, 1);
}

/** Reads a 16-bit register; see {@link READ_REGISTER_UCHAR}. */
export function READ_REGISTER_USHORT(register: number): number {
  return readRegister(register, 2);
}

/** Reads a 32-bit register, unsigned; see {@link READ_REGISTER_UCHAR}. */
export function READ_REGISTER_ULONG(register: number): number {
  return readRegister(register, 4);
}

/** Reads a 64-bit register: two 32-bit cycles, low half first; see {@link READ_REGISTER_UCHAR}. */
export function READ_REGISTER_ULONG64(register: number): bigint {
  const low = readRegister(register, 4);
  const high = readRegister(register + 4, 4);
  return (BigInt(high) << 32n) | BigInt(low);
}

/** Writes the low 8 bits of `value` to a register; see {@link READ_REGISTER_UCHAR}. */
export function WRITE_REGISTER_UCHAR(register: number, value: number): void {
  writeRegister(register, 1, value & 0xff);
}

/** Writes the low 16 bits of `value` to a register; see {@link READ_REGISTER_UCHAR}. */
export function WRITE_REGISTER_USHORT(register: number, value: number): void {
  writeRegister(register, 2, value & 0xffff);
}

/** Writes the low 32 bits of `value` to a register; see {@link READ_REGISTER_UCHAR}. */
export function WRITE_REGISTER_ULONG(register: number, value: number): void {
  writeRegister(register, 4, value >>> 0);
}

/** Writes a 64-bit register: two 32-bit cycles, low half first; see {@link READ_REGISTER_UCHAR}. */
export function WRITE_REGISTER_ULONG64(register: number, value: bigint): void {
  writeRegister(register, 4, Number(BigInt.asUintN(32, value)));
  writeRegister(register + 4, 4, Number(BigInt.asUintN(32, value >> 32n)));
}

/** Reads `buffer.length` consecutive byte registers; see {@link READ_REGISTER_UCHAR}. */
export function READ_REGISTER_BUFFER_UCHAR(register: number, buffer: Uint8Array): void {
  for (let i = 0; i < buffer.length; i++) buffer[i] = readRegister(register + i, 1);
}

/** Reads consecutive 16-bit registers; see {@link READ_REGISTER_UCHAR}. */
export function READ_REGISTER_BUFFER_USHORT(register: number, buffer: Uint16Array): void {
  for (let i = 0; i < buffer.length; i++) buffer[i] = readRegister(register + 2 * i, 2);
}

/** Reads consecutive 32-bit registers; see {@link READ_REGISTER_UCHAR}. */
export function READ_REGISTER_BUFFER_ULONG(register: number, buffer: Uint32Array): void {
  for (let i = 0; i < buffer.length; i++) buffer[i] = readRegister(register + 4 * i, 4);
}

/** Reads consecutive 64-bit registers; see {@link READ_REGISTER_ULONG64}. */
export function READ_REGISTER_BUFFER_ULONG64(register: number, buffer: BigUint64Array): void {
  for (let i = 0; i < buffer.length; i++) buffer[i] = READ_REGISTER_ULONG64(register + 8 * i);
}

/** Writes consecutive byte registers; see {@link READ_REGISTER_UCHAR}. */
export function WRITE_REGISTER_BUFFER_UCHAR(register: number, buffer: Uint8Array): void {
  for (const [i, value] of buffer.entries()) writeRegister(register + i, 1, value);
}

/** Writes consecutive 16-bit registers; see {@link READ_REGISTER_UCHAR}. */
export function WRITE_REGISTER_BUFFER_USHORT(register: number, buffer: Uint16Array): void {
  for (const [i, value] of buffer.entries()) writeRegister(register + 2 * i, 2, value);
}

/** Writes consecutive 32-bit registers; see {@link READ_REGISTER_UCHAR}. */
export function WRITE_REGISTER_BUFFER_ULONG(register: number, buffer: Uint32Array): void {
  for (const [i, value] of buffer.entries()) writeRegister(register + 4 * i, 4, value);
}

/** Writes consecutive 64-bit registers; see {@link WRITE_REGISTER_ULONG64}. */
export function WRITE_REGISTER_BUFFER_ULONG64(register: number, buffer: BigUint64Array): void {
  for (const [i, value] of buffer.entries()) WRITE_REGISTER_ULONG64(register + 8 * i, value);
}
