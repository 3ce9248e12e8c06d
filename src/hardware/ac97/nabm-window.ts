import type { AccessSize, BusTarget, CardReporter } from '../../hal/bus.ts';
import type { BusMasterEngine } from './bus-master-engine.ts';
import {
  CAS,
  type EngineName,
  GLOB_CNT,
  GLOB_STA,
  NABM_BYTES,
  NABM_REGISTERS,
  type RegisterDescription,
  X_BDBAR,
  X_CIV,
  X_CR,
  X_LVI,
  X_PICB,
  X_SR,
} from './registers.ts';

/** What the window asks of the card. */
export interface NabmHost {
  /** Begins an access; returns the present. */
  enter(): number;
  leave(wrote: boolean): void;
  /** Ends a write that can only have lowered the interrupt. */
  leaveStatus(): void;
  report(): CardReporter | null;
  readGlobCnt(): number;
  writeGlobCnt(value: number): void;
  readGlobSta(): number;
  /** Only the bits of `mask` were on the bus. */
  writeGlobSta(value: number, mask: number): void;
  readCas(): number;
}

/** The register that begins at each offset. */
const REGISTER_AT: readonly (RegisterDescription | null)[] = Array.from(
  { length: NABM_BYTES },
  (_, offset) => NABM_REGISTERS.find((register) => register.offset === offset) ?? null,
);

/** Mask of so many bytes. */
const LANE_MASKS = [0, 0xff, 0xffff, 0xff_ffff, 0xffff_ffff] as const;

/**
 * The bus master window (BAR1). Registers answer to any width: the window decodes dwords and byte lanes, as PCI does, so that a
 * dword read at x4h shows CIV, LVI and SR, one at x8h PICB, PIV and CR (§12.2.2–12.2.7). An access across a dword boundary is
 * two cycles on PCI; no correct driver makes one. Writes wider or narrower than the register they reach are no documented
 * access; they take effect on the lanes they drive and are reported.
 */
export class NabmWindow implements BusTarget {
  readonly #engines: Readonly<Record<EngineName, BusMasterEngine>>;
  readonly #host: NabmHost;

  constructor(engines: Readonly<Record<EngineName, BusMasterEngine>>, host: NabmHost) {
    this.#engines = engines;
    this.#host = host;
  }

  read(offset: number, size: AccessSize): number {
    const report = this.#host.report();
    if (report === null) return size === 1 ? 0xff : size === 2 ? 0xffff : 0xffff_ffff;
    this.#host.enter();
    const lane = offset & 3;
    let value: number;
    if (lane + size > 4) {
      report.finding('read across a dword boundary', { offset, size });
      value = this.#readAcross(offset, size);
    } else {
      value = laneValue(this.#readDword(offset & ~3, lane, size), lane, size);
    }
    if ((REGISTER_AT[offset] ?? null) === null && isReserved(offset)) {
      report.finding('read of a reserved bus master register', { offset, size });
    }
    if (report.wantsRegisters)
      report.register(nameOf(offset, size), 'read', value, size, describeNabmValue(offset, size, value));
    this.#host.leave(false);
    return value;
  }

  write(offset: number, size: AccessSize, value: number): void {
    const report = this.#host.report();
    if (report === null) return;
    const now = this.#host.enter();
    if (report.wantsRegisters)
      report.register(nameOf(offset, size), 'write', value, size, describeNabmValue(offset, size, value));
    const register = REGISTER_AT[offset] ?? null;
    if (register === null || register.widthBytes !== size) {
      report.finding('bus master write of a width that is not the register width', { offset, size, value });
    } else if (register.access === 'RO') {
      report.finding(`write to the read-only register ${register.name}`, { offset, value });
    }
    let done = 0;
    while (done < size) {
      const lane = (offset + done) & 3;
      const bytes = Math.min(size - done, 4 - lane);
      const part = (value >>> (8 * done)) << (8 * lane);
      this.#writeLanes((offset + done) & ~3, LANE_MASKS[bytes]! << (8 * lane), part, now);
      done += bytes;
    }
    if (size === 2 && (offset & 0x0f) === X_SR && offset < GLOB_CNT) this.#host.leaveStatus();
    else this.#host.leave(true);
  }

  /** A register's value without the access: nothing is reported. Not for CAS, which reading takes. */
  peek(offset: number, size: AccessSize): number {
    return laneValue(this.#readDword(offset & ~3, offset & 3, size), offset & 3, size);
  }

  #readAcross(offset: number, size: AccessSize): number {
    let value = 0;
    for (let index = 0; index < size; index++) {
      const at = (offset + index) % NABM_BYTES;
      value += laneValue(this.#readDword(at & ~3, at & 3, 1), at & 3, 1) * 2 ** (8 * index);
    }
    return value;
  }

  #readDword(offset: number, lane: number, bytes: number): number {
    switch (offset) {
      case GLOB_CNT:
        return this.#host.readGlobCnt();
      case GLOB_STA:
        return this.#host.readGlobSta();
      case CAS & ~3:
        // The semaphore is taken by its own byte only.
        return lane <= (CAS & 3) && lane + bytes > (CAS & 3) ? this.#host.readCas() : 0;
      default:
        break;
    }
    const engine = this.#engineAt(offset);
    if (engine === null) return 0;
    switch (offset & 0x0f) {
      case X_BDBAR:
        return engine.bdbar;
      case X_CIV:
        return (engine.civ | (engine.lvi << 8) | (engine.sr << 16)) >>> 0;
      case X_PICB:
        return (engine.picb | (engine.piv << 16) | (engine.cr << 24)) >>> 0;
      default:
        return 0;
    }
  }

  /** Writes the bits of `mask` of the dword at `offset`; mask and value are taken as 32 bits, whatever their sign. */
  #writeLanes(offset: number, mask: number, value: number, now: number): void {
    switch (offset) {
      case GLOB_CNT:
        this.#host.writeGlobCnt(((this.#host.readGlobCnt() & ~mask) | (value & mask)) >>> 0);
        return;
      case GLOB_STA:
        this.#host.writeGlobSta(value, mask);
        return;
      default:
        break;
    }
    const engine = this.#engineAt(offset);
    if (engine === null) return;
    switch (offset & 0x0f) {
      case X_BDBAR:
        engine.writeBdbar(((engine.bdbar & ~mask) | (value & mask)) >>> 0);
        break;
      case X_CIV:
        if (covers(mask, X_LVI)) engine.writeLvi((value >>> 8) & 0xff, now);
        if (covers(mask, X_SR) || covers(mask, X_SR + 1)) engine.writeSr((value & mask) >>> 16);
        break;
      case X_PICB:
        if (covers(mask, X_CR)) engine.writeCr(value >>> 24, now);
        break;
      default:
        break;
    }
  }

  #engineAt(offset: number): BusMasterEngine | null {
    switch (offset & 0xf0) {
      case 0x00:
        return this.#engines.PI;
      case 0x10:
        return this.#engines.PO;
      case 0x20:
        return offset < GLOB_CNT ? this.#engines.MC : null;
      default:
        return null;
    }
  }
}

function covers(mask: number, register: number): boolean {
  return ((mask >>> (8 * (register & 3))) & 0xff) !== 0;
}

function laneValue(dword: number, lane: number, size: AccessSize): number {
  if (size === 4) return dword;
  return (dword >>> (8 * lane)) & (size === 1 ? 0xff : 0xffff);
}

function isReserved(offset: number): boolean {
  if (offset > CAS) return true;
  return offset < GLOB_CNT && (offset & 0x0f) >= 0x0c;
}

/** `PO_CR`, `PO_CIV+PO_LVI+PO_SR` for a dword over several, `NABM_0C` where there is nothing. */
function nameOf(offset: number, size: AccessSize): string {
  const exact = REGISTER_AT[offset];
  if (exact?.widthBytes === size) return exact.name;
  const names = registersIn(offset, size).map((register) => register.name);
  return names.length > 0 ? names.join('+') : `NABM_${offset.toString(16).toUpperCase().padStart(2, '0')}`;
}

function registersIn(offset: number, size: AccessSize): readonly RegisterDescription[] {
  return NABM_REGISTERS.filter((r) => r.offset < offset + size && r.offset + r.widthBytes > offset);
}

/** Names of the set bits of the registers in an access, field by field. */
export function describeNabmValue(offset: number, size: AccessSize, value: number): string | undefined {
  const parts: string[] = [];
  for (const register of registersIn(offset, size)) {
    const shift = 8 * (register.offset - offset);
    const own = shift < 0 ? value * 2 ** -shift : Math.floor(value / 2 ** shift);
    for (const field of register.fields) if ((own & field.mask) !== 0) parts.push(field.name);
  }
  return parts.length > 0 ? parts.join(' ') : undefined;
}
