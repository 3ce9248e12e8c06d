import { CUnknown, guid, IID, type IUnknown } from '../../com/index.ts';
import { pollRegister, READ_PORT_UCHAR, WRITE_PORT_UCHAR } from '../../hal/index.ts';
import {
  keStallExecutionProcessor,
  NtError,
  STATUS_DEVICE_CONFIGURATION_ERROR,
  STATUS_NO_SUCH_DEVICE,
} from '../../kernel/index.ts';
import {
  type DEVICE_POWER_STATE,
  type IAdapterPowerManagement,
  IID_IAdapterPowerManagement,
  type IInterruptSync,
  InterruptSyncModeAll,
  type IResourceList,
  PowerDeviceD0,
  pcNewInterruptSync,
} from '../../portcls/index.ts';
import * as R from './registers.ts';

/** The DSP takes a command byte within a sample period; the guide's own loops wait far shorter than this. */
const DSP_LIMIT_US = 20_000;
/** After reset the DSP answers within 100 µs (guide, "Resetting the DSP"). */
const RESET_LIMIT_US = 100_000;
const RESET_PULSE_US = 3;
const FIRST_SB16_VERSION = 4;

/** Mixer registers that are written again when the card gets its power back. */
const FIRST_STORED_REGISTER = R.MIX_MASTER_LEFT;
const LAST_STORED_REGISTER = R.MIX_BASS_LEFT + 1;

export type DmaWidth = '8bit' | '16bit';

/** A stream as the interrupt service routine sees it. Called at DIRQL. */
export interface BlockSink {
  blockDone(): void;
}

export const IID_Sb16Common: IID<Sb16Common> = new IID(
  'IID_Sb16Common',
  guid('{0B2C9D0E-7E6B-4C0C-8A39-7F1F6E5D4C21}'),
);

/**
 * The adapter object: DSP, mixer and interrupt of the card, for the wave and the topology miniport. The one interrupt line serves
 * both DMA widths and the MPU-401, so its IInterruptSync is shared with the UART miniport.
 */
export class Sb16Common extends CUnknown implements IAdapterPowerManagement {
  readonly #base: number;
  readonly #mixer = new Uint8Array(0x100);
  readonly #sinks: Record<DmaWidth, BlockSink | null> = { '8bit': null, '16bit': null };
  #interruptSync: IInterruptSync | null = null;
  #powerState: DEVICE_POWER_STATE = PowerDeviceD0;
  #version = 0;

  /** @throws NtError STATUS_DEVICE_CONFIGURATION_ERROR when the ports or the interrupt are missing */
  constructor(resourceList: IResourceList) {
    super('Sb16Common');
    const port = resourceList.findTranslatedEntry('Port', 0);
    if (port?.type !== 'Port' || !resourceList.findTranslatedEntry('Interrupt', 0)) {
      throw new NtError(
        STATUS_DEVICE_CONFIGURATION_ERROR,
        'SB16: the device needs an I/O range of 16 ports and an interrupt; its resources lack one of them.',
      );
    }
    this.#base = port.start;
  }

  /** Resets DSP and mixer and connects the interrupt. @throws NtError STATUS_NO_SUCH_DEVICE when no DSP 4.xx answers */
  start(resourceList: IResourceList): void {
    this.#resetDsp();
    this.writeDsp(R.CMD_GET_VERSION);
    const major = this.#readDsp();
    this.#version = major * 256 + this.#readDsp();
    if (major < FIRST_SB16_VERSION) {
      throw new NtError(
        STATUS_NO_SUCH_DEVICE,
        `SB16: the DSP at 0x${this.#base.toString(16)} is version ${major}; ${FIRST_SB16_VERSION} or later is needed.`,
      );
    }
    WRITE_PORT_UCHAR(this.#base + R.MIXER_ADDRESS, R.MIX_RESET);
    WRITE_PORT_UCHAR(this.#base + R.MIXER_DATA, 0);
    this.#applyDefaults();
    this.writeDsp(R.CMD_SPEAKER_ON);
    const sync = pcNewInterruptSync(null, resourceList, 0, InterruptSyncModeAll);
    sync.registerServiceRoutine(() => this.#serviceInterrupt(), null, false);
    sync.connect();
    this.#interruptSync = sync;
  }

  /** Major × 256 + minor. */
  get dspVersion(): number {
    return this.#version;
  }

  /** The interrupt, to be shared with the MPU-401's driver; no reference is taken. After {@link start}. */
  get interruptSync(): IInterruptSync {
    if (!this.#interruptSync)
      throw new NtError(STATUS_NO_SUCH_DEVICE, 'SB16: the interrupt is not connected yet.');
    return this.#interruptSync;
  }

  protected override nonDelegatingQueryInterface(iid: IID<unknown>): object | null {
    return iid.equals(IID_IAdapterPowerManagement) || iid.equals(IID_Sb16Common) ? this : null;
  }

  protected override finalRelease(): void {
    this.#interruptSync?.disconnect();
    this.#interruptSync?.release();
    this.#interruptSync = null;
  }

  /* ---- DSP ---- */

  /** Sends a command with its operands. IRQL <= DISPATCH_LEVEL. @throws NtError STATUS_IO_TIMEOUT when the DSP stays busy */
  writeDsp(...bytes: number[]): void {
    for (const byte of bytes) {
      pollRegister(
        'DSP write status (base+0Ch) bit 7',
        () => READ_PORT_UCHAR(this.#base + R.DSP_WRITE),
        R.DSP_BUSY,
        0,
        DSP_LIMIT_US,
      );
      WRITE_PORT_UCHAR(this.#base + R.DSP_WRITE, byte);
    }
  }

  #readDsp(): number {
    pollRegister(
      'DSP read status (base+0Eh) bit 7',
      () => READ_PORT_UCHAR(this.#base + R.DSP_READ_STATUS),
      R.DSP_DATA_READY,
      R.DSP_DATA_READY,
      DSP_LIMIT_US,
    );
    return READ_PORT_UCHAR(this.#base + R.DSP_READ_DATA);
  }

  #resetDsp(): void {
    WRITE_PORT_UCHAR(this.#base + R.DSP_RESET, 1);
    keStallExecutionProcessor(RESET_PULSE_US);
    WRITE_PORT_UCHAR(this.#base + R.DSP_RESET, 0);
    pollRegister(
      'DSP read status (base+0Eh) bit 7 after reset',
      () => READ_PORT_UCHAR(this.#base + R.DSP_READ_STATUS),
      R.DSP_DATA_READY,
      R.DSP_DATA_READY,
      RESET_LIMIT_US,
    );
    const answer = READ_PORT_UCHAR(this.#base + R.DSP_READ_DATA);
    if (answer !== R.DSP_READY) {
      throw new NtError(
        STATUS_NO_SUCH_DEVICE,
        `SB16: the DSP at 0x${this.#base.toString(16)} answered its reset by 0x${answer.toString(16)}, not 0xaa.`,
      );
    }
  }

  /* ---- mixer ---- */

  /** The value last written to a mixer register. */
  cachedMixer(register: number): number {
    return this.#mixer[register] ?? 0;
  }

  /** Writes a mixer register; index and data belong together, so that the service routine is kept out. PASSIVE_LEVEL. */
  writeMixer(register: number, value: number): void {
    this.#mixer[register] = value;
    if (this.#powerState !== PowerDeviceD0) return;
    this.synchronized(() => {
      WRITE_PORT_UCHAR(this.#base + R.MIXER_ADDRESS, register);
      WRITE_PORT_UCHAR(this.#base + R.MIXER_DATA, value);
    });
  }

  updateMixer(register: number, mask: number, value: number): void {
    this.writeMixer(register, (this.cachedMixer(register) & ~mask) | (value & mask));
  }

  /** Full volume where 0 dB is the highest, inputs not monitored, line and microphone recorded, tone flat. */
  #applyDefaults(): void {
    const full = 0xf8;
    for (const left of [
      R.MIX_MASTER_LEFT,
      R.MIX_VOICE_LEFT,
      R.MIX_MIDI_LEFT,
      R.MIX_CD_LEFT,
      R.MIX_LINE_LEFT,
    ]) {
      this.writeMixer(left, full);
      this.writeMixer(left + 1, full);
    }
    this.writeMixer(R.MIX_MIC, full);
    this.writeMixer(R.MIX_PC_SPEAKER, 0);
    this.writeMixer(R.MIX_OUTPUT_SWITCHES, 0);
    this.writeMixer(R.MIX_INPUT_LEFT, R.SWITCH_LINE_LEFT | R.SWITCH_MIC);
    this.writeMixer(R.MIX_INPUT_RIGHT, R.SWITCH_LINE_RIGHT | R.SWITCH_MIC);
    for (const left of [R.MIX_INPUT_GAIN_LEFT, R.MIX_OUTPUT_GAIN_LEFT]) {
      this.writeMixer(left, 0);
      this.writeMixer(left + 1, 0);
    }
    this.writeMixer(R.MIX_AGC, 1);
    for (const left of [R.MIX_TREBLE_LEFT, R.MIX_BASS_LEFT]) {
      this.writeMixer(left, 0x80);
      this.writeMixer(left + 1, 0x80);
    }
  }

  /* ---- interrupt ---- */

  /** Who is told of the end of a block on a DMA width; null takes it out. PASSIVE_LEVEL. */
  setBlockSink(width: DmaWidth, sink: BlockSink | null): void {
    this.synchronized(() => {
      this.#sinks[width] = sink;
    });
  }

  /** Runs `action` so that the service routine cannot come between. IRQL <= DIRQL. */
  synchronized(action: () => void): void {
    if (!this.#interruptSync) action();
    else this.#interruptSync.callSynchronizedRoutine(action, null);
  }

  /** At DIRQL. */
  #serviceInterrupt(): boolean {
    // Whoever was interrupted may have written the index: it is put back, since the data port belongs to it.
    const index = READ_PORT_UCHAR(this.#base + R.MIXER_ADDRESS);
    WRITE_PORT_UCHAR(this.#base + R.MIXER_ADDRESS, R.MIX_INTERRUPT_STATUS);
    const status = READ_PORT_UCHAR(this.#base + R.MIXER_DATA);
    WRITE_PORT_UCHAR(this.#base + R.MIXER_ADDRESS, index);
    if (status === 0xff) return false; // nobody answers: the card is gone
    if ((status & R.INTERRUPT_8BIT) !== 0) {
      READ_PORT_UCHAR(this.#base + R.DSP_READ_STATUS);
      this.#sinks['8bit']?.blockDone();
    }
    if ((status & R.INTERRUPT_16BIT) !== 0) {
      READ_PORT_UCHAR(this.#base + R.DSP_ACK_16BIT);
      this.#sinks['16bit']?.blockDone();
    }
    return (status & (R.INTERRUPT_8BIT | R.INTERRUPT_16BIT)) !== 0;
  }

  /* ---- IAdapterPowerManagement ---- */

  powerChangeState(newState: DEVICE_POWER_STATE): void {
    if (newState === this.#powerState) return;
    const wakes = newState === PowerDeviceD0;
    this.#powerState = newState;
    if (!wakes) return;
    this.#resetDsp();
    for (let register = FIRST_STORED_REGISTER; register <= LAST_STORED_REGISTER; register++) {
      this.writeMixer(register, this.cachedMixer(register));
    }
    this.writeDsp(R.CMD_SPEAKER_ON);
  }

  queryPowerChangeState(_newState: DEVICE_POWER_STATE): void {}

  queryDeviceCapabilities(): void {}
}

/** The adapter object behind the `UnknownAdapter` that PortCls hands to a miniport's Init, with a reference. */
export function commonOf(unknownAdapter: IUnknown | null): Sb16Common {
  if (!unknownAdapter)
    throw new NtError(
      STATUS_NO_SUCH_DEVICE,
      'SB16: the miniport was initialised without its adapter object.',
    );
  return unknownAdapter.queryInterface(IID_Sb16Common);
}
