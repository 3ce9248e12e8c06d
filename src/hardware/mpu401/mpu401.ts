import type { AccessSize, Alarm, BusTarget, CardSlot, MidiSink, MidiSource } from '../../hal/bus.ts';
import { TICKS_PER_MICROSECOND } from '../../hal/bus.ts';
import { MIDI_BYTE_TICKS } from '../midi-memory.ts';
import { ByteRing } from './byte-ring.ts';
import {
  describeMpuValue,
  MPU_ACK,
  MPU_CMD_ENTER_UART,
  MPU_CMD_RESET,
  MPU_DATA,
  MPU_STATUS_DRR,
  MPU_STATUS_DSR,
  MPU_STATUS_UNUSED,
} from './registers.ts';

/** What the chip gets from the card that carries it. */
export type Mpu401Slot = Pick<CardSlot, 'clock' | 'interrupt' | 'report'>;

/** What is plugged into the connectors, and how the interface is built. */
export interface Mpu401Options {
  readonly midiOut?: MidiSink;
  readonly midiIn?: MidiSource;
  /** Bytes that can wait behind the one on the wire before DRR says "busy". 1 by default. */
  readonly transmitBufferBytes?: number;
  /** Bytes received, and acknowledgements, that can wait to be read. 16 by default. */
  readonly receiveFifoBytes?: number;
  /** From a command to its acknowledgement. 10 µs by default. */
  readonly commandTicks?: number;
  /**
   * Whether a reset that leaves UART mode is answered too. True by default, as Creative's guide says of every reset; a Roland
   * MPU-401 is silent then.
   */
  readonly acknowledgesResetInUartMode?: boolean;
}

function earlier(one: number | null, other: number | null): number | null {
  if (one === null || other === null) return one ?? other;
  return one < other ? one : other;
}

/**
 * A UART-only MPU-401, as on the Sound Blaster 16. It starts in what is left of the intelligent mode: no data pass, and of all
 * commands only "enter UART mode" (3Fh) and "reset" (FFh) are known; in UART mode only the reset is. Other commands do nothing
 * and are not answered.
 *
 * The interrupt line is high while a byte can be read, an acknowledgement included, as the guide says of 3Fh. Bytes leave at
 * 31250 baud, each 320 µs after the one before it or at once when the wire is idle.
 */
export class Mpu401 implements BusTarget {
  readonly #out: MidiSink | null;
  readonly #in: MidiSource | null;
  readonly #commandTicks: number;
  readonly #answersReset: boolean;
  readonly #transmit: ByteRing;
  readonly #receive: ByteRing;

  #slot: Mpu401Slot | null = null;
  #alarm: Alarm | null = null;
  #alarmTick: number | null = null;
  #level = false;
  #now = 0;

  #uartMode = false;
  /** The command under way and when it is done. */
  #command: number | null = null;
  #commandDoneTick = 0;
  /** When the byte on the wire has left. */
  #wireFreeTick = 0;
  /** What the data register reads when nothing waits: the byte read last stays in the latch. */
  #latch = 0xff;

  constructor(options: Mpu401Options = {}) {
    this.#out = options.midiOut ?? null;
    this.#in = options.midiIn ?? null;
    this.#commandTicks = options.commandTicks ?? 10 * TICKS_PER_MICROSECOND;
    this.#answersReset = options.acknowledgesResetInUartMode ?? true;
    this.#transmit = new ByteRing(options.transmitBufferBytes ?? 1);
    this.#receive = new ByteRing(options.receiveFifoBytes ?? 16);
    this.#in?.connect(() => this.catchUp());
  }

  /** In UART mode bytes pass; without it none do. */
  get uartMode(): boolean {
    this.catchUp();
    return this.#uartMode;
  }

  /** Bytes that wait to be read. */
  get receivedBytes(): number {
    this.catchUp();
    return this.#receive.count;
  }

  attach(slot: Mpu401Slot): void {
    this.#slot = slot;
    this.#now = slot.clock.now;
    this.#alarm = slot.clock.createAlarm(() => {
      this.#alarmTick = null;
      this.catchUp();
    });
    this.#alarmTick = null;
    this.#level = false;
    this.#settle();
  }

  /** Power-on reset: nothing is acknowledged. A byte already on the wire is sent to its end. */
  reset(): void {
    this.#advance();
    this.#command = null;
    this.#toPowerUpState();
    this.#latch = 0xff;
    this.#settle();
  }

  detach(): void {
    this.#alarm?.cancel();
    this.#alarm = null;
    this.#slot?.interrupt.setLevel(false);
    this.#slot = null;
  }

  /** Brings connectors and interrupt line up to the present without touching a register. */
  catchUp(): void {
    this.#advance();
    this.#settle();
  }

  read(offset: number, size: AccessSize): number {
    let value = 0;
    for (let index = 0; index < size; index++) value += this.#read((offset + index) & 1) * 2 ** (8 * index);
    return value;
  }

  write(offset: number, size: AccessSize, value: number): void {
    for (let index = 0; index < size; index++)
      this.#write((offset + index) & 1, (value >>> (8 * index)) & 0xff);
  }

  #read(offset: number): number {
    if (this.#slot === null) return 0xff;
    this.#advance();
    const data = offset === MPU_DATA;
    if (data) this.#latch = this.#receive.shift() ?? this.#latch;
    const value = data ? this.#latch : this.#status();
    this.#settle();
    this.#trace(data ? 'MPU_DATA' : 'MPU_STATUS', 'read', value);
    return value;
  }

  #write(offset: number, value: number): void {
    const slot = this.#slot;
    if (slot === null) return;
    this.#advance();
    const data = offset === MPU_DATA;
    this.#trace(data ? 'MPU_DATA' : 'MPU_COMMAND', 'write', value);
    if (data) this.#writeData(slot, value);
    else this.#writeCommand(slot, value);
    this.#settle();
  }

  #trace(name: string, direction: 'read' | 'write', value: number): void {
    const report = this.#slot?.report;
    if (report?.wantsRegisters === true)
      report.register(name, direction, value, 1, describeMpuValue(name, value));
  }

  #status(): number {
    const busy = this.#command !== null || this.#transmit.full;
    return MPU_STATUS_UNUSED | (busy ? MPU_STATUS_DRR : 0) | (this.#receive.count === 0 ? MPU_STATUS_DSR : 0);
  }

  #writeData(slot: Mpu401Slot, value: number): void {
    if (!this.#uartMode || this.#command !== null) {
      slot.report.finding('MIDI byte written to the MPU-401 outside UART mode: it is not sent', { value });
      return;
    }
    if (this.#transmit.count === 0 && this.#wireFreeTick <= this.#now) this.#send(value, this.#now);
    else if (!this.#transmit.push(value))
      slot.report.finding('MIDI byte written to the MPU-401 while DRR said busy: it is lost', { value });
  }

  /** A reset is taken at any time, so that a stuck interface comes back; anything else only when ready. */
  #writeCommand(slot: Mpu401Slot, code: number): void {
    const busy = (this.#status() & MPU_STATUS_DRR) !== 0;
    if (busy && code !== MPU_CMD_RESET) {
      slot.report.finding('command written to the MPU-401 while DRR said busy: it is lost', { code });
      return;
    }
    const known = code === MPU_CMD_RESET || (code === MPU_CMD_ENTER_UART && !this.#uartMode);
    if (!known) {
      const mode = this.#uartMode ? 'UART mode' : 'a UART-only interface';
      slot.report.finding(`command to the MPU-401 that ${mode} does not know: no answer`, { code });
      return;
    }
    this.#command = code;
    this.#commandDoneTick = this.#now + this.#commandTicks;
    this.#advanceTo(this.#now);
  }

  // --- time ---

  #advance(): void {
    if (this.#slot !== null) this.#advanceTo(this.#slot.clock.now);
  }

  /** What happens up to and at `now`, in the order of time: commands end, bytes leave, bytes arrive. */
  #advanceTo(now: number): void {
    for (;;) {
      const tick = this.#nextEventTick();
      if (tick === null || tick > now) break;
      if (tick > this.#now) this.#now = tick;
      if (this.#command !== null && this.#commandDoneTick <= this.#now) this.#finishCommand();
      else if (this.#transmit.count > 0 && this.#wireFreeTick <= this.#now)
        this.#send(this.#transmit.shift()!, this.#wireFreeTick);
      else if (this.#in !== null) this.#takeByte(this.#in.readByte());
    }
    this.#now = now;
  }

  #nextEventTick(): number | null {
    let tick = this.#command === null ? null : this.#commandDoneTick;
    if (this.#transmit.count > 0) tick = earlier(tick, this.#wireFreeTick);
    return this.#in === null ? tick : earlier(tick, this.#in.nextByteTick);
  }

  #finishCommand(): void {
    const code = this.#command;
    this.#command = null;
    if (code === MPU_CMD_ENTER_UART) {
      this.#uartMode = true;
      this.#receive.push(MPU_ACK);
      return;
    }
    const answered = !this.#uartMode || this.#answersReset;
    this.#toPowerUpState();
    if (answered) this.#receive.push(MPU_ACK);
  }

  #toPowerUpState(): void {
    this.#uartMode = false;
    this.#transmit.clear();
    this.#receive.clear();
  }

  #send(byte: number, startTick: number): void {
    this.#wireFreeTick = startTick + MIDI_BYTE_TICKS;
    this.#out?.write(byte, startTick);
  }

  #takeByte(byte: number): void {
    if (!this.#uartMode) return;
    if (!this.#receive.push(byte))
      this.#slot?.report.finding('MPU-401 receive FIFO ran over: a byte is lost', { byte });
  }

  /** Line and alarm, from state. */
  #settle(): void {
    const slot = this.#slot;
    if (slot === null) return;
    const tick = this.#nextEventTick();
    if (tick !== this.#alarmTick) {
      this.#alarmTick = tick;
      if (tick === null) this.#alarm?.cancel();
      else this.#alarm?.set(tick);
    }
    const level = this.#receive.count > 0;
    if (level === this.#level) return;
    this.#level = level;
    // Last of all: whoever hears of the line may access the chip at once.
    slot.interrupt.setLevel(level);
  }
}
