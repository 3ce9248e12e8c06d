import { NtError, STATUS_INVALID_PARAMETER } from '../../../kernel/index.ts';
import {
  KSAUDIO_CPU_RESOURCES_NOT_HOST_CPU,
  KSPROPERTY_AUDIO_CPU_RESOURCES,
  KSPROPERTY_AUDIO_VOLUMELEVEL,
  KSPROPERTY_TYPE_BASICSUPPORT,
  KSPROPERTY_TYPE_GET,
  KSPROPERTY_TYPE_SET,
  KSPROPSETID_Audio,
} from '../../../ks/index.ts';
import {
  KSPROPERTY_MEMBER_FLAG_BASICSUPPORT_MULTICHANNEL,
  KSPROPERTY_MEMBER_STEPPEDRANGES,
  type PCAUTOMATION_TABLE,
  type PCPROPERTY_REQUEST,
  VT_I4,
} from '../../ddi/index.ts';
import type { OutputLevel } from './fm-synth.ts';
import { TL_SILENT, TL_STEP_DB } from './registers.ts';

/** Levels count 1/65536 dB. */
const STEP = TL_STEP_DB * 65_536;
const MAXIMUM = 0;
/** One step more than the chip attenuates: off. */
const MINIMUM = -(TL_SILENT + 1) * STEP;
const ALL_CHANNELS = -1;
const ACCESS = KSPROPERTY_TYPE_GET | KSPROPERTY_TYPE_SET | KSPROPERTY_TYPE_BASICSUPPORT;

/**
 * The volume node of CLSID_MiniportDriverFmSynthWithVol, made of what the chip has: an attenuation that both sides share, and a switch on
 * each side. A side's level is kept as it was set; the louder side's is heard, and a side at the minimum is off.
 */
export class FmVolume {
  readonly #levels: [number, number] = [MAXIMUM, MAXIMUM];
  readonly #changed: (level: OutputLevel) => void;

  constructor(changed: (level: OutputLevel) => void) {
    this.#changed = changed;
  }

  get output(): OutputLevel {
    const [left, right] = this.#levels;
    const steps = Math.round((MAXIMUM - Math.max(left, right)) / STEP);
    return { attenuation: Math.min(TL_SILENT, steps), left: left > MINIMUM, right: right > MINIMUM };
  }

  readonly automation: PCAUTOMATION_TABLE = {
    properties: [
      {
        set: KSPROPSETID_Audio,
        id: KSPROPERTY_AUDIO_VOLUMELEVEL,
        flags: ACCESS,
        handler: (request) => this.#volumeLevel(request),
      },
      {
        set: KSPROPSETID_Audio,
        id: KSPROPERTY_AUDIO_CPU_RESOURCES,
        flags: KSPROPERTY_TYPE_GET,
        handler: (request) => request.setUlong(KSAUDIO_CPU_RESOURCES_NOT_HOST_CPU),
      },
    ],
  };

  #volumeLevel(request: PCPROPERTY_REQUEST): void {
    if (request.verb === KSPROPERTY_TYPE_BASICSUPPORT) {
      const range = { minimum: MINIMUM, maximum: MAXIMUM, steppingDelta: STEP };
      request.answerBasicSupport({
        accessFlags: ACCESS,
        valueType: VT_I4,
        members: [
          {
            membersFlags: KSPROPERTY_MEMBER_STEPPEDRANGES,
            flags: KSPROPERTY_MEMBER_FLAG_BASICSUPPORT_MULTICHANNEL,
            ranges: [range, range],
          },
        ],
      });
      return;
    }
    const channel = request.instanceLong(0);
    if (channel !== ALL_CHANNELS && channel !== 0 && channel !== 1)
      throw new NtError(STATUS_INVALID_PARAMETER, `the synthesizer has no channel ${channel}`);
    if (request.verb === KSPROPERTY_TYPE_GET) {
      request.setLong(channel === ALL_CHANNELS ? Math.max(...this.#levels) : this.#levels[channel]);
      return;
    }
    // Levels outside the range take its ends (ksproperty-audio-volumelevel.md); between the chip's steps the nearest is taken.
    const level = Math.round(Math.min(MAXIMUM, Math.max(MINIMUM, request.getLong())) / STEP) * STEP;
    if (channel !== 1) this.#levels[0] = level;
    if (channel !== 0) this.#levels[1] = level;
    this.#changed(this.output);
  }
}
