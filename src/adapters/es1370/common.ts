import { CUnknown, guid, IID, type IUnknown } from '../../com/index.ts';
import {
  pollRegister,
  READ_PORT_UCHAR,
  READ_PORT_ULONG,
  WRITE_PORT_UCHAR,
  WRITE_PORT_ULONG,
} from '../../hal/index.ts';
import {
  NtError,
  STATUS_DEVICE_BUSY,
  STATUS_DEVICE_CONFIGURATION_ERROR,
  STATUS_NO_SUCH_DEVICE,
} from '../../kernel/index.ts';
import {
  type DEVICE_POWER_STATE,
  type IAdapterPowerManagement,
  IID_IAdapterPowerManagement,
  type IInterruptSync,
  InterruptSyncModeNormal,
  type IResourceList,
  PowerDeviceD0,
  pcNewInterruptSync,
} from '../../portcls/index.ts';
import * as R from './registers.ts';

/** The codec's serial line carries a write in some microseconds. */
const CODEC_LIMIT_US = 1000;

/** A stream, or the MIDI miniport, as the interrupt service routine sees it. Called at DIRQL. */
export interface InterruptSink {
  interrupt(): void;
}

/** How a channel is to be programmed. */
export interface ChannelProgram {
  readonly busAddress: number;
  readonly bufferBytes: number;
  /** Where in the buffer the channel begins: a multiple of 4. */
  readonly startByte: number;
  readonly framesPerInterrupt: number;
  /** FORMAT_* bits. */
  readonly format: number;
}

/** Where a channel is: dword index in its buffer in bytes, and frames left to its next interrupt, less one. */
export interface ChannelPosition {
  readonly bufferByte: number;
  readonly framesLeft: number;
}

export const IID_Es1370Common: IID<Es1370Common> = new IID(
  'IID_Es1370Common',
  guid('{3C1F4E76-90D2-4B3B-8A55-1D0A5B9C6E21}'),
);

/**
 * The adapter object: what wave, topology and MIDI miniports share. It alone touches the hardware's registers. PortCls asks it for
 * power changes.
 *
 * CONTROL and SERIAL are kept here, since the interrupt service routine changes SERIAL to acknowledge; the memory page is selected
 * before each access to it. Both happen where the routine cannot come between. The codec cannot be read: its registers are cached.
 */
export class Es1370Common extends CUnknown implements IAdapterPowerManagement {
  readonly #port: number;
  readonly #codec = new Uint8Array(R.AK_REGISTER_COUNT);
  readonly #sinks: Record<R.ChannelName, InterruptSink | null> = { DAC1: null, DAC2: null, ADC: null };
  #uartSink: InterruptSink | null = null;
  #interruptSync: IInterruptSync | null = null;
  #powerState: DEVICE_POWER_STATE = PowerDeviceD0;
  #control = R.CTL_SERR_DIS | R.CTL_CDC_EN;
  #serial = 0;
  /** Streams that need the divider of DAC2 and ADC as it is. */
  #dividerUsers = 0;
  /** Moves when the registers were lost: channels have to be programmed anew. */
  generation = 0;

  /**
   * @param resourceList as given to StartDevice: an I/O range and an interrupt
   * @throws NtError STATUS_DEVICE_CONFIGURATION_ERROR when one is missing
   */
  constructor(resourceList: IResourceList) {
    super('Es1370Common');
    const port = resourceList.findTranslatedEntry('Port', 0);
    if (port?.type !== 'Port' || !resourceList.findTranslatedEntry('Interrupt', 0)) {
      throw new NtError(
        STATUS_DEVICE_CONFIGURATION_ERROR,
        'ES1370: the device needs an I/O port range and an interrupt; its resources lack one of them.',
      );
    }
    this.#port = port.start;
  }

  /** Brings chip and codec up and connects the interrupt. PASSIVE_LEVEL. */
  start(resourceList: IResourceList): void {
    this.#setDefaults();
    this.#bringUp();
    const sync = pcNewInterruptSync(null, resourceList, 0, InterruptSyncModeNormal);
    sync.registerServiceRoutine(() => this.#serviceInterrupt(), null, false);
    sync.connect();
    this.#interruptSync = sync;
  }

  protected override nonDelegatingQueryInterface(iid: IID<unknown>): object | null {
    if (iid.guid.equals(IID_IAdapterPowerManagement.guid) || iid.guid.equals(IID_Es1370Common.guid))
      return this;
    return null;
  }

  protected override finalRelease(): void {
    this.#interruptSync?.disconnect();
    this.#interruptSync?.release();
    this.#interruptSync = null;
  }

  get powered(): boolean {
    return this.#powerState === PowerDeviceD0;
  }

  /* ---- codec ---- */

  /** Writes a mixer register and its cache entry; while the card has no power only the cache. PASSIVE_LEVEL. */
  writeCodec(register: number, value: number): void {
    this.#codec[register] = value;
    if (this.powered) this.#sendCodec(register, value);
  }

  /** What was written last. */
  cachedCodec(register: number): number {
    return this.#codec[register] ?? 0;
  }

  /** Writes only the bits under `mask`. */
  updateCodec(register: number, mask: number, value: number): void {
    this.writeCodec(register, (this.cachedCodec(register) & ~mask) | (value & mask));
  }

  #sendCodec(register: number, value: number): void {
    pollRegister(
      'STATUS.CSTAT (codec busy)',
      () => {
        const status = READ_PORT_ULONG(this.#port + R.STATUS);
        // Nobody answers: the card was pulled out, and there is no codec to wait for.
        return status === 0xffff_ffff ? 0 : status;
      },
      R.STAT_CSTAT,
      0,
      CODEC_LIMIT_US,
    );
    WRITE_PORT_ULONG(this.#port + R.CODEC, (register << 8) | value);
  }

  /** Both DACs and the master at 0 dB, the analogue inputs at 0 dB and not heard, line in as record source. */
  #setDefaults(): void {
    const codec = this.#codec;
    const zero = 6;
    codec.fill(zero, R.AK_LVOICE, R.AK_MIC + 1);
    codec[R.AK_LMASTER] = 0;
    codec[R.AK_RMASTER] = 0;
    codec[R.AK_MONO_OUT] = R.AK_MUTE;
    codec[R.AK_OUT_SW1] = R.SW1_FML | R.SW1_FMR;
    codec[R.AK_OUT_SW2] = R.OUT2_VOICEL | R.OUT2_VOICER;
    codec[R.AK_LIN_SW1] = R.SW1_LINEL;
    codec[R.AK_RIN_SW1] = R.SW1_LINER;
    codec[R.AK_RESET] = R.AK_RUNNING;
  }

  #bringUp(): void {
    this.#serial = 0;
    WRITE_PORT_ULONG(this.#port + R.SERIAL, 0);
    this.#control &= ~(R.CTL_DAC1_EN | R.CTL_DAC2_EN | R.CTL_ADC_EN);
    WRITE_PORT_ULONG(this.#port + R.CONTROL, this.#control >>> 0);
    this.#sendCodec(R.AK_RESET, R.AK_RUNNING);
    // Converters on the clocks of their own channels (AK4531 datasheet, register 17h).
    this.#sendCodec(R.AK_CLOCK, 0);
    for (let register = 0; register < R.AK_REGISTER_COUNT; register++) {
      if (register !== R.AK_RESET && register !== R.AK_CLOCK)
        this.#sendCodec(register, this.cachedCodec(register));
    }
  }

  /* ---- clocks ---- */

  /** Sets DAC1's clock: 0 to 3. Any IRQL up to DIRQL. */
  setDac1Clock(code: number): void {
    this.synchronized(() =>
      this.#setControl((this.#control & ~R.CTL_WTSRSEL) | (code << R.CTL_WTSRSEL_SHIFT)),
    );
  }

  /**
   * Takes the clock that DAC2 and ADC share for 1.4112 MHz ÷ `divisor`. Throws STATUS_DEVICE_BUSY while the other channel needs
   * another one. PASSIVE_LEVEL.
   */
  claimDivider(divisor: number): void {
    const code = divisor - 2;
    const current = (this.#control & R.CTL_PCLKDIV) >>> R.CTL_PCLKDIV_SHIFT;
    if (this.#dividerUsers > 0 && code !== current) {
      throw new NtError(
        STATUS_DEVICE_BUSY,
        `ES1370: DAC2 and ADC share a clock, which is in use at ${Math.round(R.CLOCK_HZ / (current + 2))} Hz.`,
      );
    }
    this.#dividerUsers++;
    this.synchronized(() =>
      this.#setControl((this.#control & ~R.CTL_PCLKDIV) | (code << R.CTL_PCLKDIV_SHIFT)),
    );
  }

  releaseDivider(): void {
    this.#dividerUsers--;
  }

  /* ---- channels; any IRQL up to DIRQL ---- */

  /** Programs a channel and lets it run. */
  startChannel(name: R.ChannelName, program: ChannelProgram): void {
    const channel = R.CHANNELS[name];
    this.synchronized(() => {
      this.#setControl(this.#control & ~channel.enable);
      WRITE_PORT_ULONG(this.#port + R.MEMPAGE, channel.page);
      WRITE_PORT_ULONG(this.#port + channel.frame, program.busAddress);
      WRITE_PORT_ULONG(
        this.#port + channel.size,
        (((program.startByte / 4) << 16) | (program.bufferBytes / 4 - 1)) >>> 0,
      );
      WRITE_PORT_ULONG(this.#port + channel.count, program.framesPerInterrupt - 1);
      const rest =
        this.#serial & ~((R.FORMAT_MASK << channel.formatShift) | channel.interruptEnable | channel.pause);
      // QEMU's card opens a voice only when the format changes, and has none for the format of its reset state: another one first.
      this.#setSerial(rest | ((program.format ^ R.FORMAT_MASK) << channel.formatShift));
      this.#setSerial(rest | (program.format << channel.formatShift) | channel.interruptEnable);
      this.#setControl(this.#control | channel.enable);
    });
  }

  /** Holds a channel where it is, or lets it go on; the ADC, which cannot pause, is switched off and on. */
  pauseChannel(name: R.ChannelName, paused: boolean): void {
    const channel = R.CHANNELS[name];
    this.synchronized(() => {
      if (channel.pause === 0)
        this.#setControl(paused ? this.#control & ~channel.enable : this.#control | channel.enable);
      else this.#setSerial(paused ? this.#serial | channel.pause : this.#serial & ~channel.pause);
    });
  }

  /** Switches a channel and its interrupt off. */
  stopChannel(name: R.ChannelName): void {
    const channel = R.CHANNELS[name];
    this.synchronized(() => {
      this.#setSerial(this.#serial & ~(channel.interruptEnable | channel.pause));
      this.#setControl(this.#control & ~channel.enable);
    });
  }

  readPosition(name: R.ChannelName): ChannelPosition {
    const channel = R.CHANNELS[name];
    return this.synchronized(() => {
      // The counter first: what passes in between shows in the index, which is ahead of it anyhow.
      const framesLeft = READ_PORT_ULONG(this.#port + channel.count) >>> 16;
      WRITE_PORT_ULONG(this.#port + R.MEMPAGE, channel.page);
      const bufferByte = (READ_PORT_ULONG(this.#port + channel.size) >>> 16) * 4;
      return { bufferByte, framesLeft };
    });
  }

  #setControl(value: number): void {
    this.#control = value;
    if (this.powered) WRITE_PORT_ULONG(this.#port + R.CONTROL, value >>> 0);
  }

  #setSerial(value: number): void {
    this.#serial = value;
    if (this.powered) WRITE_PORT_ULONG(this.#port + R.SERIAL, value >>> 0);
  }

  /* ---- UART ---- */

  /** Is there a UART? QEMU's card has none: its registers read all ones. PASSIVE_LEVEL. */
  hasUart(): boolean {
    return READ_PORT_UCHAR(this.#port + R.UART_STATUS) !== 0xff;
  }

  /** Switches the UART on, with its receive interrupt, or off. */
  enableUart(sink: InterruptSink | null): void {
    this.synchronized(() => {
      this.#uartSink = sink;
      const enabled = sink !== null;
      this.#setControl(enabled ? this.#control | R.CTL_UART_EN : this.#control & ~R.CTL_UART_EN);
      if (!enabled || !this.powered) return;
      WRITE_PORT_UCHAR(this.#port + R.UART_CONTROL, R.UART_CONTROL_RESET);
      WRITE_PORT_UCHAR(this.#port + R.UART_CONTROL, R.UART_CONTROL_RXINTEN);
    });
  }

  /** UART_STATUS; 0 when nobody answers. */
  readUartStatus(): number {
    const status = READ_PORT_UCHAR(this.#port + R.UART_STATUS);
    return status === 0xff ? 0 : status;
  }

  readUart(): number {
    return READ_PORT_UCHAR(this.#port + R.UART_DATA);
  }

  writeUart(byte: number): void {
    WRITE_PORT_UCHAR(this.#port + R.UART_DATA, byte);
  }

  /* ---- interrupt ---- */

  /** The stream that a channel's interrupts go to; null takes it out. PASSIVE_LEVEL. */
  setInterruptSink(name: R.ChannelName, sink: InterruptSink | null): void {
    this.synchronized(() => {
      this.#sinks[name] = sink;
    });
  }

  /** Runs `action` so that the interrupt service routine cannot come between. IRQL <= DIRQL. */
  synchronized<T>(action: () => T): T {
    let result: T | undefined;
    if (!this.#interruptSync) return action();
    this.#interruptSync.callSynchronizedRoutine(() => {
      result = action();
    }, null);
    return result as T;
  }

  /** At DIRQL. A channel's request goes when its enable bit does; then it is armed again. */
  #serviceInterrupt(): boolean {
    const status = READ_PORT_ULONG(this.#port + R.STATUS);
    if ((status & R.STAT_INTR) === 0 || status === 0xffff_ffff) return false;
    let acknowledged = 0;
    for (const name of R.CHANNEL_NAMES) {
      const channel = R.CHANNELS[name];
      if ((status & channel.status) !== 0) acknowledged |= channel.interruptEnable;
    }
    if (acknowledged !== 0) {
      WRITE_PORT_ULONG(this.#port + R.SERIAL, (this.#serial & ~acknowledged) >>> 0);
      WRITE_PORT_ULONG(this.#port + R.SERIAL, this.#serial >>> 0);
    }
    for (const name of R.CHANNEL_NAMES)
      if ((status & R.CHANNELS[name].status) !== 0) this.#sinks[name]?.interrupt();
    if ((status & R.STAT_UART) !== 0) this.#uartSink?.interrupt();
    return true;
  }

  /* ---- IAdapterPowerManagement ---- */

  powerChangeState(newState: DEVICE_POWER_STATE): void {
    if (newState === this.#powerState) return;
    if (newState === PowerDeviceD0) {
      this.#powerState = newState;
      this.generation++;
      this.#bringUp();
      if (this.#uartSink !== null) this.enableUart(this.#uartSink);
      return;
    }
    if (this.powered) this.#sendCodec(R.AK_RESET, R.AK_POWERED_DOWN);
    this.#powerState = newState;
  }

  queryPowerChangeState(_newState: DEVICE_POWER_STATE): void {}

  queryDeviceCapabilities(): void {}
}

/** The adapter object behind the `UnknownAdapter` that PortCls hands to a miniport's Init. */
export function commonOf(unknownAdapter: IUnknown | null): Es1370Common {
  if (!unknownAdapter) {
    throw new NtError(
      STATUS_NO_SUCH_DEVICE,
      'ES1370: the miniport was initialised without its adapter object.',
    );
  }
  return unknownAdapter.queryInterface(IID_Es1370Common);
}
