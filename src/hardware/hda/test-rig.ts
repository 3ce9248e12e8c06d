/** A card in a test slot with the moves that every test of it makes: bring-up, verbs both ways, stream set-up. */
import { FakeSlot, type FakeSlotOptions, FakeWindow } from '../test-slot.ts';
import { HdaCard, type HdaCardOptions } from './card.ts';
import { encodeHdaFormat } from './format.ts';
import * as R from './registers.ts';
import { encodeHdaCommand } from './verbs.ts';

/** Where the tests keep their rings, lists and data. */
export const CORB_ADDRESS = 0x10_0000;
export const RIRB_ADDRESS = 0x10_0800;
export const POSITION_ADDRESS = 0x10_1000;
export const LIST_ADDRESS = 0x10_2000;
export const DATA_ADDRESS = 0x11_0000;
/** One link frame in ticks, rounded up. */
export const LINK_FRAME_TICKS = 209;

/** One descriptor as a test writes it. */
export interface TestEntry {
  readonly address: number;
  readonly bytes: number;
  readonly ioc?: boolean;
}

/** A stream as a test sets it up. */
export interface TestStream {
  readonly stream: number;
  readonly tag: number;
  readonly format: number;
  readonly entries: readonly TestEntry[];
  readonly enables?: number;
}

/** One response in the ring. */
export interface TestResponse {
  readonly response: number;
  readonly extended: number;
}

export function formatWord(rate: number, bits: number, channels: number): number {
  const word = encodeHdaFormat(rate, bits, channels);
  if (word === null) throw new Error(`${rate} Hz ${bits} bit ${channels} ch has no format word`);
  return word;
}

export function sdOffset(stream: number): number {
  return R.SD_BASE + stream * R.SD_BYTES;
}

export class HdaRig {
  readonly slot: FakeSlot;
  readonly card: HdaCard;
  readonly mmio: FakeWindow;
  #corbWp = 0;
  #rirbRp = 0;

  constructor(options: HdaCardOptions = {}, slotOptions: FakeSlotOptions = {}) {
    this.slot = new FakeSlot(slotOptions);
    this.card = new HdaCard(options);
    this.card.attach(this.slot);
    this.card.reset();
    this.mmio = new FakeWindow(this.card, 0);
  }

  get now(): number {
    return this.slot.clock.now;
  }

  advance(ticks: number): void {
    this.slot.clock.advance(ticks);
  }

  /** Releases the reset and waits for the codecs. */
  bringUp(): this {
    this.mmio.write32(R.GCTL, R.GCTL_CRST);
    this.advance(10_000);
    return this;
  }

  /** Sets up and runs both rings. */
  startRings(rirbCtl = R.RIRBCTL_DMAEN, rintcnt = 1): this {
    this.mmio.write32(R.CORBLBASE, CORB_ADDRESS);
    this.mmio.write16(R.CORBRP, R.RING_POINTER_RESET);
    this.mmio.write16(R.CORBRP, 0);
    this.mmio.write32(R.RIRBLBASE, RIRB_ADDRESS);
    this.mmio.write16(R.RIRBWP, R.RING_POINTER_RESET);
    this.mmio.write16(R.RINTCNT, rintcnt);
    this.mmio.write8(R.RIRBCTL, rirbCtl);
    this.mmio.write8(R.CORBCTL, R.CORBCTL_RUN);
    return this;
  }

  /** Puts a command into the CORB and tells the card. */
  post(codec: number, nid: number, verb: number, payload: number): void {
    this.#corbWp = (this.#corbWp + 1) & 0xff;
    this.slot.writeRamUlong(CORB_ADDRESS + 4 * this.#corbWp, encodeHdaCommand(codec, nid, verb, payload));
    this.mmio.write16(R.CORBWP, this.#corbWp);
  }

  /** Responses that came since the last call. */
  responses(): TestResponse[] {
    const list: TestResponse[] = [];
    const wp = this.mmio.read16(R.RIRBWP);
    while (this.#rirbRp !== wp) {
      this.#rirbRp = (this.#rirbRp + 1) & 0xff;
      const at = RIRB_ADDRESS + 8 * this.#rirbRp;
      list.push({ response: this.ramUlong(at), extended: this.ramUlong(at + 4) });
    }
    return list;
  }

  /** A verb through the immediate registers. Throws when nobody answers. */
  verb(nid: number, verb: number, payload = 0, codec = 0): number {
    this.mmio.write16(R.ICIS, R.ICIS_IRV);
    this.mmio.write32(R.ICOI, encodeHdaCommand(codec, nid, verb, payload));
    this.mmio.write16(R.ICIS, R.ICIS_ICB);
    this.advance(3 * LINK_FRAME_TICKS);
    if ((this.mmio.read16(R.ICIS) & R.ICIS_IRV) === 0) throw new Error('no immediate response');
    return this.mmio.read32(R.ICII);
  }

  parameter(nid: number, parameter: number, codec = 0): number {
    return this.verb(nid, 0xf00, parameter, codec);
  }

  ramUlong(busAddress: number): number {
    return new DataView(this.slot.ram.buffer).getUint32(busAddress - this.slot.ramStart, true);
  }

  bytesAt(busAddress: number, length: number): Uint8Array {
    return this.slot.ram.subarray(busAddress - this.slot.ramStart, busAddress - this.slot.ramStart + length);
  }

  writeList(entries: readonly TestEntry[], address = LIST_ADDRESS): void {
    for (const [index, entry] of entries.entries()) {
      const at = address + 16 * index;
      this.slot.writeRamUlong(at, entry.address % 0x1_0000_0000);
      this.slot.writeRamUlong(at + 4, Math.floor(entry.address / 0x1_0000_0000));
      this.slot.writeRamUlong(at + 8, entry.bytes);
      this.slot.writeRamUlong(at + 12, entry.ioc ? 1 : 0);
    }
  }

  /** Resets the stream and programs it, without RUN. */
  prepare(stream: TestStream): number {
    const base = sdOffset(stream.stream);
    this.mmio.write8(base, R.CTL_SRST);
    this.advance(20);
    this.mmio.write8(base, 0);
    this.advance(20);
    const list = LIST_ADDRESS + 0x1000 * stream.stream;
    this.writeList(stream.entries, list);
    this.mmio.write32(base + R.SD_BDPL, list);
    this.mmio.write32(
      base + R.SD_CBL,
      stream.entries.reduce((sum, entry) => sum + entry.bytes, 0),
    );
    this.mmio.write16(base + R.SD_LVI, stream.entries.length - 1);
    this.mmio.write16(base + R.SD_FMT, stream.format);
    this.mmio.write8(base + 2, stream.tag << 4);
    return base;
  }

  /** {@link prepare} and RUN; returns the tick at which frame 0 begins. */
  run(stream: TestStream): number {
    const base = this.prepare(stream);
    this.mmio.write8(base, R.CTL_RUN | (stream.enables ?? 0));
    const position = this.card.position(stream.stream);
    if (!position.running) throw new Error('the stream does not run');
    return this.nextLinkFrame;
  }

  /** Start of the next link frame: now, when one begins now. */
  get nextLinkFrame(): number {
    const up = this.linkUpTick;
    const frames = Math.ceil(((this.now - up) * 48_000) / 10_000_000 - 1e-9);
    return up + Math.ceil((frames * 10_000_000) / 48_000 - 1e-9);
  }

  /** When CRST read 1 first; {@link bringUp} at tick 0 and 10 µs make it 100. */
  linkUpTick = 100;
}
