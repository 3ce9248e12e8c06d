import type { BusMaster, CardReporter, IsaDmaDevice } from '../../hal/bus.ts';
import {
  DMA_ALL_MASK,
  DMA_CLEAR_FLIP_FLOP,
  DMA_CLEAR_MASK,
  DMA_COMMAND,
  DMA_COMMAND_DACK_HIGH,
  DMA_COMMAND_DISABLE,
  DMA_COMMAND_DREQ_LOW,
  DMA_COMMAND_MEMORY_TO_MEMORY,
  DMA_MASTER_CLEAR,
  DMA_MODE,
  DMA_MODE_AUTOINIT,
  DMA_MODE_BLOCK,
  DMA_MODE_CASCADE,
  DMA_MODE_CHANNEL,
  DMA_MODE_DECREMENT,
  DMA_MODE_READ,
  DMA_MODE_TRANSFER,
  DMA_MODE_TYPE,
  DMA_MODE_VERIFY,
  DMA_MODE_WRITE,
  DMA_REQUEST,
  DMA_SET_BIT,
  DMA_SINGLE_MASK,
  DMA_STATUS,
  DMA_TEMPORARY,
} from '../../hal/isa-registers.ts';

const CHANNELS = 4;
const FLOATING_BUS = 0xff;

/** What the controller reaches memory through: only what was mapped for it. */
export interface DmaMemory extends Pick<BusMaster, 'read' | 'write'> {
  /** May all of the range be reached? A question: "no" is no transfer that was stopped. */
  reaches(busAddress: number, length: number): boolean;
}

/** State of a channel, for tests and listings. */
export interface DmaChannelState {
  readonly baseAddress: number;
  readonly baseCount: number;
  readonly currentAddress: number;
  readonly currentCount: number;
  readonly mode: number;
  readonly page: number;
  readonly masked: boolean;
  /** Level of DRQ. */
  readonly requested: boolean;
  readonly terminalCount: boolean;
}

class Channel {
  baseAddress = 0;
  baseCount = 0;
  currentAddress = 0;
  currentCount = 0;
  mode = 0;
  page = 0;
  masked = true;
  /** DRQ of the device. */
  drq = false;
  softwareRequest = false;
  reachedCount = false;
  device: IsaDmaDevice | null = null;
  /** Said once per programming, so that a stuck driver does not fill the timeline. */
  complained = false;
}

/**
 * One 8237A with the page registers that a PC puts beside it. Transfers take no time: the bus is far faster than a sound card. They are
 * made when the device makes them, at the device's own pace, in whole blocks; count and address are exact at every look, since the
 * device is told to catch up before any register is read or written.
 *
 * Not modelled: memory-to-memory transfers (the PC/AT cannot make them: the two channels have different page registers), compressed
 * timing, priority (nothing waits for the bus).
 */
export class Dma8237 {
  readonly #name: string;
  readonly #unitBytes: 1 | 2;
  readonly #memory: DmaMemory;
  readonly #report: CardReporter;
  readonly #enabledByOther: () => boolean;
  readonly #channels: readonly Channel[] = Array.from({ length: CHANNELS }, () => new Channel());
  #command = 0;
  #temporary = 0;
  #highByte = false;
  readonly #scratch = new Uint8Array(0x2_0000);

  /**
   * @param name `DMA1`, `DMA2`
   * @param unitBytes 1, or 2 for a controller whose address lines are shifted by one
   * @param enabledByOther whether the controller that this one is cascaded through lets its requests pass
   */
  constructor(
    name: string,
    unitBytes: 1 | 2,
    memory: DmaMemory,
    report: CardReporter,
    enabledByOther: () => boolean = () => true,
  ) {
    this.#name = name;
    this.#unitBytes = unitBytes;
    this.#memory = memory;
    this.#report = report;
    this.#enabledByOther = enabledByOther;
  }

  /** RESET: as Master Clear; addresses, counts, modes and pages start at 0 here (the chip leaves them undefined). */
  reset(): void {
    for (const channel of this.#channels) {
      channel.baseAddress = channel.baseCount = channel.currentAddress = channel.currentCount = 0;
      channel.mode = 0;
      channel.page = 0;
    }
    this.#masterClear();
  }

  connect(channel: number, device: IsaDmaDevice | null): void {
    const entry = this.#channels[channel];
    if (!entry) return;
    entry.device = device;
    entry.drq = false;
  }

  setRequest(channel: number, asserted: boolean): void {
    const entry = this.#channels[channel];
    if (entry) entry.drq = asserted;
  }

  /** Does the first channel let another controller through? */
  get cascades(): boolean {
    const [first] = this.#channels;
    return (
      first !== undefined &&
      !first.masked &&
      (first.mode & DMA_MODE_TYPE) === DMA_MODE_CASCADE &&
      (this.#command & DMA_COMMAND_DISABLE) === 0
    );
  }

  state(channel: number): DmaChannelState {
    const entry = this.#channels[channel];
    if (!entry) throw new RangeError(`A controller has channels 0 to 3, not ${channel}.`);
    entry.device?.catchUp();
    const { baseAddress, baseCount, currentAddress, currentCount, mode, page, masked } = entry;
    return {
      baseAddress,
      baseCount,
      currentAddress,
      currentCount,
      mode,
      page,
      masked,
      requested: entry.drq,
      terminalCount: entry.reachedCount,
    };
  }

  // --- registers ---

  /** Every device on this controller moves what is due by now. */
  catchUp(): void {
    for (const { device } of this.#channels) device?.catchUp();
  }

  /** Every device on this controller looks whether a waiting request may be served. */
  tellDevices(): void {
    for (const { device } of this.#channels) device?.changed();
  }

  readRegister(register: number): number {
    this.catchUp();
    const value = this.#read(register);
    if (this.#report.wantsRegisters) {
      this.#report.register(`${this.#name}_${dmaRegisterName(register, 'read')}`, 'read', value, 1);
    }
    return value;
  }

  writeRegister(register: number, value: number): void {
    this.catchUp();
    if (this.#report.wantsRegisters) {
      this.#report.register(`${this.#name}_${dmaRegisterName(register, 'write')}`, 'write', value, 1);
    }
    this.#write(register, value);
    this.tellDevices();
  }

  readPage(channel: number): number {
    return this.#channels[channel]?.page ?? 0xff;
  }

  writePage(channel: number, value: number): void {
    const entry = this.#channels[channel];
    if (!entry) return;
    entry.device?.catchUp();
    entry.page = value;
    entry.complained = false;
  }

  #read(register: number): number {
    if (register < 2 * CHANNELS) {
      const channel = this.#channels[register >> 1];
      const value = (register & 1) === 0 ? channel?.currentAddress : channel?.currentCount;
      return this.#half(value ?? 0);
    }
    switch (register) {
      case DMA_STATUS: {
        let status = 0;
        this.#channels.forEach((channel, index) => {
          if (channel.reachedCount) status |= 1 << index;
          if (channel.drq || channel.softwareRequest) status |= 0x10 << index;
          // Reading takes the terminal count bits away ("Status register").
          channel.reachedCount = false;
        });
        return status;
      }
      case DMA_TEMPORARY:
        return this.#temporary;
      default:
        // Reads of the other command codes are illegal (figure 6); the data lines float.
        return FLOATING_BUS;
    }
  }

  #half(value: number): number {
    const high = this.#highByte;
    this.#highByte = !high;
    return high ? value >> 8 : value & 0xff;
  }

  #write(register: number, value: number): void {
    if (register < 2 * CHANNELS) {
      const channel = this.#channels[register >> 1];
      if (channel) this.#writeHalf(channel, (register & 1) === 0, value);
      return;
    }
    const channel = this.#channels[value & DMA_MODE_CHANNEL] as Channel;
    switch (register) {
      case DMA_COMMAND:
        this.#command = value;
        if ((value & DMA_COMMAND_MEMORY_TO_MEMORY) !== 0) {
          this.#report.finding(`${this.#name}: memory-to-memory transfers do not exist on a PC`, { value });
        }
        if ((value & (DMA_COMMAND_DREQ_LOW | DMA_COMMAND_DACK_HIGH)) !== 0) {
          this.#report.finding(`${this.#name}: DREQ is active high and DACK# active low on a PC`, { value });
        }
        break;
      case DMA_REQUEST:
        channel.softwareRequest = (value & DMA_SET_BIT) !== 0;
        if (channel.softwareRequest) this.#serveSoftwareRequest(channel);
        break;
      case DMA_SINGLE_MASK:
        this.#setMask(channel, (value & DMA_SET_BIT) !== 0);
        break;
      case DMA_MODE:
        channel.mode = value & ~DMA_MODE_CHANNEL;
        channel.complained = false;
        break;
      case DMA_CLEAR_FLIP_FLOP:
        this.#highByte = false;
        break;
      case DMA_MASTER_CLEAR:
        this.#masterClear();
        break;
      case DMA_CLEAR_MASK:
        for (const each of this.#channels) this.#setMask(each, false);
        break;
      case DMA_ALL_MASK:
        for (const [index, each] of this.#channels.entries())
          this.#setMask(each, ((value >> index) & 1) !== 0);
        break;
      default:
        break;
    }
  }

  #writeHalf(channel: Channel, address: boolean, value: number): void {
    const high = this.#highByte;
    this.#highByte = !high;
    const merge = (old: number) => (high ? (old & 0x00ff) | (value << 8) : (old & 0xff00) | value);
    // Base and current registers are written together ("Base address and base word count registers").
    if (address) {
      channel.baseAddress = merge(channel.baseAddress);
      channel.currentAddress = merge(channel.currentAddress);
    } else {
      channel.baseCount = merge(channel.baseCount);
      channel.currentCount = merge(channel.currentCount);
    }
    channel.complained = false;
  }

  #setMask(channel: Channel, masked: boolean): void {
    channel.masked = masked;
    channel.complained = false;
  }

  /** Command, status, request and temporary registers and the flip-flop are cleared, all channels masked ("Master clear"). */
  #masterClear(): void {
    this.#command = 0;
    this.#temporary = 0;
    this.#highByte = false;
    for (const channel of this.#channels) {
      channel.softwareRequest = false;
      channel.reachedCount = false;
      channel.masked = true;
      channel.complained = false;
    }
  }

  // --- transfers ---

  /**
   * Moves up to `bytes.length` bytes between the device and memory; see {@link IsaDmaLine.read}. Returns the bytes moved; whether
   * terminal count was reached is left in `reached.terminalCount`.
   */
  transfer(
    index: number,
    direction: 'read' | 'write',
    bytes: Uint8Array,
    reached: { terminalCount: boolean },
  ): number {
    reached.terminalCount = false;
    const channel = this.#channels[index];
    if (!channel || !this.#serves(channel, index, direction)) return 0;
    const units = Math.floor(bytes.length / this.#unitBytes);
    let done = 0;
    while (done < units) {
      const take = Math.min(units - done, channel.currentCount + 1);
      this.#move(channel, index, bytes, done * this.#unitBytes, take);
      done += take;
      if (this.#count(channel, take)) {
        reached.terminalCount = true;
        if (channel.masked) break;
      }
    }
    return done * this.#unitBytes;
  }

  #serves(channel: Channel, index: number, direction: 'read' | 'write'): boolean {
    if (channel.masked || (this.#command & DMA_COMMAND_DISABLE) !== 0 || !this.#enabledByOther())
      return false;
    const kind = channel.mode & DMA_MODE_TRANSFER;
    const wanted = direction === 'read' ? DMA_MODE_READ : DMA_MODE_WRITE;
    const cascade = (channel.mode & DMA_MODE_TYPE) === DMA_MODE_CASCADE;
    if (!cascade && (kind === wanted || kind === DMA_MODE_VERIFY)) return true;
    if (!channel.complained) {
      channel.complained = true;
      this.#report.finding(
        `${this.#name} channel ${index} is requested for a ${direction}, but its mode register says otherwise; nothing moves.`,
        { channel: index, mode: channel.mode },
      );
    }
    return false;
  }

  /** The address counter has moved by `units`; true when the word count went through zero. */
  #count(channel: Channel, units: number): boolean {
    const step = (channel.mode & DMA_MODE_DECREMENT) !== 0 ? -units : units;
    channel.currentAddress = (channel.currentAddress + step) & 0xffff;
    const left = channel.currentCount - units;
    channel.currentCount = left & 0xffff;
    if (left >= 0) return false;
    channel.reachedCount = true;
    channel.softwareRequest = false;
    if ((channel.mode & DMA_MODE_AUTOINIT) !== 0) {
      channel.currentAddress = channel.baseAddress;
      channel.currentCount = channel.baseCount;
    } else {
      channel.masked = true;
    }
    return true;
  }

  /** Moves `units` cycles, not beyond terminal count, without touching the counters. The page does not take part in counting. */
  #move(channel: Channel, index: number, bytes: Uint8Array, offset: number, units: number): void {
    const kind = channel.mode & DMA_MODE_TRANSFER;
    if (kind === DMA_MODE_VERIFY) {
      // Addresses and DACK# only: neither memory nor card sees a strobe, and the data lines float.
      bytes.fill(FLOATING_BUS, offset, offset + units * this.#unitBytes);
      return;
    }
    const unitBytes = this.#unitBytes;
    const down = (channel.mode & DMA_MODE_DECREMENT) !== 0;
    let at = channel.currentAddress;
    for (let done = 0; done < units; ) {
      const take = Math.min(units - done, down ? at + 1 : 0x1_0000 - at);
      const lowest = down ? at - take + 1 : at;
      const from = offset + done * unitBytes;
      const length = take * unitBytes;
      const part = from === 0 && length === bytes.length ? bytes : bytes.subarray(from, from + length);
      const busAddress = this.#busAddress(channel, lowest);
      if (this.#report.wantsDma) {
        const direction = kind === DMA_MODE_READ ? 'read' : 'write';
        this.#report.dma(`${this.#name} channel ${index}`, direction, busAddress, part.length);
      }
      this.#movePart(kind === DMA_MODE_READ, down, busAddress, part);
      done += take;
      at = (down ? at - take : at + take) & 0xffff;
    }
  }

  /** The page is A23–A16, on the word controller A23–A17 with the address lines moved up by one. */
  #busAddress(channel: Channel, address: number): number {
    return this.#unitBytes === 1
      ? channel.page * 0x1_0000 + address
      : (channel.page & 0xfe) * 0x1_0000 + address * 2;
  }

  #movePart(fromMemory: boolean, down: boolean, busAddress: number, part: Uint8Array): void {
    const block = down ? this.#scratch.subarray(0, part.length) : part;
    if (down && !fromMemory) reverseUnits(part, block, this.#unitBytes);
    if (this.#memory.reaches(busAddress, block.length)) {
      if (fromMemory) this.#memory.read(busAddress, block);
      else this.#memory.write(busAddress, block);
    } else {
      this.#movePieces(fromMemory, busAddress, block);
    }
    if (down && fromMemory) reverseUnits(block, part, this.#unitBytes);
  }

  /**
   * Not all of the block may be reached. Cycle by cycle the chip goes on all the same, since it hears no error: what may be reached
   * moves; elsewhere reads find the bus floating and writes go nowhere. Each stretch of those is reported, by trying it once.
   */
  #movePieces(fromMemory: boolean, busAddress: number, block: Uint8Array): void {
    const unitBytes = this.#unitBytes;
    const allowed = (at: number) => this.#memory.reaches(busAddress + at, unitBytes);
    for (let start = 0; start < block.length; ) {
      const reachable = allowed(start);
      let end = start + unitBytes;
      while (end < block.length && allowed(end) === reachable) end += unitBytes;
      const stretch = block.subarray(start, end);
      if (fromMemory) {
        if (!this.#memory.read(busAddress + start, stretch)) stretch.fill(FLOATING_BUS);
      } else this.#memory.write(busAddress + start, stretch);
      start = end;
    }
  }

  /**
   * A request by software (block mode; "Request register"): the channel runs to terminal count by itself. No card answers, so that reads
   * go nowhere and writes find the bus floating. It cannot be masked.
   */
  #serveSoftwareRequest(channel: Channel): void {
    if ((channel.mode & DMA_MODE_TYPE) !== DMA_MODE_BLOCK) return;
    if ((this.#command & DMA_COMMAND_DISABLE) !== 0 || !this.#enabledByOther()) return;
    const units = channel.currentCount + 1;
    const bytes = this.#scratch.slice(0, units * this.#unitBytes).fill(FLOATING_BUS);
    this.#move(channel, this.#channels.indexOf(channel), bytes, 0, units);
    this.#count(channel, units);
  }
}

function reverseUnits(from: Uint8Array, to: Uint8Array, unitBytes: 1 | 2): void {
  const last = from.length - unitBytes;
  for (let at = 0; at < from.length; at += unitBytes) {
    for (let i = 0; i < unitBytes; i++) to[last - at + i] = from[at + i] ?? 0;
  }
}

const WRITE_NAMES: readonly string[] = [
  'COMMAND',
  'REQUEST',
  'SINGLE_MASK',
  'MODE',
  'CLEAR_FLIP_FLOP',
  'MASTER_CLEAR',
  'CLEAR_MASK',
  'ALL_MASK',
];

/** `ADDRESS1`, `COUNT3`, `STATUS`, `MODE`: what register `register` is called in this direction. */
export function dmaRegisterName(register: number, direction: 'read' | 'write'): string {
  if (register < 2 * CHANNELS) return `${(register & 1) === 0 ? 'ADDRESS' : 'COUNT'}${register >> 1}`;
  if (direction === 'read') {
    if (register === DMA_STATUS) return 'STATUS';
    return register === DMA_TEMPORARY ? 'TEMPORARY' : `REGISTER_${register.toString(16).toUpperCase()}`;
  }
  return WRITE_NAMES[register - DMA_COMMAND] ?? '';
}
