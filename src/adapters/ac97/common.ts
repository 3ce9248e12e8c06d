import { CUnknown, guid, IID, type IUnknown } from '../../com/index.ts';
import {
  type CommonBuffer,
  type DMA_ADAPTER,
  pollRegister,
  READ_PORT_UCHAR,
  READ_PORT_ULONG,
  READ_PORT_USHORT,
  WRITE_PORT_UCHAR,
  WRITE_PORT_ULONG,
  WRITE_PORT_USHORT,
} from '../../hal/index.ts';
import { NtError, STATUS_DEVICE_CONFIGURATION_ERROR, STATUS_NO_SUCH_DEVICE } from '../../kernel/index.ts';
import {
  type DEVICE_POWER_STATE,
  type IAdapterPowerManagement,
  IID_IAdapterPowerManagement,
  type IInterruptSync,
  InterruptSyncModeNormal,
  type IResourceList,
  PowerDeviceD0,
  PowerDeviceD1,
  PowerDeviceD3,
  pcNewInterruptSync,
} from '../../portcls/index.ts';
import * as R from './registers.ts';

/** The codec must be ready this long after AC_RESET# at the latest; the link's own limit is a few ms (AC'97 2.3, 4.2.1). */
const CODEC_READY_LIMIT_US = 600_000;
/** A codec access ends within one audio frame (20.8 µs); the semaphore must be free after a few of them. */
const SEMAPHORE_LIMIT_US = 1_000;
const SECTIONS_READY_LIMIT_US = 400_000;

/** Mixer registers that are kept in the cache and written again when the codec gets its power back, in this order. */
const RESTORED_REGISTERS: readonly number[] = [
  R.NAM_MASTER_VOLUME,
  R.NAM_AUX_OUT_VOLUME,
  R.NAM_MONO_VOLUME,
  R.NAM_MASTER_TONE,
  R.NAM_PC_BEEP_VOLUME,
  R.NAM_PHONE_VOLUME,
  R.NAM_MIC_VOLUME,
  R.NAM_LINE_IN_VOLUME,
  R.NAM_CD_VOLUME,
  R.NAM_VIDEO_VOLUME,
  R.NAM_AUX_IN_VOLUME,
  R.NAM_PCM_OUT_VOLUME,
  R.NAM_RECORD_SELECT,
  R.NAM_RECORD_GAIN,
  R.NAM_RECORD_GAIN_MIC,
  R.NAM_GENERAL_PURPOSE,
  R.NAM_EXT_AUDIO_CTRL,
  R.NAM_PCM_FRONT_DAC_RATE,
  R.NAM_PCM_LR_ADC_RATE,
  R.NAM_MIC_ADC_RATE,
];

/** What probing found out about the codec behind the link. */
export interface CodecFeatures {
  readonly vendorId: number;
  /** Bits that a mixer register really has; 0 where the register does not exist. By register number. */
  readonly volumeMasks: ReadonlyMap<number, number>;
  readonly tone: boolean;
  readonly dedicatedMic: boolean;
  readonly variableRate: boolean;
  readonly variableRateMic: boolean;
}

/** The DMA engines, by the datasheet's names. */
export type EngineName = 'PI' | 'PO' | 'MC';

/** A stream as the interrupt service routine sees it. Called at DIRQL. */
export interface EngineInterruptSink {
  /** `status` is the engine's SR as read; the write-1-to-clear bits have been cleared already. */
  engineInterrupt(status: number): void;
}

const ENGINE_BLOCK: Readonly<Record<EngineName, number>> = { PI: R.NABM_PI, PO: R.NABM_PO, MC: R.NABM_MC };
const ENGINE_STATUS: Readonly<Record<EngineName, number>> = {
  PI: R.GLOB_STA_PIINT,
  PO: R.GLOB_STA_POINT,
  MC: R.GLOB_STA_MINT,
};
const ENGINES: readonly EngineName[] = ['PI', 'PO', 'MC'];

export const IID_Ac97Common: IID<Ac97Common> = new IID(
  'IID_Ac97Common',
  guid('{5E0B4A52-3B0C-4B4E-9C66-0B8F6D1C2A97}'),
);

/**
 * The adapter object: what the wave and the topology miniport share. It alone touches the hardware's registers: codec access
 * with semaphore and cache, the engines' registers, the interrupt. PortCls asks it for power changes.
 */
export class Ac97Common extends CUnknown implements IAdapterPowerManagement {
  readonly #mixerPort: number;
  readonly #busMasterPort: number;
  readonly #cache = new Map<number, number>();
  readonly #sinks: Record<EngineName, EngineInterruptSink | null> = { PI: null, PO: null, MC: null };
  readonly #dmaAdapter: DMA_ADAPTER;
  #interruptSync: IInterruptSync | null = null;
  #powerState: DEVICE_POWER_STATE = PowerDeviceD0;
  #features: CodecFeatures | null = null;

  /**
   * @param resourceList as given to StartDevice: two I/O ranges (mixer, bus master) and one interrupt
   * @param dmaAdapter the device's bus-master adapter, for the descriptor lists
   * @throws NtError STATUS_DEVICE_CONFIGURATION_ERROR when a resource is missing
   */
  constructor(resourceList: IResourceList, dmaAdapter: DMA_ADAPTER) {
    super('Ac97Common');
    this.#dmaAdapter = dmaAdapter;
    const mixer = resourceList.findTranslatedEntry('Port', 0);
    const busMaster = resourceList.findTranslatedEntry('Port', 1);
    if (
      mixer?.type !== 'Port' ||
      busMaster?.type !== 'Port' ||
      !resourceList.findTranslatedEntry('Interrupt', 0)
    ) {
      throw new NtError(
        STATUS_DEVICE_CONFIGURATION_ERROR,
        'AC97: the device needs two I/O port ranges (mixer, bus master) and one interrupt; its resources lack one of them.',
      );
    }
    this.#mixerPort = mixer.start;
    this.#busMasterPort = busMaster.start;
  }

  /** Brings the controller and codec up, probes the codec and connects the interrupt. PASSIVE_LEVEL. */
  start(resourceList: IResourceList): void {
    this.#resetLink();
    this.#features = this.#probeCodec();
    this.#applyDefaults();
    const sync = pcNewInterruptSync(null, resourceList, 0, InterruptSyncModeNormal);
    sync.registerServiceRoutine(() => this.#serviceInterrupt(), null, false);
    sync.connect();
    this.#interruptSync = sync;
  }

  /** After {@link start}. */
  get features(): CodecFeatures {
    if (!this.#features) throw new NtError(STATUS_NO_SUCH_DEVICE, 'AC97: the codec has not been probed yet.');
    return this.#features;
  }

  get powerState(): DEVICE_POWER_STATE {
    return this.#powerState;
  }

  /** True when the codec implements the register at all. */
  hasMixerRegister(register: number): boolean {
    return (this.features.volumeMasks.get(register) ?? 0) !== 0;
  }

  protected override nonDelegatingQueryInterface(iid: IID<unknown>): object | null {
    if (iid.guid.equals(IID_IAdapterPowerManagement.guid) || iid.guid.equals(IID_Ac97Common.guid))
      return this;
    return null;
  }

  protected override finalRelease(): void {
    this.#interruptSync?.disconnect();
    this.#interruptSync?.release();
    this.#interruptSync = null;
    this.#dmaAdapter.putDmaAdapter();
  }

  /** Memory for a list of 32 descriptors that the engines can reach. PASSIVE_LEVEL. */
  allocateDescriptorList(): CommonBuffer {
    return this.#dmaAdapter.allocateCommonBuffer(R.BD_ENTRIES * R.BD_BYTES, false);
  }

  freeDescriptorList(list: CommonBuffer): void {
    this.#dmaAdapter.freeCommonBuffer(list);
  }

  /* ---- codec ---- */

  /** Reads a mixer register from the codec itself (not the cache). PASSIVE_LEVEL. */
  readCodec(register: number): number {
    this.#takeSemaphore();
    return READ_PORT_USHORT(this.#mixerPort + register);
  }

  /** Writes a mixer register and its cache entry; while the codec has no power only the cache. PASSIVE_LEVEL. */
  writeCodec(register: number, value: number): void {
    this.#cache.set(register, value);
    if (this.#powerState !== PowerDeviceD0) return;
    this.#takeSemaphore();
    WRITE_PORT_USHORT(this.#mixerPort + register, value);
  }

  /** The value last written to (or probed from) a mixer register, without touching the link. */
  cachedCodec(register: number): number {
    return this.#cache.get(register) ?? 0;
  }

  /** Writes only the bits under `mask`, by way of the cache. */
  updateCodec(register: number, mask: number, value: number): void {
    this.writeCodec(register, (this.cachedCodec(register) & ~mask) | (value & mask));
  }

  /** Sets a converter's rate; returns the rate that the codec took (its nearest, or 48000 without variable rate). */
  programRate(register: number, sampleRate: number): number {
    const variable =
      register === R.NAM_MIC_ADC_RATE ? this.features.variableRateMic : this.features.variableRate;
    if (!variable) return 48_000;
    if (this.#powerState !== PowerDeviceD0) return this.cachedCodec(register);
    if (this.cachedCodec(register) !== sampleRate) {
      this.writeCodec(register, sampleRate);
      this.#cache.set(register, this.readCodec(register));
    }
    return this.cachedCodec(register);
  }

  #takeSemaphore(): void {
    pollRegister(
      'ACC_SEMA.CAS',
      () => READ_PORT_UCHAR(this.#busMasterPort + R.ACC_SEMA),
      R.ACC_SEMA_CAS,
      0,
      SEMAPHORE_LIMIT_US,
    );
  }

  /**
   * AC_RESET# is released, or the link woken if it was up already, and the primary codec waited for. GLOB_CNT is not read
   * back afterwards: QEMU's card ignores writes to it altogether.
   */
  #resetLink(): void {
    const control = READ_PORT_ULONG(this.#busMasterPort + R.GLOB_CNT);
    const release = (control & R.GLOB_CNT_COLD_RESET) !== 0 ? R.GLOB_CNT_WARM_RESET : 0;
    WRITE_PORT_ULONG(
      this.#busMasterPort + R.GLOB_CNT,
      ((control & ~R.GLOB_CNT_SHUT_OFF) | R.GLOB_CNT_COLD_RESET | release) >>> 0,
    );
    pollRegister(
      'GLOB_STA.PCR (primary codec ready)',
      () => READ_PORT_ULONG(this.#busMasterPort + R.GLOB_STA),
      R.GLOB_STA_PCR,
      R.GLOB_STA_PCR,
      CODEC_READY_LIMIT_US,
    );
    // Any write resets the mixer to its defaults; a driver that takes over cannot know what was set before.
    this.#takeSemaphore();
    WRITE_PORT_USHORT(this.#mixerPort + R.NAM_RESET, 0);
    this.#waitForSections();
    for (const engine of ENGINES) this.resetEngine(engine);
  }

  #waitForSections(): void {
    pollRegister(
      'Powerdown register 26h, ready bits REF ANL DAC ADC',
      () => this.readCodec(R.NAM_POWERDOWN),
      R.POWERDOWN_READY,
      R.POWERDOWN_READY,
      SECTIONS_READY_LIMIT_US,
    );
  }

  #probeCodec(): CodecFeatures {
    const capabilities = this.readCodec(R.NAM_RESET);
    const extended = this.readCodec(R.NAM_EXT_AUDIO_ID);
    const volumeMasks = new Map<number, number>();
    // Which bits exist shows in what can be read back (AC'97 2.3, 5.7.2). The mute bit stays set throughout, so that probing
    // is not heard.
    const probes: readonly (readonly [register: number, candidates: number])[] = [
      [R.NAM_MASTER_VOLUME, 0x3f3f],
      [R.NAM_AUX_OUT_VOLUME, 0x3f3f],
      [R.NAM_MONO_VOLUME, 0x003f],
      [R.NAM_PC_BEEP_VOLUME, 0x001e],
      [R.NAM_PHONE_VOLUME, 0x001f],
      [R.NAM_MIC_VOLUME, 0x005f],
      [R.NAM_LINE_IN_VOLUME, 0x1f1f],
      [R.NAM_CD_VOLUME, 0x1f1f],
      [R.NAM_VIDEO_VOLUME, 0x1f1f],
      [R.NAM_AUX_IN_VOLUME, 0x1f1f],
      [R.NAM_PCM_OUT_VOLUME, 0x1f1f],
      [R.NAM_RECORD_GAIN, 0x0f0f],
      [R.NAM_RECORD_GAIN_MIC, 0x000f],
    ];
    for (const [register, candidates] of probes) {
      const before = this.readCodec(register);
      this.writeCodec(register, R.VOLUME_MUTE | candidates);
      let found = this.readCodec(register);
      if (
        register === R.NAM_MASTER_VOLUME ||
        register === R.NAM_AUX_OUT_VOLUME ||
        register === R.NAM_MONO_VOLUME
      ) {
        // A codec with five bits answers 1xxxxx by 011111: the sixth bit reads back as 0.
        found &= R.VOLUME_MUTE | candidates;
      }
      volumeMasks.set(register, found & (R.VOLUME_MUTE | candidates));
      this.writeCodec(register, before);
    }
    let tone = false;
    if ((capabilities & R.RESET_TONE) !== 0) {
      this.writeCodec(R.NAM_MASTER_TONE, 0x0707);
      tone = this.readCodec(R.NAM_MASTER_TONE) === 0x0707;
      this.writeCodec(R.NAM_MASTER_TONE, 0x0f0f);
    }
    const wanted = extended & (R.EXT_VRA | R.EXT_VRM);
    this.writeCodec(R.NAM_EXT_AUDIO_CTRL, wanted);
    const enabled = this.readCodec(R.NAM_EXT_AUDIO_CTRL) & wanted;
    return {
      vendorId: ((this.readCodec(R.NAM_VENDOR_ID1) << 16) | this.readCodec(R.NAM_VENDOR_ID2)) >>> 0,
      volumeMasks,
      tone,
      dedicatedMic: (capabilities & R.RESET_DEDICATED_MIC) !== 0 || (extended & R.EXT_VRM) !== 0,
      variableRate: (enabled & R.EXT_VRA) !== 0,
      variableRateMic: (enabled & R.EXT_VRM) !== 0,
    };
  }

  /** 0 dB where there is a choice, analogue monitoring muted, line in as the record source. */
  #applyDefaults(): void {
    const unity = 0x0808;
    this.writeCodec(R.NAM_MASTER_VOLUME, 0x0000);
    if (this.hasMixerRegister(R.NAM_AUX_OUT_VOLUME)) this.writeCodec(R.NAM_AUX_OUT_VOLUME, 0x0000);
    if (this.hasMixerRegister(R.NAM_MONO_VOLUME)) this.writeCodec(R.NAM_MONO_VOLUME, R.VOLUME_MUTE);
    this.writeCodec(R.NAM_PCM_OUT_VOLUME, unity);
    for (const register of [R.NAM_PHONE_VOLUME, R.NAM_MIC_VOLUME]) {
      if (this.hasMixerRegister(register)) this.writeCodec(register, R.VOLUME_MUTE | 0x08);
    }
    for (const register of [R.NAM_LINE_IN_VOLUME, R.NAM_CD_VOLUME, R.NAM_VIDEO_VOLUME, R.NAM_AUX_IN_VOLUME]) {
      if (this.hasMixerRegister(register)) this.writeCodec(register, R.VOLUME_MUTE | unity);
    }
    if (this.hasMixerRegister(R.NAM_PC_BEEP_VOLUME)) this.writeCodec(R.NAM_PC_BEEP_VOLUME, R.VOLUME_MUTE);
    const line = R.RECORD_SOURCES.lineIn;
    this.writeCodec(R.NAM_RECORD_SELECT, (line << 8) | line);
    this.writeCodec(R.NAM_RECORD_GAIN, 0x0000);
    if (this.hasMixerRegister(R.NAM_RECORD_GAIN_MIC)) this.writeCodec(R.NAM_RECORD_GAIN_MIC, 0x0000);
    for (const register of [R.NAM_PCM_FRONT_DAC_RATE, R.NAM_PCM_LR_ADC_RATE, R.NAM_MIC_ADC_RATE]) {
      this.#cache.set(register, 48_000);
    }
  }

  /* ---- DMA engines; any IRQL up to DIRQL ---- */

  readEngineUchar(engine: EngineName, register: number): number {
    return READ_PORT_UCHAR(this.#busMasterPort + ENGINE_BLOCK[engine] + register);
  }

  readEngineUshort(engine: EngineName, register: number): number {
    return READ_PORT_USHORT(this.#busMasterPort + ENGINE_BLOCK[engine] + register);
  }

  writeEngineUchar(engine: EngineName, register: number, value: number): void {
    WRITE_PORT_UCHAR(this.#busMasterPort + ENGINE_BLOCK[engine] + register, value);
  }

  writeEngineUshort(engine: EngineName, register: number, value: number): void {
    WRITE_PORT_USHORT(this.#busMasterPort + ENGINE_BLOCK[engine] + register, value);
  }

  writeEngineUlong(engine: EngineName, register: number, value: number): void {
    WRITE_PORT_ULONG(this.#busMasterPort + ENGINE_BLOCK[engine] + register, value);
  }

  /** Stops an engine and puts its registers back to their reset values (CR.RR clears itself). IRQL <= DISPATCH_LEVEL. */
  resetEngine(engine: EngineName): void {
    this.writeEngineUchar(engine, R.X_CR, 0);
    // Nobody answers: the card was pulled out, and streams that are taken down now have nothing left to reset.
    if (this.readEngineUchar(engine, R.X_CR) === 0xff) return;
    this.writeEngineUchar(engine, R.X_CR, R.CR_RR);
    pollRegister(
      `${engine}_CR.RR`,
      () => this.readEngineUchar(engine, R.X_CR),
      R.CR_RR,
      0,
      SEMAPHORE_LIMIT_US,
    );
  }

  /** The stream that an engine's interrupts go to; null takes it out. PASSIVE_LEVEL. */
  setInterruptSink(engine: EngineName, sink: EngineInterruptSink | null): void {
    this.synchronized(() => {
      this.#sinks[engine] = sink;
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

  /** At DIRQL. Every engine is served in one pass: QEMU drops the line as soon as one of them has been acknowledged. */
  #serviceInterrupt(): boolean {
    const status = READ_PORT_ULONG(this.#busMasterPort + R.GLOB_STA);
    if ((status & (R.GLOB_STA_PIINT | R.GLOB_STA_POINT | R.GLOB_STA_MINT)) === 0 || status === 0xffff_ffff)
      return false;
    for (const engine of ENGINES) {
      if ((status & ENGINE_STATUS[engine]) === 0) continue;
      const engineStatus = this.readEngineUshort(engine, R.X_SR);
      this.writeEngineUshort(engine, R.X_SR, engineStatus & R.SR_W1C);
      this.#sinks[engine]?.engineInterrupt(engineStatus);
    }
    return true;
  }

  /* ---- IAdapterPowerManagement ---- */

  powerChangeState(newState: DEVICE_POWER_STATE): void {
    if (newState === this.#powerState) return;
    if (newState === PowerDeviceD0) {
      this.#powerState = newState;
      this.#resetLink();
      for (const register of RESTORED_REGISTERS) {
        const value = this.#cache.get(register);
        if (value !== undefined) this.writeCodec(register, value);
      }
      return;
    }
    // D1 keeps the mixer (and so analogue monitoring) alive; D2 and D3 turn the analogue sections off as well.
    let sections = R.POWERDOWN_PR0_ADC | R.POWERDOWN_PR1_DAC;
    if (newState > PowerDeviceD1) sections |= R.POWERDOWN_PR2_MIXER;
    if (newState === PowerDeviceD3) sections |= R.POWERDOWN_PR3_VREF;
    if (this.#powerState === PowerDeviceD0) {
      this.#takeSemaphore();
      WRITE_PORT_USHORT(this.#mixerPort + R.NAM_POWERDOWN, sections);
    }
    this.#powerState = newState;
  }

  queryPowerChangeState(_newState: DEVICE_POWER_STATE): void {}

  queryDeviceCapabilities(): void {}
}

/** The adapter object behind the `UnknownAdapter` that PortCls hands to a miniport's Init. */
export function commonOf(unknownAdapter: IUnknown | null): Ac97Common {
  if (!unknownAdapter) {
    throw new NtError(
      STATUS_NO_SUCH_DEVICE,
      'AC97: the miniport was initialised without its adapter object.',
    );
  }
  return unknownAdapter.queryInterface(IID_Ac97Common);
}
