import type { CommonBuffer, DMA_ADAPTER } from '../../hal/index.ts';
import { pollRegister } from '../../hal/index.ts';
import {
  KSPIN_LOCK,
  keAcquireSpinLock,
  keQueryInterruptTime,
  keReleaseSpinLock,
  keStallExecutionProcessor,
  NtError,
  STATUS_DEVICE_NOT_CONNECTED,
  STATUS_DEVICE_NOT_READY,
  STATUS_IO_TIMEOUT,
  TICKS_PER_MICROSECOND,
} from '../../kernel/index.ts';
import { NOBODY_USHORT, type RegisterWindow } from './register-window.ts';
import * as R from './registers.ts';

/** A response is due a link frame (20.8 µs) after its command; codecs that do work of their own first are known to take milliseconds. */
const RESPONSE_LIMIT_US = 10_000;
const POLL_US = 10;
/** The rings' handshakes end within a few bus clocks. */
const RING_LIMIT_US = 400;

const CORB_ENTRY_BYTES = 4;
const RIRB_ENTRY_BYTES = 8;
/** Sizes a ring can have, by its bit in the register's capability half and its code (§3.3.24, §3.3.31). */
const RING_SIZES: readonly (readonly [capability: number, code: number, entries: number])[] = [
  [0x40, 2, 256],
  [0x20, 1, 16],
  [0x10, 0, 2],
];
/** Both rings lie in one common buffer; either begins on a 128-byte boundary. */
const RIRB_OFFSET = 1024;
const RINGS_BYTES = RIRB_OFFSET + 256 * RIRB_ENTRY_BYTES;
/** Unsolicited responses that may wait for their DPC; each only says that there is something to look at. */
const UNSOLICITED_LIMIT = 64;
/** Verbs up to this one have 4 bits and a payload of 16, the others 12 bits and a payload of 8 (§7.3). */
const LAST_SHORT_VERB = 0x0f;

/** What a codec said without being asked. */
export interface UnsolicitedResponse {
  readonly codecAddress: number;
  /** The tag in bits 31:26, the rest depends on the widget (§7.3.3.14). */
  readonly response: number;
}

/** What the link needs of its controller. */
export interface CommandLinkHost {
  /** Runs `action` so that the interrupt service routine cannot come between. */
  synchronized<T>(action: () => T): T;
  /** The interrupt is connected: responses are taken in by it as well. */
  readonly interruptsOn: boolean;
}

/**
 * Commands to codecs and their responses (§4.4): through the command and the response ring in memory, or, where those do not work, the
 * immediate command registers. One command is under way at a time.
 */
export class HdaCommandLink {
  readonly #registers: RegisterWindow;
  readonly #host: CommandLinkHost;
  readonly #dmaAdapter: DMA_ADAPTER;
  readonly #lock = new KSPIN_LOCK('HDA command link');
  readonly #unsolicited: UnsolicitedResponse[] = [];
  #rings: CommonBuffer | null = null;
  #corbMask = 0;
  #rirbMask = 0;
  #corbWp = 0;
  #rirbRp = 0;
  #up = false;
  #immediate = false;
  #awaited = -1;
  #response: number | null = null;

  constructor(registers: RegisterWindow, dmaAdapter: DMA_ADAPTER, host: CommandLinkHost) {
    this.#registers = registers;
    this.#dmaAdapter = dmaAdapter;
    this.#host = host;
  }

  /** Frees the rings; the controller reaches them no longer. PASSIVE_LEVEL. */
  close(): void {
    this.#up = false;
    if (this.#rings) this.#dmaAdapter.freeCommonBuffer(this.#rings);
    this.#rings = null;
  }

  /** Starts the rings after the controller's reset. PASSIVE_LEVEL. @throws NtError STATUS_IO_TIMEOUT, STATUS_INSUFFICIENT_RESOURCES */
  start(): void {
    this.#rings ??= this.#dmaAdapter.allocateCommonBuffer(RINGS_BYTES, false);
    this.#unsolicited.length = 0;
    this.#up = true;
    if (this.#immediate) return;
    try {
      this.#startRings(this.#rings.logicalAddress);
    } catch (error) {
      if (!(error instanceof NtError) || error.status !== STATUS_IO_TIMEOUT) throw error;
      this.useImmediateCommands();
    }
  }

  /** No commands until the next {@link start}; the rings stop where there is still a controller to tell. */
  stop(registersAnswer: boolean): void {
    this.#up = false;
    if (registersAnswer) this.#stopRings();
  }

  /** Gives the rings up for good: commands go through the immediate registers, and codecs are not heard unasked. */
  useImmediateCommands(): void {
    this.#stopRings();
    this.#immediate = true;
  }

  get immediate(): boolean {
    return this.#immediate;
  }

  /**
   * Sends a command and waits for its response. Verbs of 4 bits take 16 bits of payload, verbs of 12 bits 8. IRQL <= DISPATCH_LEVEL, at which the wait is
   * spent: a DPC that asks the codec something cannot come between command and response.
   *
   * @throws NtError STATUS_IO_TIMEOUT when the codec does not answer, STATUS_DEVICE_NOT_CONNECTED when the card is gone,
   * STATUS_DEVICE_NOT_READY while the link is down
   */
  command(codecAddress: number, nid: number, verb: number, payload: number): number {
    const low = verb <= LAST_SHORT_VERB ? (verb << 16) | (payload & 0xffff) : (verb << 8) | (payload & 0xff);
    const command = ((codecAddress << 28) | (nid << 20) | low) >>> 0;
    const old = keAcquireSpinLock(this.#lock);
    try {
      if (!this.#up) throw new NtError(STATUS_DEVICE_NOT_READY, 'HDA: the link is down.');
      return this.#immediate ? this.#sendImmediate(command) : this.#sendByRing(command, codecAddress);
    } finally {
      keReleaseSpinLock(this.#lock, old);
    }
  }

  /** Takes what arrived out of the response ring. The interrupt service routine must be kept out, or be the caller. Any IRQL. */
  receive(): void {
    const rings = this.#rings;
    if (rings === null || !this.#up || this.#immediate) return;
    const pointer = this.#registers.readUshort(R.RIRBWP);
    if (pointer === NOBODY_USHORT) return;
    const last = pointer & this.#rirbMask;
    while (this.#rirbRp !== last) {
      this.#rirbRp = (this.#rirbRp + 1) & this.#rirbMask;
      const at = RIRB_OFFSET + this.#rirbRp * RIRB_ENTRY_BYTES;
      const response = rings.readUlong(at);
      const from = rings.readUlong(at + 4);
      const codecAddress = from & R.RESPONSE_CODEC;
      if ((from & R.RESPONSE_UNSOLICITED) !== 0) {
        if (this.#unsolicited.length < UNSOLICITED_LIMIT) this.#unsolicited.push({ codecAddress, response });
      } else if (codecAddress === this.#awaited) {
        this.#response = response;
        this.#awaited = -1;
      }
    }
  }

  /** Takes RIRBSTS back; QEMU's controller executes no further command before. As {@link receive}. */
  acknowledge(): void {
    const status = this.#registers.readUchar(R.RIRBSTS);
    const taken = status & (R.RIRBSTS_RINTFL | R.RIRBSTS_OIS);
    if (taken !== 0) this.#registers.writeUchar(R.RIRBSTS, taken);
  }

  get hasUnsolicited(): boolean {
    return this.#unsolicited.length > 0;
  }

  /** The oldest unsolicited response, or null. Any IRQL. */
  takeUnsolicited(): UnsolicitedResponse | null {
    return this.#host.synchronized(() => this.#unsolicited.shift() ?? null);
  }

  /* ---- rings ---- */

  #startRings(busAddress: number): void {
    const registers = this.#registers;
    this.#stopRings();
    this.#corbMask = this.#setSize(R.CORBSIZE) - 1;
    this.#rirbMask = this.#setSize(R.RIRBSIZE) - 1;
    registers.writeAddress(R.CORBLBASE, busAddress);
    registers.writeAddress(R.RIRBLBASE, busAddress + RIRB_OFFSET);
    registers.writeUshort(R.CORBWP, 0);
    // A handshake: the bit reads 1 once the pointer is reset, and is written back to 0 (§3.3.21). Chips are known whose bit never reads
    // 1, so that the first half is waited for a while only.
    registers.writeUshort(R.CORBRP, R.CORBRP_RESET);
    this.#waitAWhile(() => (registers.readUshort(R.CORBRP) & R.CORBRP_RESET) !== 0);
    registers.writeUshort(R.CORBRP, 0);
    pollRegister('CORBRP.CORBRPRST', () => registers.readUshort(R.CORBRP), R.CORBRP_RESET, 0, RING_LIMIT_US);
    registers.writeUshort(R.RIRBWP, R.RIRBWP_RESET);
    this.#corbWp = 0;
    this.#rirbRp = 0;
    // After each response: with a count of 0 QEMU's controller never begins.
    registers.writeUshort(R.RINTCNT, 1);
    registers.writeUchar(R.RIRBSTS, R.RIRBSTS_RINTFL | R.RIRBSTS_OIS);
    registers.writeUchar(R.RIRBCTL, R.RIRBCTL_DMAEN | R.RIRBCTL_RINTCTL);
    registers.writeUchar(R.CORBCTL, R.CORBCTL_RUN);
    const run = R.CORBCTL_RUN;
    pollRegister('CORBCTL.CORBRUN', () => registers.readUchar(R.CORBCTL), run, run, RING_LIMIT_US);
  }

  #setSize(register: number): number {
    const value = this.#registers.readUchar(register);
    const [, code, entries] = RING_SIZES.find(([capability]) => (value & capability) !== 0) ?? [0, 2, 256];
    if ((value & 3) !== code) this.#registers.writeUchar(register, (value & ~3) | code);
    return entries;
  }

  #stopRings(): void {
    const registers = this.#registers;
    registers.writeUchar(R.CORBCTL, 0);
    registers.writeUchar(R.RIRBCTL, 0);
    this.#waitAWhile(() => (registers.readUchar(R.CORBCTL) & R.CORBCTL_RUN) === 0);
    this.#waitAWhile(() => (registers.readUchar(R.RIRBCTL) & R.RIRBCTL_DMAEN) === 0);
  }

  #waitAWhile(done: () => boolean): void {
    for (let waited = 0; waited < RING_LIMIT_US && !done(); waited += POLL_US)
      keStallExecutionProcessor(POLL_US);
  }

  #sendByRing(command: number, codecAddress: number): number {
    const registers = this.#registers;
    this.#response = null;
    this.#awaited = codecAddress;
    this.#corbWp = (this.#corbWp + 1) & this.#corbMask;
    this.#rings?.writeUlong(this.#corbWp * CORB_ENTRY_BYTES, command);
    registers.writeUshort(R.CORBWP, this.#corbWp);
    const deadline = keQueryInterruptTime() + RESPONSE_LIMIT_US * TICKS_PER_MICROSECOND;
    for (;;) {
      const response = this.#takeResponse();
      if (response !== null) return response;
      if (registers.readUshort(R.RIRBWP) === NOBODY_USHORT) {
        this.#awaited = -1;
        throw new NtError(STATUS_DEVICE_NOT_CONNECTED, 'HDA: the controller answers no longer.');
      }
      if (keQueryInterruptTime() >= deadline) {
        this.#awaited = -1;
        throw noAnswer(command);
      }
      keStallExecutionProcessor(POLL_US);
    }
  }

  /** The interrupt may have taken the response in already. */
  #takeResponse(): number | null {
    if (this.#response !== null && this.#host.interruptsOn) return this.#response;
    return this.#host.synchronized(() => {
      this.receive();
      if (this.#response !== null || !this.#host.interruptsOn) this.acknowledge();
      return this.#response;
    });
  }

  #sendImmediate(command: number): number {
    const registers = this.#registers;
    const status = () => registers.readUshort(R.ICIS);
    if (status() === NOBODY_USHORT)
      throw new NtError(STATUS_DEVICE_NOT_CONNECTED, 'HDA: the controller answers no longer.');
    // A command that nobody answered is given up (§3.4.3).
    if ((status() & R.ICIS_ICB) !== 0) registers.writeUshort(R.ICIS, 0);
    registers.writeUshort(R.ICIS, R.ICIS_IRV);
    registers.writeUlong(R.ICOI, command);
    registers.writeUshort(R.ICIS, R.ICIS_ICB);
    const deadline = keQueryInterruptTime() + RESPONSE_LIMIT_US * TICKS_PER_MICROSECOND;
    while ((status() & (R.ICIS_ICB | R.ICIS_IRV)) !== R.ICIS_IRV) {
      if (keQueryInterruptTime() >= deadline) throw noAnswer(command);
      keStallExecutionProcessor(POLL_US);
    }
    return registers.readUlong(R.ICII);
  }
}

function noAnswer(command: number): NtError {
  const text = command.toString(16).padStart(8, '0');
  return new NtError(
    STATUS_IO_TIMEOUT,
    `HDA: codec ${command >>> 28} has not answered the command ${text}h within ${RESPONSE_LIMIT_US / 1000} ms.`,
  );
}
