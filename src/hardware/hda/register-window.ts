import type { AccessSize, BusTarget, CardReporter } from '../../hal/bus.ts';
import type { HdaCommandLink } from './command-link.ts';
import * as R from './registers.ts';
import type { HdaStreamEngine } from './stream-engine.ts';

/** What the window asks of the card. */
export interface HdaWindowHost {
  /** Begins an access; returns the present. */
  enter(): number;
  leave(wrote: boolean): void;
  /** Ends a write that can only have lowered the interrupt. */
  leaveStatus(): void;
  report(): CardReporter | null;
  /** False in D3: nothing answers. */
  powered(): boolean;
  /** False while CRST is 0: only GCTL, WAKEEN and STATESTS take writes. */
  running(): boolean;
  gctl(now: number): number;
  writeGctl(value: number, now: number): void;
  wakeen(): number;
  writeWakeen(value: number): void;
  statests(): number;
  writeStatests(value: number): void;
  gsts(): number;
  writeGsts(value: number): void;
  intctl(): number;
  writeIntctl(value: number): void;
  intsts(): number;
  walclk(now: number): number;
  ssync(): number;
  writeSsync(value: number, now: number): void;
  dplbase(): number;
  writeDplbase(value: number): void;
  dpubase(): number;
  writeDpubase(value: number): void;
}

/** Registers that begin in each dword. */
const REGISTERS_IN_DWORD: ReadonlyMap<number, readonly R.HdaRegisterDescription[]> = (() => {
  const map = new Map<number, R.HdaRegisterDescription[]>();
  for (const register of R.HDA_REGISTERS) {
    const dword = register.offset & ~3;
    const list = map.get(dword);
    if (list === undefined) map.set(dword, [register]);
    else list.push(register);
  }
  return map;
})();
/** What a write to each byte of the window reaches. */
const NOTHING = 0;
const READ_ONLY = 1;
const WRITABLE = 2;
const BYTE_KINDS: Uint8Array = (() => {
  const kinds = new Uint8Array(R.HDA_BYTES + 4);
  for (const { offset, widthBytes, access } of R.HDA_REGISTERS)
    kinds.fill(access === 'RO' ? READ_ONLY : WRITABLE, offset, offset + widthBytes);
  return kinds;
})();
const NO_REGISTERS: readonly R.HdaRegisterDescription[] = [];
const LANE_MASKS = [0, 0xff, 0xffff, 0xff_ffff, 0xffff_ffff] as const;
const STREAMS_END = R.SD_BASE + R.SD_BYTES * R.HDA_STREAMS;

function registersIn(offset: number, size: number): readonly R.HdaRegisterDescription[] {
  const inDword = REGISTERS_IN_DWORD.get(offset & ~3) ?? NO_REGISTERS;
  return inDword.filter(
    (register) => register.offset < offset + size && register.offset + register.widthBytes > offset,
  );
}

/** `OSD0CTL`, `CORBWP+CORBRP` for an access over several, `HDA_0014` where there is nothing. */
export function hdaRegisterName(offset: number, size: AccessSize): string {
  const names = registersIn(offset, size).map((register) => register.name);
  return names.length > 0 ? names.join('+') : `HDA_${offset.toString(16).toUpperCase().padStart(4, '0')}`;
}

/** Names of the set bits of the registers in an access. */
export function describeHdaValue(offset: number, size: AccessSize, value: number): string | undefined {
  const parts: string[] = [];
  for (const register of registersIn(offset, size)) {
    const own = Math.floor(value * 2 ** (8 * (offset - register.offset)));
    for (const { name, mask } of register.fields) if ((own & mask) !== 0) parts.push(name);
  }
  return parts.length > 0 ? parts.join(' ') : undefined;
}

function laneValue(dword: number, lane: number, size: number): number {
  if (size === 4) return dword >>> 0;
  return (dword >>> (8 * lane)) & (size === 1 ? 0xff : 0xffff);
}

function allOnes(size: AccessSize): number {
  return size === 1 ? 0xff : size === 2 ? 0xffff : 0xffff_ffff;
}

/**
 * The 16 KiB window (HDA specification 1.0a, §3.3). It decodes dwords and byte lanes: registers answer to bytes, words and dwords at
 * their natural alignment, so that a dword at a stream's base has control and status in one. Where no register is, reads give 0 and
 * writes are lost; both are reported.
 */
export class HdaRegisterWindow implements BusTarget {
  readonly #streams: readonly HdaStreamEngine[];
  readonly #commands: HdaCommandLink;
  readonly #host: HdaWindowHost;

  constructor(streams: readonly HdaStreamEngine[], commands: HdaCommandLink, host: HdaWindowHost) {
    this.#streams = streams;
    this.#commands = commands;
    this.#host = host;
  }

  read(offset: number, size: AccessSize): number {
    const report = this.#host.report();
    if (report === null) return allOnes(size);
    const now = this.#host.enter();
    if (!this.#host.powered()) {
      report.finding('register read in D3', { offset, size });
      return allOnes(size);
    }
    const lane = offset & 3;
    let value: number;
    if (lane + size > 4) {
      report.finding('read across a dword boundary', { offset, size });
      value = this.#readAcross(offset, size, now);
    } else value = laneValue(this.#readDword(offset & ~3, now), lane, size);
    if (BYTE_KINDS[offset] === NOTHING && !REGISTERS_IN_DWORD.has(offset & ~3))
      report.finding('read of a reserved register', { offset, size });
    if (report.wantsRegisters) {
      report.register(
        hdaRegisterName(offset, size),
        'read',
        value,
        size,
        describeHdaValue(offset, size, value),
      );
    }
    this.#host.leave(false);
    return value;
  }

  write(offset: number, size: AccessSize, value: number): void {
    const report = this.#host.report();
    if (report === null) return;
    const now = this.#host.enter();
    if (!this.#host.powered()) {
      report.finding('register write in D3', { offset, size, value });
      return;
    }
    if (report.wantsRegisters) {
      report.register(
        hdaRegisterName(offset, size),
        'write',
        value,
        size,
        describeHdaValue(offset, size, value),
      );
    }
    this.#checkWrite(report, offset, size, value);
    for (let done = 0; done < size; ) {
      const lane = (offset + done) & 3;
      const bytes = Math.min(size - done, 4 - lane);
      const part = (value >>> (8 * done)) << (8 * lane);
      const dword = (offset + done) & ~3;
      this.#writeLanes(dword, LANE_MASKS[bytes]! << (8 * lane), part, now, report);
      done += bytes;
    }
    const isStatus = size === 1 && (offset & (R.SD_BYTES - 1)) === R.SD_STS;
    if (isStatus && offset >= R.SD_BASE && offset < STREAMS_END) this.#host.leaveStatus();
    else this.#host.leave(true);
  }

  /** A register's value without the access: nothing is reported. */
  peek(offset: number, size: number, now: number): number {
    const dword = this.#readDword(offset & ~3, now);
    return size === 3 ? dword & 0xff_ffff : laneValue(dword, offset & 3, size);
  }

  #checkWrite(report: CardReporter, offset: number, size: AccessSize, value: number): void {
    if ((offset & 3) + size > 4) report.finding('write across a dword boundary', { offset, size, value });
    let kind = NOTHING;
    for (let index = 0; index < size; index++) kind = Math.max(kind, BYTE_KINDS[offset + index]!);
    if (kind === NOTHING) report.finding('write to a reserved register', { offset, size, value });
    else if (kind === READ_ONLY) {
      report.finding(`write to the read-only register ${hdaRegisterName(offset, size)}`, { offset, value });
    }
  }

  #readAcross(offset: number, size: AccessSize, now: number): number {
    let value = 0;
    for (let index = 0; index < size; index++) {
      const at = (offset + index) % R.HDA_BYTES;
      value += laneValue(this.#readDword(at & ~3, now), at & 3, 1) * 2 ** (8 * index);
    }
    return value;
  }

  /** May be negative as a 32-bit number; {@link laneValue} makes it what was asked for. */
  #readDword(offset: number, now: number): number {
    if (offset >= R.SD_BASE && offset < STREAMS_END) {
      const stream = this.#streams[(offset - R.SD_BASE) >> 5]!;
      return readStream(stream, offset & (R.SD_BYTES - 1), now);
    }
    if (offset >= R.HDA_ALIAS) {
      const original = offset - R.HDA_ALIAS;
      const isLpib =
        original >= R.SD_BASE && original < STREAMS_END && (original & (R.SD_BYTES - 1)) === R.SD_LPIB;
      return original === R.WALCLK || isLpib ? this.#readDword(original, now) : 0;
    }
    const host = this.#host;
    const commands = this.#commands;
    switch (offset) {
      case R.GCAP:
        return R.GCAP_VALUE | (1 << 24);
      case R.OUTPAY:
        return R.OUTPAY_VALUE | (R.INPAY_VALUE << 16);
      case R.GCTL:
        return host.gctl(now);
      case R.WAKEEN:
        return host.wakeen() | (host.statests() << 16);
      case R.GSTS:
        return host.gsts();
      case R.OUTSTRMPAY:
        return R.OUTSTRMPAY_VALUE | (R.INSTRMPAY_VALUE << 16);
      case R.INTCTL:
        return host.intctl();
      case R.INTSTS:
        return host.intsts();
      case R.WALCLK:
        return host.walclk(now);
      case R.SSYNC:
        return host.ssync();
      case R.CORBLBASE:
        return commands.corbBase;
      case R.CORBUBASE:
        return commands.corbUpper;
      case R.CORBWP:
        return commands.corbWp | (commands.corbRp << 16);
      case R.CORBCTL:
        return commands.corbCtl | (commands.corbSts << 8) | (R.RING_SIZE_256 << 16);
      case R.RIRBLBASE:
        return commands.rirbBase;
      case R.RIRBUBASE:
        return commands.rirbUpper;
      case R.RIRBWP:
        return commands.rirbWp | (commands.rintcnt << 16);
      case R.RIRBCTL:
        return commands.rirbCtl | (commands.rirbSts << 8) | (R.RING_SIZE_256 << 16);
      case R.ICOI:
        return commands.immediateCommand;
      case R.ICII:
        return commands.immediateResponse;
      case R.ICIS:
        return commands.immediateStatus;
      case R.DPLBASE:
        return host.dplbase();
      case R.DPUBASE:
        return host.dpubase();
      default:
        return 0;
    }
  }

  /** Writes the bits of `mask` of a dword; mask and value are taken as 32 bits, whatever their sign. */
  #writeLanes(offset: number, mask: number, value: number, now: number, report: CardReporter): void {
    const host = this.#host;
    const merged = (): number => (this.#readDword(offset, now) & ~mask) | (value & mask);
    if (offset === R.GCTL) {
      host.writeGctl(merged() >>> 0, now);
      return;
    }
    if (offset === R.WAKEEN) {
      if ((mask & 0xffff) !== 0) host.writeWakeen(merged() & 0xffff);
      if ((mask & 0xffff_0000) !== 0) host.writeStatests((value & mask) >>> 16);
      return;
    }
    if (!host.running()) {
      report.finding('register write while CRST is 0', { offset, value: (value & mask) >>> 0 });
      return;
    }
    if (offset >= R.SD_BASE && offset < STREAMS_END) {
      const index = (offset - R.SD_BASE) >> 5;
      writeStream(
        this.#streams[index]!,
        index >= R.HDA_INPUT_STREAMS,
        offset & (R.SD_BYTES - 1),
        mask,
        value & mask,
        merged() >>> 0,
        now,
      );
      return;
    }
    this.#writeGlobal(offset, mask, value & mask, merged() >>> 0, now);
  }

  #writeGlobal(offset: number, mask: number, value: number, merged: number, now: number): void {
    const host = this.#host;
    const commands = this.#commands;
    switch (offset) {
      case R.GSTS:
        host.writeGsts(value);
        break;
      case R.INTCTL:
        host.writeIntctl(merged);
        break;
      case R.SSYNC:
        host.writeSsync(merged, now);
        break;
      case R.CORBLBASE:
        commands.writeCorbBase(merged);
        break;
      case R.CORBUBASE:
        commands.writeCorbUpper(merged);
        break;
      case R.CORBWP:
        if ((mask & 0xff) !== 0) commands.writeCorbWp(value & 0xff);
        if ((mask & 0xff00_0000) !== 0) commands.writeCorbRp(value >>> 16);
        break;
      case R.CORBCTL:
        if ((mask & 0xff) !== 0) commands.writeCorbCtl(value & 0xff);
        if ((mask & 0xff00) !== 0) commands.writeCorbSts((value >>> 8) & 0xff);
        break;
      case R.RIRBLBASE:
        commands.writeRirbBase(merged);
        break;
      case R.RIRBUBASE:
        commands.writeRirbUpper(merged);
        break;
      case R.RIRBWP:
        if ((mask & 0xff00) !== 0) commands.writeRirbWp(value & 0xffff);
        if ((mask & 0xff_0000) !== 0) commands.writeRintcnt((value >>> 16) & 0xff);
        break;
      case R.RIRBCTL:
        if ((mask & 0xff) !== 0) commands.writeRirbCtl(value & 0xff);
        if ((mask & 0xff00) !== 0) commands.writeRirbSts((value >>> 8) & 0xff);
        break;
      case R.ICOI:
        commands.writeImmediateCommand(merged);
        break;
      case R.ICIS:
        if ((mask & 0xff) !== 0) commands.writeImmediateStatus(value & 0xff);
        break;
      case R.DPLBASE:
        host.writeDplbase(merged);
        break;
      case R.DPUBASE:
        host.writeDpubase(merged);
        break;
      default:
        break;
    }
  }
}

function readStream(stream: HdaStreamEngine, offset: number, now: number): number {
  switch (offset) {
    case R.SD_CTL:
      return stream.ctl(now) | (stream.status << 24);
    case R.SD_LPIB:
      return stream.lpib;
    case R.SD_CBL:
      return stream.cbl;
    case R.SD_LVI:
      return stream.lvi | (stream.fifow << 16);
    case R.SD_FIFOS:
      return stream.fifos | (stream.fmt << 16);
    case R.SD_BDPL:
      return stream.bdpl;
    case R.SD_BDPU:
      return stream.bdpu;
    default:
      return 0;
  }
}

function writeStream(
  stream: HdaStreamEngine,
  output: boolean,
  offset: number,
  mask: number,
  value: number,
  merged: number,
  now: number,
): void {
  switch (offset) {
    case R.SD_CTL:
      if ((mask & 0xff00_0000) !== 0) stream.writeStatus(value >>> 24);
      if ((mask & 0xff_ffff) !== 0) stream.writeCtl(merged & 0xff_ffff, now);
      break;
    case R.SD_CBL:
      stream.writeCbl(merged, now);
      break;
    case R.SD_LVI:
      if ((mask & 0xffff) !== 0) stream.writeLvi(merged & 0xffff, now);
      if ((mask & 0xffff_0000) !== 0) stream.writeFifow(merged >>> 16);
      break;
    case R.SD_FIFOS:
      if ((mask & 0xffff) !== 0 && output) stream.writeFifos(merged & 0xffff, now);
      if ((mask & 0xffff_0000) !== 0) stream.writeFmt(merged >>> 16, now);
      break;
    case R.SD_BDPL:
      stream.writeBdpl(merged, now);
      break;
    case R.SD_BDPU:
      stream.writeBdpu(merged, now);
      break;
    default:
      break;
  }
}
