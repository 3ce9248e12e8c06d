import type { AccessSize, Alarm, BusTarget, CardSlot, PciBar, PciCard } from '../../hal/bus.ts';
import { TICKS_PER_MICROSECOND, TICKS_PER_MILLISECOND } from '../../hal/bus.ts';
import { MixTap } from '../codecs/mix-tap.ts';
import type { SampleClock } from '../sample-clock.ts';
import { AdcChannel } from './adc-channel.ts';
import { AK_CLOCK, Ak4531, akRegisterName } from './ak4531.ts';
import { AnalogInputs } from './analog-inputs.ts';
import type { Es1370Channel } from './channel.ts';
import { DacChannel } from './dac-channel.ts';
import { describeEs1370Value, es1370RegisterName } from './describe.ts';
import { InputMixer } from './input-mixer.ts';
import type { Es1370Jacks } from './jacks.ts';
import { type DacName, OutputMixer } from './output-mixer.ts';
import {
  ADC_COUNT,
  ADC_FRAME,
  ADC_SIZE,
  type ChannelName,
  CODEC,
  CONTROL,
  CTL_ADC_EN,
  CTL_ADC_STOP,
  CTL_CDC_EN,
  CTL_DAC_SYNC,
  CTL_DAC1_EN,
  CTL_DAC2_EN,
  CTL_PCLKDIV,
  CTL_PCLKDIV_SHIFT,
  CTL_RESET,
  CTL_UART_EN,
  CTL_WTSRSEL,
  CTL_WTSRSEL_SHIFT,
  DAC1_COUNT,
  DAC1_FRAME,
  DAC1_MAP,
  DAC1_SIZE,
  DAC2_COUNT,
  DAC2_FRAME,
  DAC2_MAP,
  ES1370_REGISTER_BYTES,
  ES1370_WINDOW_BYTES,
  MEMPAGE,
  PAGE_ADC,
  PAGE_BYTES,
  PAGE_DAC,
  PAGE_UART,
  PAGE_WINDOW,
  SER_P1_SCT_RLD,
  SER_WRITABLE,
  SERIAL,
  STAT_ADC,
  STAT_CSTAT,
  STAT_CWRIP,
  STAT_DAC1,
  STAT_DAC2,
  STAT_INTR,
  STAT_UART,
  STAT_VC_NONE,
  STATUS,
  UART_DATA,
  WTSRSEL_DIVISOR,
} from './registers.ts';
import { Uart } from './uart.ts';

/** What is plugged into the card, and how its parts are built. */
export interface Es1370CardOptions extends Es1370Jacks {
  /** How long a write to the codec is under way on its serial line. 5 µs by default. */
  readonly codecWriteTicks?: number;
  readonly subsystemVendorId?: number;
  readonly subsystemId?: number;
}

/** Where a channel is, by the card's own count. */
export interface Es1370Position {
  /** Bytes moved between memory and sample memory since the reset. */
  readonly dmaBytes: number;
  /** Frames that left the DAC, or came from the ADC, since then. */
  readonly converterFrames: number;
  /** Dword of the circular buffer that is moved next. */
  readonly frameIndex: number;
  readonly running: boolean;
}

/** How far the card lives at a time, so that one DAC's samples are kept for the other, and both for the ADC. */
const STEP_TICKS = 10 * TICKS_PER_MILLISECOND;

const DAC_NAMES: readonly DacName[] = ['DAC1', 'DAC2'];

function earlier(one: number | null, other: number | null): number | null {
  if (one === null || other === null) return one ?? other;
  return one < other ? one : other;
}

/**
 * The Ensoniq AudioPCI: an ES1370 with an AK4531 mixer codec ("AudioPCI ES1370 Specification"). One I/O window of 64 bytes of
 * registers, 16 of which are a window to the chip's memory ({@link MEMPAGE}).
 *
 * The card does nothing between accesses: every access, and an alarm for the next interrupt, first brings it up to the present.
 * Each channel's clock begins when the channel does; DAC2 and ADC share a divider. The serial line to the codec goes one way, so
 * that its registers cannot be read.
 *
 * Not modelled: the joystick port (an address of its own, 200h), the MPEG input, CCB voice interrupts and the test modes of the bus
 * and the UART; their bits are kept and read back.
 */
export class Es1370Card implements PciCard {
  readonly name = 'ES1370';
  readonly vendorId = 0x1274;
  readonly deviceId = 0x5000;
  readonly revisionId = 0x00;
  readonly classCode = 0x04_01_00;
  readonly subsystemVendorId: number;
  readonly subsystemId: number;
  readonly interruptPin = 1;
  /** Slow DEVSEL# timing, no fast back-to-back. */
  readonly status = 0x0400;
  readonly minGrant = 0x0c;
  readonly maxLatency = 0x80;
  readonly bars: readonly (PciBar | null)[];

  readonly #codec = new Ak4531();
  readonly #taps: Readonly<Record<DacName, MixTap>> = { DAC1: new MixTap(), DAC2: new MixTap() };
  readonly #output: OutputMixer;
  readonly #input: InputMixer;
  readonly #dac1: DacChannel;
  readonly #dac2: DacChannel;
  readonly #adc: AdcChannel;
  readonly #uart: Uart;
  readonly #codecWriteTicks: number;
  /** Pages 0–B, and the phantom frame: memory that nothing but software uses here. */
  readonly #memory = new DataView(new ArrayBuffer(16 * PAGE_BYTES));

  #slot: CardSlot | null = null;
  #alarm: Alarm | null = null;
  #alarmTick: number | null = null;
  #level = false;
  #advancedTo = 0;
  #control = CTL_RESET;
  #serial = 0;
  #page = 0;
  #uartTest = 0;
  #codecReadyTick = 0;
  /** Whose samples are the jack's grid, and who plays besides, during one step. */
  #leader: DacName | null = null;
  #other: DacName | null = null;

  constructor(options: Es1370CardOptions = {}) {
    this.subsystemVendorId = options.subsystemVendorId ?? 0x4942;
    this.subsystemId = options.subsystemId ?? 0x4c4c;
    this.#codecWriteTicks = options.codecWriteTicks ?? 5 * TICKS_PER_MICROSECOND;
    const inputs = new AnalogInputs(this.#codec, options);
    this.#output = new OutputMixer(this.#codec, inputs, this.#taps, options);
    this.#input = new InputMixer(this.#codec, inputs, this.#taps);
    this.#dac1 = new DacChannel(DAC1_MAP, (samples, frames, clock, first) =>
      this.#play('DAC1', samples, frames, clock, first),
    );
    this.#dac2 = new DacChannel(DAC2_MAP, (samples, frames, clock, first) =>
      this.#play('DAC2', samples, frames, clock, first),
    );
    this.#adc = new AdcChannel((into, frames, clock, first) => this.#input.read(into, frames, clock, first));
    this.#uart = new Uart(options.midiOut, options.midiIn, () => this.catchUp());
    const target: BusTarget = {
      read: (offset, size) => this.#read(offset, size),
      write: (offset, size, value) => this.#write(offset, size, value),
    };
    this.bars = [{ kind: 'io', size: ES1370_WINDOW_BYTES, target }];
  }

  attach(slot: CardSlot): void {
    this.#slot = slot;
    this.#advancedTo = slot.clock.now;
    this.#alarm = slot.clock.createAlarm(() => {
      this.#alarmTick = null;
      this.catchUp();
    });
    this.#alarmTick = null;
    this.#level = false;
    for (const channel of this.#channels) channel.attach(slot);
  }

  reset(): void {
    const now = this.#enter();
    this.#control = CTL_RESET;
    this.#serial = 0;
    this.#page = 0;
    this.#uartTest = 0;
    this.#codecReadyTick = 0;
    for (const channel of this.#channels) channel.reset(now);
    this.#adc.transferStopped = false;
    this.#codec.reset();
    this.#uart.setEnabled(false);
    this.#taps.DAC1.clear();
    this.#taps.DAC2.clear();
    this.#output.reset();
    this.#configure(now);
    this.#leave();
  }

  detach(): void {
    this.#alarm?.cancel();
    this.#alarm = null;
    this.#slot?.interrupt.setLevel(false);
    this.#slot = null;
    for (const channel of this.#channels) channel.detach();
  }

  /** Brings sinks and memory up to the present without touching a register. */
  catchUp(): void {
    this.#enter();
    this.#leave();
  }

  /** Where a channel is now, for tests and for comparing with what a driver believes. */
  position(name: ChannelName): Es1370Position {
    this.catchUp();
    const channel = name === 'DAC1' ? this.#dac1 : name === 'DAC2' ? this.#dac2 : this.#adc;
    return {
      dmaBytes: channel.bytesMoved,
      converterFrames: channel.framesConverted,
      frameIndex: channel.frameIndex,
      running: channel.running,
    };
  }

  /** The codec's registers, which no bus cycle can read. */
  codecRegisters(): readonly { readonly name: string; readonly value: number }[] {
    this.catchUp();
    return Array.from({ length: AK_CLOCK + 3 }, (_, register) => ({
      name: akRegisterName(register),
      value: this.#codec.value(register),
    }));
  }

  get #channels(): readonly Es1370Channel[] {
    return [this.#dac1, this.#dac2, this.#adc];
  }

  // --- time ---

  #enter(): number {
    const now = this.#slot?.clock.now ?? this.#advancedTo;
    while (this.#advancedTo < now) {
      // A channel that stops by itself, or changes who leads, does so at the end of a step.
      let step = Math.min(now, this.#advancedTo + STEP_TICKS);
      for (const channel of this.#channels) {
        const tick = channel.nextEventTick();
        if (tick !== null && tick > this.#advancedTo) step = Math.min(step, tick);
      }
      this.#advanceTo(step);
    }
    return now;
  }

  #advanceTo(tick: number): void {
    const dac1 = this.#dac1;
    const dac2 = this.#dac2;
    const both = dac1.running && dac2.running;
    const sameRate = dac1.clock.rate === dac2.clock.rate;
    // The faster one leads; with equal rates the one that did, so that nothing of it is lost when the other begins.
    const dac1Leads =
      dac1.running &&
      (!dac2.running || dac1.clock.rate > dac2.clock.rate || (sameRate && this.#leader === 'DAC1'));
    if (both) this.#output.setSameRate(sameRate);
    this.#leader = dac1Leads ? 'DAC1' : dac2.running ? 'DAC2' : null;
    const other = dac1Leads ? 'DAC2' : 'DAC1';
    this.#other = this.#leader !== null && (both || this.#output.holds(other)) ? other : null;
    if (dac1Leads) {
      dac2.advance(tick);
      dac1.advance(tick);
    } else {
      dac1.advance(tick);
      dac2.advance(tick);
    }
    if (this.#leader === null) {
      for (const name of DAC_NAMES) {
        const dac = name === 'DAC1' ? dac1 : dac2;
        if (this.#output.holds(name)) this.#output.drain(name, dac.clock, dac.handledFrames);
      }
      this.#output.idle(tick);
    }
    this.#adc.advance(tick);
    this.#uart.advance(tick);
    this.#advancedTo = tick;
  }

  get #leaderRate(): number {
    return (this.#leader === 'DAC1' ? this.#dac1 : this.#dac2).clock.rate;
  }

  #play(name: DacName, samples: Int16Array, frames: number, clock: SampleClock, firstFrame: number): void {
    const leads = name === this.#leader;
    if (!leads || this.#input.recordsDacs) this.#taps[name].append(samples, 0, frames, clock, firstFrame);
    if (leads) this.#output.play(name, samples, frames, clock, firstFrame, this.#other);
    else if (clock.rate === this.#leaderRate) this.#output.hold(name, samples, frames);
  }

  /** Ends an access: the consequences at this very tick, then the line and the alarm. */
  #leave(): void {
    const slot = this.#slot;
    if (slot === null) return;
    this.#advanceTo(this.#advancedTo);
    let tick = this.#uart.nextEventTick();
    for (const channel of this.#channels) tick = earlier(tick, channel.nextEventTick());
    if (this.#output.live) tick = earlier(tick, (Math.floor(this.#advancedTo / STEP_TICKS) + 1) * STEP_TICKS);
    if (tick !== this.#alarmTick) {
      this.#alarmTick = tick;
      if (tick === null) this.#alarm?.cancel();
      else this.#alarm?.set(tick);
    }
    this.#updateInterrupt();
  }

  /** The level of INTA#, recomputed from state. */
  #updateInterrupt(): void {
    const level = (this.#readStatus() & STAT_INTR) !== 0;
    if (level === this.#level) return;
    this.#level = level;
    // Last of all: whoever hears of the line may access the card at once.
    this.#slot?.interrupt.setLevel(level);
  }

  // --- registers ---

  #readStatus(): number {
    let value = STAT_VC_NONE;
    if (this.#dac1.interrupt) value |= STAT_DAC1;
    if (this.#dac2.interrupt) value |= STAT_DAC2;
    if (this.#adc.interrupt) value |= STAT_ADC;
    if (this.#uart.interrupt) value |= STAT_UART;
    if ((value & (STAT_DAC1 | STAT_DAC2 | STAT_ADC | STAT_UART)) !== 0) value |= STAT_INTR;
    if (this.#codecReadyTick > this.#advancedTo) value |= STAT_CSTAT | STAT_CWRIP;
    return value >>> 0;
  }

  /** CONTROL as the parts of the chip see it. */
  #configure(now: number): void {
    const control = this.#control;
    const divisor = ((control & CTL_PCLKDIV) >>> CTL_PCLKDIV_SHIFT) + 2;
    const fixed = WTSRSEL_DIVISOR[((control & CTL_WTSRSEL) >>> CTL_WTSRSEL_SHIFT) as 0 | 1 | 2 | 3];
    this.#dac1.control((control & CTL_DAC1_EN) !== 0, (control & CTL_DAC_SYNC) !== 0 ? divisor : fixed, now);
    this.#dac2.control((control & CTL_DAC2_EN) !== 0, divisor, now);
    this.#adc.transferStopped = (control & CTL_ADC_STOP) !== 0;
    this.#adc.control((control & CTL_ADC_EN) !== 0, divisor, now);
    this.#uart.setEnabled((control & CTL_UART_EN) !== 0);
    this.#followCodec();
  }

  #followCodec(): void {
    const enabled = (this.#control & CTL_CDC_EN) !== 0;
    this.#output.follow(enabled);
    this.#input.follow(enabled);
  }

  #writeSerial(value: number, now: number): void {
    this.#serial = value & SER_WRITABLE & ~SER_P1_SCT_RLD;
    for (const channel of this.#channels) channel.configure(this.#serial, now);
    if ((value & SER_P1_SCT_RLD) !== 0) this.#dac1.reloadCount(now);
  }

  /** A write to the codec begins; while one is under way the next one is lost. */
  #writeCodec(value: number, now: number): void {
    const register = (value >>> 8) & 0xff;
    if (this.#codecReadyTick > now) {
      this.#slot?.report.finding('codec write while another is under way (STATUS.CWRIP): it is lost', {
        register,
        value: value & 0xff,
      });
      return;
    }
    this.#codecReadyTick = now + this.#codecWriteTicks;
    if (!this.#codec.write(register, value & 0xff))
      this.#slot?.report.finding('write to a codec register that the AK4531 does not have', {
        register,
        value: value & 0xff,
      });
    this.#followCodec();
  }

  /** The dword at `offset`, without side effects. */
  #peek(offset: number): number {
    switch (offset) {
      case CONTROL:
        return this.#control;
      case STATUS:
        return this.#readStatus();
      case UART_DATA:
        return this.#uart.peekData() | (this.#uart.status << 8) | (this.#uartTest << 16);
      case MEMPAGE:
        return this.#page;
      case SERIAL:
        return this.#serial;
      case DAC1_COUNT:
        return this.#dac1.countRegister;
      case DAC2_COUNT:
        return this.#dac2.countRegister;
      case ADC_COUNT:
        return this.#adc.countRegister;
      default:
        return offset >= PAGE_WINDOW && offset < ES1370_REGISTER_BYTES ? this.#peekPage(offset) : 0;
    }
  }

  #peekPage(offset: number): number {
    const page = this.#page;
    if (page === PAGE_DAC) {
      if (offset === DAC1_FRAME) return this.#dac1.frameAddress;
      if (offset === DAC1_SIZE) return this.#dac1.sizeRegister;
      return offset === DAC2_FRAME ? this.#dac2.frameAddress : this.#dac2.sizeRegister;
    }
    if (page === PAGE_ADC) {
      if (offset === ADC_FRAME) return this.#adc.frameAddress;
      if (offset === ADC_SIZE) return this.#adc.sizeRegister;
    }
    if (page >= PAGE_UART) return this.#uart.fifoDword((page - PAGE_UART) * 4 + (offset - PAGE_WINDOW) / 4);
    return this.#memory.getUint32(page * PAGE_BYTES + offset - PAGE_WINDOW, true);
  }

  #read(offset: number, size: AccessSize): number {
    const report = this.#slot?.report;
    const ones = size === 1 ? 0xff : size === 2 ? 0xffff : 0xffff_ffff;
    if (report === undefined) return ones;
    this.#enter();
    const base = offset & ~3;
    const lane = offset & 3;
    if (base >= ES1370_REGISTER_BYTES) {
      report.finding('read beyond the registers', { offset, size });
      this.#leave();
      return ones;
    }
    const dword = this.#peek(base);
    const value = (lane === 0 ? dword : dword >>> (lane * 8)) & ones;
    if (base === UART_DATA && lane === 0) this.#uart.readData();
    if (report.wantsRegisters)
      report.register(
        es1370RegisterName(base, this.#page),
        'read',
        value >>> 0,
        size,
        lane === 0 ? describeEs1370Value(base, this.#page, value >>> 0) : undefined,
      );
    this.#leave();
    return value >>> 0;
  }

  #write(offset: number, size: AccessSize, value: number): void {
    const report = this.#slot?.report;
    if (report === undefined) return;
    const now = this.#enter();
    const base = offset & ~3;
    const shift = (offset & 3) * 8;
    const mask = ((size === 1 ? 0xff : size === 2 ? 0xffff : 0xffff_ffff) << shift) >>> 0;
    const placed = (value << shift) >>> 0;
    if (report.wantsRegisters)
      report.register(
        es1370RegisterName(base, this.#page),
        'write',
        value >>> 0,
        size,
        shift === 0 ? describeEs1370Value(base, this.#page, value >>> 0) : undefined,
      );
    if (base >= ES1370_REGISTER_BYTES) report.finding('write beyond the registers', { offset, size, value });
    else this.#writeDword(base, placed, mask, now);
    this.#leave();
  }

  /** The lanes of `mask` of the dword at `base` are written. */
  #writeDword(base: number, value: number, mask: number, now: number): void {
    switch (base) {
      case CONTROL:
        this.#control = ((this.#control & ~mask) | (value & mask)) >>> 0;
        this.#configure(now);
        break;
      case STATUS:
        // Read only: requests are acknowledged by the interrupt enables of SERIAL.
        break;
      case UART_DATA:
        if ((mask & 0xff) !== 0 && !this.#uart.writeData(value & 0xff, now))
          this.#slot?.report.finding('UART data written while it could not take it (UART_STATUS.TXRDY)', {
            value: value & 0xff,
          });
        if ((mask & 0xff00) !== 0) this.#uart.writeControl((value >>> 8) & 0xff);
        if ((mask & 0xff_0000) !== 0) this.#uartTest = (value >>> 16) & 0xff;
        break;
      case MEMPAGE:
        if ((mask & 0xff) !== 0) this.#page = value & 0x0f;
        break;
      case CODEC:
        if ((mask & 0xffff) === 0xffff) this.#writeCodec(value & 0xffff, now);
        else this.#slot?.report.finding('codec write of less than a word', { value });
        break;
      case SERIAL:
        this.#writeSerial((this.#serial & ~mask) | (value & mask), now);
        break;
      case DAC1_COUNT:
        this.#writeCount(this.#dac1, value, mask, now);
        break;
      case DAC2_COUNT:
        this.#writeCount(this.#dac2, value, mask, now);
        break;
      case ADC_COUNT:
        this.#writeCount(this.#adc, value, mask, now);
        break;
      default:
        if (base >= PAGE_WINDOW) this.#writePage(base, value, mask);
        else this.#slot?.report.finding('write to a register that is not there', { offset: base, value });
    }
  }

  /** The upper half of a count register is the counter itself and cannot be written. */
  #writeCount(channel: Es1370Channel, value: number, mask: number, now: number): void {
    if ((mask & 0xffff) !== 0)
      channel.writeCount((channel.countRegister & ~mask & 0xffff) | (value & mask & 0xffff), now);
  }

  #writePage(offset: number, value: number, mask: number): void {
    const page = this.#page;
    const address = (channel: Es1370Channel): void => {
      channel.frameAddress = ((channel.frameAddress & ~mask) | (value & mask)) >>> 0;
    };
    if (page === PAGE_DAC) {
      const channel = offset < DAC2_FRAME ? this.#dac1 : this.#dac2;
      if (offset === DAC1_FRAME || offset === DAC2_FRAME) address(channel);
      else channel.writeSize(value, mask);
      return;
    }
    if (page === PAGE_ADC && offset === ADC_FRAME) {
      address(this.#adc);
      return;
    }
    if (page === PAGE_ADC && offset === ADC_SIZE) {
      this.#adc.writeSize(value, mask);
      return;
    }
    if (page >= PAGE_UART) return;
    const at = page * PAGE_BYTES + offset - PAGE_WINDOW;
    const old = this.#memory.getUint32(at, true);
    this.#memory.setUint32(at, (old & ~mask) | (value & mask), true);
  }
}
