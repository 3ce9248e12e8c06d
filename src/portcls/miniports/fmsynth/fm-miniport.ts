import { CUnknown, type GUID, type IID, type IUnknown } from '../../../com/index.ts';
import {
  type DEVICE_POWER_STATE,
  NtError,
  PowerDeviceD0,
  STATUS_DEVICE_CONFIGURATION_ERROR,
  STATUS_INSUFFICIENT_RESOURCES,
  STATUS_INVALID_DEVICE_REQUEST,
} from '../../../kernel/index.ts';
import {
  type KSDATAFORMAT,
  type KSDATARANGE,
  KSMUSIC_TECHNOLOGY_FMSYNTH,
  KSPROPERTY_SYNTH_RUNNINGSTATS,
  KSPROPERTY_TYPE_GET,
  KSPROPSETID_Synth,
  midiDataRange,
  SYNTH_STATS,
  SYNTH_STATS_LOST_NOTES,
  SYNTH_STATS_VOICES,
} from '../../../ks/index.ts';
import {
  IID_IMiniport,
  IID_IMiniportMidi,
  IID_IMusicTechnology,
  IID_IPowerNotify,
  type IMiniportMidi,
  type IMusicTechnology,
  type IPortMidi,
  type IPowerNotify,
  type IResourceList,
  type IServiceGroup,
  type MidiNewStream,
  type PCAUTOMATION_TABLE,
  type PCFILTER_DESCRIPTOR,
} from '../../ddi/index.ts';
import { midiIntersection } from '../midi-filter.ts';
import { FM_PIN_RENDER, fmFilter } from './fm-filter.ts';
import { FmStream } from './fm-stream.ts';
import { FmSynth } from './fm-synth.ts';
import { FmVolume } from './fm-volume.ts';
import { OplChip } from './opl-chip.ts';
import { OPL_PORTS_OPL2 } from './registers.ts';

/**
 * CLSID_MiniportDriverFmSynth and CLSID_MiniportDriverFmSynthWithVol: an OPL3, or an OPL2 where that is what is found, as a General MIDI
 * synthesizer. Its resource list holds one range of four I/O ports (two for an OPL2). The chip needs no interrupt.
 */
export class FmMiniport extends CUnknown implements IMiniportMidi, IMusicTechnology, IPowerNotify {
  readonly #volume: FmVolume | null;
  #range = midiDataRange({ technology: KSMUSIC_TECHNOLOGY_FMSYNTH });
  #descriptor: PCFILTER_DESCRIPTOR | null = null;
  #synth: FmSynth | null = null;
  #streaming = false;

  constructor(withVolume: boolean) {
    super(withVolume ? 'FmMiniportWithVol' : 'FmMiniport');
    this.#volume = withVolume
      ? new FmVolume((level) => {
          this.synth.output = level;
        })
      : null;
  }

  get synth(): FmSynth {
    if (this.#synth === null)
      throw new NtError(STATUS_INVALID_DEVICE_REQUEST, 'IMiniportMidi::Init comes first');
    return this.#synth;
  }

  // ------------------------------------------------------------------ IMiniportMidi

  /**
   * Finds the chip and silences it. Throws STATUS_DEVICE_CONFIGURATION_ERROR for a list without I/O ports, STATUS_DEVICE_DOES_NOT_EXIST
   * when no OPL answers there.
   */
  init(
    _unknownAdapter: IUnknown | null,
    resourceList: IResourceList,
    _port: IPortMidi,
  ): IServiceGroup | null {
    const ports = resourceList.findTranslatedEntry('Port', 0);
    if (ports?.type !== 'Port' || ports.length < OPL_PORTS_OPL2) {
      throw new NtError(
        STATUS_DEVICE_CONFIGURATION_ERROR,
        'the FM synthesizer miniport needs its I/O ports in its resource list',
      );
    }
    const chip = new OplChip(ports.start);
    chip.detect(ports.length);
    const synth = new FmSynth(chip);
    synth.reset();
    this.#synth = synth;
    return null;
  }

  newStream(
    _outerUnknown: IUnknown | null,
    pin: number,
    capture: boolean,
    _dataFormat: KSDATAFORMAT,
  ): MidiNewStream {
    if (capture || pin !== FM_PIN_RENDER)
      throw new NtError(STATUS_INVALID_DEVICE_REQUEST, `pin ${pin} has no streams in that direction`);
    if (this.#streaming)
      throw new NtError(STATUS_INSUFFICIENT_RESOURCES, 'the FM synthesizer has one stream');
    const stream = new FmStream(this);
    this.#streaming = true;
    return { stream, serviceGroup: null };
  }

  /** There are no interrupts. */
  service(): void {}

  getDescription(): PCFILTER_DESCRIPTOR {
    this.#descriptor ??= fmFilter(this.#range, this.#synthAutomation, this.#volume?.automation ?? null);
    return this.#descriptor;
  }

  dataRangeIntersection(
    _pinId: number,
    clientDataRange: KSDATARANGE,
    myDataRange: KSDATARANGE,
    outputBufferLength: number,
    resultantFormat: Uint8Array | null,
  ): number {
    return midiIntersection(clientDataRange, myDataRange, outputBufferLength, resultantFormat);
  }

  /** KSPROPERTY_SYNTH_RUNNINGSTATS: voices in use, and notes lost since the stream left KSSTATE_STOP. */
  readonly #synthAutomation: PCAUTOMATION_TABLE = {
    properties: [
      {
        set: KSPROPSETID_Synth,
        id: KSPROPERTY_SYNTH_RUNNINGSTATS,
        flags: KSPROPERTY_TYPE_GET,
        handler: (request) => {
          request.setBytes(
            SYNTH_STATS.encode({
              validStats: SYNTH_STATS_VOICES | SYNTH_STATS_LOST_NOTES,
              voices: this.synth.voicesSounding,
              totalCPU: 0,
              cpuPerVoice: 0,
              lostNotes: this.synth.notesLost,
              freeMemory: 0,
              peakVolume: 0,
            }),
          );
        },
      },
    ],
  };

  // ------------------------------------------------------------------ IMusicTechnology, IPowerNotify

  /** Throws STATUS_INVALID_DEVICE_REQUEST once the port has the description. */
  setTechnology(technology: GUID): void {
    if (this.#descriptor !== null)
      throw new NtError(STATUS_INVALID_DEVICE_REQUEST, 'SetTechnology comes before Init');
    this.#range = midiDataRange({ technology });
  }

  /** The chip forgets its registers without power; notes that sounded are gone. */
  powerChangeNotify(powerState: DEVICE_POWER_STATE): void {
    const synth = this.#synth;
    if (synth === null) return;
    if (powerState === PowerDeviceD0) synth.restore();
    else synth.silence();
  }

  streamClosed(): void {
    this.#streaming = false;
  }

  protected override nonDelegatingQueryInterface(iid: IID<unknown>): object | null {
    return iid.equals(IID_IMiniportMidi) ||
      iid.equals(IID_IMiniport) ||
      iid.equals(IID_IMusicTechnology) ||
      iid.equals(IID_IPowerNotify)
      ? this
      : super.nonDelegatingQueryInterface(iid);
  }
}
