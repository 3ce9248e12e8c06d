import { CUnknown, type IID, type IUnknown } from '../../com/index.ts';
import { NtError, STATUS_INVALID_PARAMETER, STATUS_NOT_IMPLEMENTED } from '../../kernel/index.ts';
import {
  encodeJackDescription2s,
  encodeJackDescriptions,
  type KSDATARANGE,
  type KSJACK_DESCRIPTION,
  KSPROPERTY_AUDIO_BASS,
  KSPROPERTY_AUDIO_CPU_RESOURCES,
  KSPROPERTY_AUDIO_LOUDNESS,
  KSPROPERTY_AUDIO_MUTE,
  KSPROPERTY_AUDIO_MUX_SOURCE,
  KSPROPERTY_AUDIO_TREBLE,
  KSPROPERTY_AUDIO_VOLUMELEVEL,
  KSPROPERTY_JACK_DESCRIPTION,
  KSPROPERTY_JACK_DESCRIPTION2,
  KSPROPERTY_TYPE_BASICSUPPORT,
  KSPROPERTY_TYPE_GET,
  KSPROPERTY_TYPE_SET,
  KSPROPSETID_Audio,
  KSPROPSETID_Jack,
} from '../../ks/index.ts';
import {
  type BasicSupportRange,
  IID_IMiniport,
  IID_IMiniportTopology,
  type IMiniportTopology,
  type IPortTopology,
  type IResourceList,
  KSPROPERTY_MEMBER_FLAG_BASICSUPPORT_MULTICHANNEL,
  KSPROPERTY_MEMBER_FLAG_BASICSUPPORT_UNIFORM,
  KSPROPERTY_MEMBER_STEPPEDRANGES,
  type PCAUTOMATION_TABLE,
  type PCFILTER_DESCRIPTOR,
  type PCPROPERTY_ITEM,
  PCPROPERTY_ITEM_FLAG_BASICSUPPORT,
  PCPROPERTY_ITEM_FLAG_GET,
  PCPROPERTY_ITEM_FLAG_SET,
  type PCPROPERTY_REQUEST,
  VT_BOOL,
  VT_I4,
  VT_UI4,
} from '../../portcls/index.ts';
import { type Ac97Common, commonOf } from './common.ts';
import {
  codeToLevel,
  fieldShift,
  type GainStage,
  levelToCode,
  stageRange,
  TONE_RANGE,
  type ToneStage,
  toneCodeToLevel,
  toneLevelToCode,
} from './mixer-controls.ts';
import * as R from './registers.ts';
import { type BridgePins, buildTopology, type Topology, type TopologyNode } from './topology-filter.ts';

/** `channel` of KSNODEPROPERTY_AUDIO_CHANNEL that stands for all channels; accepted in set requests. */
const ALL_CHANNELS = -1;
/** KSAUDIO_CPU_RESOURCES_NOT_HOST_CPU: the codec does the work. */
const NOT_HOST_CPU = 0;
const ACCESS = KSPROPERTY_TYPE_GET | KSPROPERTY_TYPE_SET | KSPROPERTY_TYPE_BASICSUPPORT;
const FLAGS = PCPROPERTY_ITEM_FLAG_GET | PCPROPERTY_ITEM_FLAG_SET | PCPROPERTY_ITEM_FLAG_BASICSUPPORT;

/** Topology miniport: the codec's mixer as nodes, and its jacks as pins. */
export class Ac97TopologyMiniport extends CUnknown implements IMiniportTopology {
  #common: Ac97Common | null = null;
  #topology: Topology | null = null;
  #filter: PCFILTER_DESCRIPTOR | null = null;

  constructor(outerUnknown: IUnknown | null = null) {
    super('Ac97TopologyMiniport', outerUnknown);
  }

  protected override nonDelegatingQueryInterface(iid: IID<unknown>): object | null {
    return iid.guid.equals(IID_IMiniportTopology.guid) || iid.guid.equals(IID_IMiniport.guid) ? this : null;
  }

  protected override finalRelease(): void {
    this.#common?.release();
    this.#common = null;
  }

  init(unknownAdapter: IUnknown | null, _resourceList: IResourceList, _port: IPortTopology): void {
    const common = commonOf(unknownAdapter);
    this.#common = common;
    const topology = buildTopology(common.features);
    this.#topology = topology;
    this.#filter = {
      version: 0,
      automationTable: {
        properties: [
          this.#jackItem(KSPROPERTY_JACK_DESCRIPTION, (jack) => encodeJackDescriptions([jack])),
          this.#jackItem(KSPROPERTY_JACK_DESCRIPTION2, () =>
            encodeJackDescription2s([{ deviceStateInfo: 0, jackCapabilities: 0 }]),
          ),
        ],
      },
      pins: topology.pins,
      nodes: topology.nodes.map((node) => ({
        type: node.type,
        name: node.name,
        automationTable: this.#automation(common, node),
      })),
      connections: topology.connections,
    };
  }

  getDescription(): PCFILTER_DESCRIPTOR {
    return this.#filter as PCFILTER_DESCRIPTOR;
  }

  dataRangeIntersection(_pinId: number, _client: KSDATARANGE, _mine: KSDATARANGE): number {
    throw new NtError(STATUS_NOT_IMPLEMENTED);
  }

  /** Where the wave filter is wired to. After init. */
  get bridgePins(): BridgePins {
    return (this.#topology as Topology).bridgePins;
  }

  /* ---- automation tables ---- */

  #automation(common: Ac97Common, node: TopologyNode): PCAUTOMATION_TABLE | null {
    const { control } = node;
    switch (control.kind) {
      case 'volume':
        return table(levelItem(common, control.stage));
      case 'mute':
        return table(muteItem(common, control.register, control.channels));
      case 'bass':
      case 'treble':
        return table(
          toneItem(
            common,
            control.kind === 'bass' ? KSPROPERTY_AUDIO_BASS : KSPROPERTY_AUDIO_TREBLE,
            control.stage,
          ),
        );
      case 'boost':
        return table(boostItem(common));
      case 'mux':
        return table(muxItem(common, control.sources));
      case 'none':
        return null;
    }
  }

  /** Jack properties are the filter's; the pin's number follows the property (KSP_PIN). */
  #jackItem(id: number, encode: (jack: KSJACK_DESCRIPTION) => Uint8Array): PCPROPERTY_ITEM {
    return {
      set: KSPROPSETID_Jack,
      id,
      flags: PCPROPERTY_ITEM_FLAG_GET | PCPROPERTY_ITEM_FLAG_BASICSUPPORT,
      handler: (request) => {
        if (request.verb === KSPROPERTY_TYPE_BASICSUPPORT) {
          request.answerBasicSupport({ accessFlags: KSPROPERTY_TYPE_GET | KSPROPERTY_TYPE_BASICSUPPORT });
          return;
        }
        const pinId = request.instanceUlong(0);
        const topology = this.#topology as Topology;
        if (pinId >= topology.pins.length) throw new NtError(STATUS_INVALID_PARAMETER);
        const jack = topology.jacks.get(pinId);
        // A pin without a jack (the wiring to the wave filter) answers with an empty list.
        request.setBytes(jack ? encode(jack) : encodeJackDescriptions([]));
      },
    };
  }
}

function table(item: PCPROPERTY_ITEM): PCAUTOMATION_TABLE {
  return { properties: [item, CPU_RESOURCES_ITEM] };
}

const CPU_RESOURCES_ITEM: PCPROPERTY_ITEM = {
  set: KSPROPSETID_Audio,
  id: KSPROPERTY_AUDIO_CPU_RESOURCES,
  flags: PCPROPERTY_ITEM_FLAG_GET | PCPROPERTY_ITEM_FLAG_BASICSUPPORT,
  handler: (request) => {
    if (request.verb === KSPROPERTY_TYPE_BASICSUPPORT) {
      request.answerBasicSupport({
        accessFlags: KSPROPERTY_TYPE_GET | KSPROPERTY_TYPE_BASICSUPPORT,
        valueType: VT_UI4,
      });
    } else {
      request.setUlong(NOT_HOST_CPU);
    }
  },
};

/** Basic support of a property that each channel has: one stepped range a channel. */
function answerPerChannel(
  request: PCPROPERTY_REQUEST,
  valueType: number,
  range: BasicSupportRange,
  channels: number,
  uniform: boolean,
): void {
  request.answerBasicSupport({
    accessFlags: ACCESS,
    valueType,
    members: [
      {
        membersFlags: KSPROPERTY_MEMBER_STEPPEDRANGES,
        flags:
          KSPROPERTY_MEMBER_FLAG_BASICSUPPORT_MULTICHANNEL |
          (uniform ? KSPROPERTY_MEMBER_FLAG_BASICSUPPORT_UNIFORM : 0),
        ranges: Array.from({ length: channels }, () => range),
      },
    ],
  });
}

/** The channel a request names: a set may name all of them, a get must name one that exists. */
function requestChannel(request: PCPROPERTY_REQUEST, channels: number): number {
  const channel = request.instanceLong(0);
  const all = channel === ALL_CHANNELS && request.verb === KSPROPERTY_TYPE_SET;
  if (!all && (channel < 0 || channel >= channels)) throw new NtError(STATUS_INVALID_PARAMETER);
  return channel;
}

function levelItem(common: Ac97Common, stage: GainStage): PCPROPERTY_ITEM {
  return {
    set: KSPROPSETID_Audio,
    id: KSPROPERTY_AUDIO_VOLUMELEVEL,
    flags: FLAGS,
    handler: (request) => {
      if (request.verb === KSPROPERTY_TYPE_BASICSUPPORT) {
        answerPerChannel(request, VT_I4, stageRange(stage), stage.channels, false);
        return;
      }
      const channel = requestChannel(request, stage.channels);
      if (request.verb === KSPROPERTY_TYPE_GET) {
        const code = (common.cachedCodec(stage.register) >>> fieldShift(stage, channel)) & stage.codeMask;
        request.setLong(codeToLevel(stage, code));
        return;
      }
      const code = levelToCode(stage, request.getLong());
      let mask = 0;
      let value = 0;
      for (let each = 0; each < stage.channels; each++) {
        if (channel !== ALL_CHANNELS && each !== channel) continue;
        mask |= stage.codeMask << fieldShift(stage, each);
        value |= code << fieldShift(stage, each);
      }
      common.updateCodec(stage.register, mask, value);
    },
  };
}

/** One mute bit serves both channels. */
function muteItem(common: Ac97Common, register: number, channels: 1 | 2): PCPROPERTY_ITEM {
  return {
    set: KSPROPSETID_Audio,
    id: KSPROPERTY_AUDIO_MUTE,
    flags: FLAGS,
    handler: (request) => {
      if (request.verb === KSPROPERTY_TYPE_BASICSUPPORT) {
        answerPerChannel(request, VT_BOOL, { minimum: 0, maximum: 1, steppingDelta: 1 }, channels, true);
        return;
      }
      requestChannel(request, channels);
      if (request.verb === KSPROPERTY_TYPE_GET)
        request.setBool((common.cachedCodec(register) & R.VOLUME_MUTE) !== 0);
      else common.updateCodec(register, R.VOLUME_MUTE, request.getBool() ? R.VOLUME_MUTE : 0);
    },
  };
}

function toneItem(common: Ac97Common, id: number, stage: ToneStage): PCPROPERTY_ITEM {
  return {
    set: KSPROPSETID_Audio,
    id,
    flags: FLAGS,
    handler: (request) => {
      if (request.verb === KSPROPERTY_TYPE_BASICSUPPORT) {
        answerPerChannel(request, VT_I4, TONE_RANGE, 2, true);
        return;
      }
      requestChannel(request, 2);
      if (request.verb === KSPROPERTY_TYPE_GET) {
        request.setLong(toneCodeToLevel((common.cachedCodec(R.NAM_MASTER_TONE) >>> stage.shift) & 0x0f));
      } else {
        common.updateCodec(
          R.NAM_MASTER_TONE,
          0x0f << stage.shift,
          toneLevelToCode(request.getLong()) << stage.shift,
        );
      }
    },
  };
}

/** The 20 dB microphone boost: a loudness node, on or off. */
function boostItem(common: Ac97Common): PCPROPERTY_ITEM {
  return {
    set: KSPROPSETID_Audio,
    id: KSPROPERTY_AUDIO_LOUDNESS,
    flags: FLAGS,
    handler: (request) => {
      if (request.verb === KSPROPERTY_TYPE_BASICSUPPORT) {
        answerPerChannel(request, VT_BOOL, { minimum: 0, maximum: 1, steppingDelta: 1 }, 1, true);
        return;
      }
      requestChannel(request, 1);
      if (request.verb === KSPROPERTY_TYPE_GET) {
        request.setBool((common.cachedCodec(R.NAM_MIC_VOLUME) & R.MIC_BOOST_20DB) !== 0);
      } else {
        common.updateCodec(R.NAM_MIC_VOLUME, R.MIC_BOOST_20DB, request.getBool() ? R.MIC_BOOST_20DB : 0);
      }
    },
  };
}

/** The value of KSPROPERTY_AUDIO_MUX_SOURCE is the number of the mux's input pin, 1 to n. */
function muxItem(common: Ac97Common, sources: readonly R.RecordSource[]): PCPROPERTY_ITEM {
  return {
    set: KSPROPSETID_Audio,
    id: KSPROPERTY_AUDIO_MUX_SOURCE,
    flags: FLAGS,
    handler: (request) => {
      if (request.verb === KSPROPERTY_TYPE_BASICSUPPORT) {
        request.answerBasicSupport({ accessFlags: ACCESS, valueType: VT_UI4 });
      } else if (request.verb === KSPROPERTY_TYPE_GET) {
        const code = common.cachedCodec(R.NAM_RECORD_SELECT) & 0x7;
        request.setUlong(sources.findIndex((source) => R.RECORD_SOURCES[source] === code) + 1);
      } else {
        const source = sources[request.getUlong() - 1];
        if (!source) throw new NtError(STATUS_INVALID_PARAMETER);
        const code = R.RECORD_SOURCES[source];
        common.writeCodec(R.NAM_RECORD_SELECT, (code << 8) | code);
      }
    },
  };
}
