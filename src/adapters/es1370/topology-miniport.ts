import { CUnknown, type IID, type IUnknown } from '../../com/index.ts';
import { NtError, STATUS_INVALID_PARAMETER, STATUS_NOT_IMPLEMENTED } from '../../kernel/index.ts';
import {
  encodeJackDescription2s,
  encodeJackDescriptions,
  type KSDATARANGE,
  type KSJACK_DESCRIPTION,
  KSPROPERTY_AUDIO_CPU_RESOURCES,
  KSPROPERTY_AUDIO_LOUDNESS,
  KSPROPERTY_AUDIO_MUTE,
  KSPROPERTY_AUDIO_MUX_SOURCE,
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
import { commonOf, type Es1370Common } from './common.ts';
import {
  codeToLevel,
  type GainStage,
  levelToCode,
  RECORD_REGISTERS,
  RECORD_SWITCHES,
  type RecordSource,
  type SwitchBit,
  stageRange,
} from './mixer-controls.ts';
import * as R from './registers.ts';
import { type BridgePins, buildTopology, type Topology, type TopologyNode } from './topology-filter.ts';

/** `channel` of KSNODEPROPERTY_AUDIO_CHANNEL that stands for all channels; accepted in set requests. */
const ALL_CHANNELS = -1;
/** KSAUDIO_CPU_RESOURCES_NOT_HOST_CPU: the codec does the work. */
const NOT_HOST_CPU = 0;
const ACCESS = KSPROPERTY_TYPE_GET | KSPROPERTY_TYPE_SET | KSPROPERTY_TYPE_BASICSUPPORT;
const FLAGS = PCPROPERTY_ITEM_FLAG_GET | PCPROPERTY_ITEM_FLAG_SET | PCPROPERTY_ITEM_FLAG_BASICSUPPORT;
const ON_OFF: BasicSupportRange = { minimum: 0, maximum: 1, steppingDelta: 1 };

/** Topology miniport: the codec's mixer as nodes, and its jacks as pins. */
export class Es1370TopologyMiniport extends CUnknown implements IMiniportTopology {
  #common: Es1370Common | null = null;
  readonly #topology: Topology = buildTopology();
  #filter: PCFILTER_DESCRIPTOR | null = null;

  constructor(outerUnknown: IUnknown | null = null) {
    super('Es1370TopologyMiniport', outerUnknown);
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
    const topology = this.#topology;
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
        automationTable: automation(common, node),
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

  /** Where the wave filter is wired to. */
  get bridgePins(): BridgePins {
    return this.#topology.bridgePins;
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
        const topology = this.#topology;
        if (pinId >= topology.pins.length) throw new NtError(STATUS_INVALID_PARAMETER);
        const jack = topology.jacks.get(pinId);
        // A pin without a jack (the wiring to the wave filter) answers with an empty list.
        request.setBytes(jack ? encode(jack) : encodeJackDescriptions([]));
      },
    };
  }
}

function automation(common: Es1370Common, node: TopologyNode): PCAUTOMATION_TABLE | null {
  const { control } = node;
  switch (control.kind) {
    case 'volume':
      return table(levelItem(common, control.stage));
    case 'mute':
      return table(muteItem(common, control.bits, control.muted));
    case 'boost':
      return table(boostItem(common));
    case 'mux':
      return table(muxItem(common, control.sources));
    case 'none':
      return null;
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

function levelItem(common: Es1370Common, stage: GainStage): PCPROPERTY_ITEM {
  const { registers, codeMask } = stage;
  return {
    set: KSPROPSETID_Audio,
    id: KSPROPERTY_AUDIO_VOLUMELEVEL,
    flags: FLAGS,
    handler: (request) => {
      if (request.verb === KSPROPERTY_TYPE_BASICSUPPORT) {
        answerPerChannel(request, VT_I4, stageRange(stage), registers.length, false);
        return;
      }
      const channel = requestChannel(request, registers.length);
      if (request.verb === KSPROPERTY_TYPE_GET) {
        request.setLong(codeToLevel(stage, common.cachedCodec(registers[channel] as number)));
        return;
      }
      const code = levelToCode(stage, request.getLong());
      for (const [each, register] of registers.entries()) {
        if (channel === ALL_CHANNELS || each === channel) common.updateCodec(register, codeMask, code);
      }
    },
  };
}

function muteItem(common: Es1370Common, bits: readonly SwitchBit[], muted: 0 | 1): PCPROPERTY_ITEM {
  return {
    set: KSPROPSETID_Audio,
    id: KSPROPERTY_AUDIO_MUTE,
    flags: FLAGS,
    handler: (request) => {
      if (request.verb === KSPROPERTY_TYPE_BASICSUPPORT) {
        answerPerChannel(request, VT_BOOL, ON_OFF, bits.length, false);
        return;
      }
      const channel = requestChannel(request, bits.length);
      if (request.verb === KSPROPERTY_TYPE_GET) {
        const { register, bit } = bits[channel] as SwitchBit;
        request.setBool(((common.cachedCodec(register) & bit) !== 0) === (muted === 1));
        return;
      }
      const set = request.getBool() === (muted === 1);
      for (const [each, { register, bit }] of bits.entries()) {
        if (channel === ALL_CHANNELS || each === channel) common.updateCodec(register, bit, set ? bit : 0);
      }
    },
  };
}

/** The 30 dB microphone amplifier: a loudness node, on or off. */
function boostItem(common: Es1370Common): PCPROPERTY_ITEM {
  return {
    set: KSPROPSETID_Audio,
    id: KSPROPERTY_AUDIO_LOUDNESS,
    flags: FLAGS,
    handler: (request) => {
      if (request.verb === KSPROPERTY_TYPE_BASICSUPPORT) {
        answerPerChannel(request, VT_BOOL, ON_OFF, 1, true);
        return;
      }
      requestChannel(request, 1);
      if (request.verb === KSPROPERTY_TYPE_GET)
        request.setBool((common.cachedCodec(R.AK_MIC_GAIN) & R.AK_MIC_30_DB) !== 0);
      else common.updateCodec(R.AK_MIC_GAIN, R.AK_MIC_30_DB, request.getBool() ? R.AK_MIC_30_DB : 0);
    },
  };
}

/** The value of KSPROPERTY_AUDIO_MUX_SOURCE is the number of the mux's input pin, 1 to n. */
function muxItem(common: Es1370Common, sources: readonly RecordSource[]): PCPROPERTY_ITEM {
  return {
    set: KSPROPSETID_Audio,
    id: KSPROPERTY_AUDIO_MUX_SOURCE,
    flags: FLAGS,
    handler: (request) => {
      if (request.verb === KSPROPERTY_TYPE_BASICSUPPORT) {
        request.answerBasicSupport({ accessFlags: ACCESS, valueType: VT_UI4 });
      } else if (request.verb === KSPROPERTY_TYPE_GET) {
        const now = RECORD_REGISTERS.map((register) => common.cachedCodec(register));
        const index = sources.findIndex((source) =>
          RECORD_SWITCHES[source].every((value, each) => value === now[each]),
        );
        request.setUlong(index + 1);
      } else {
        const source = sources[request.getUlong() - 1];
        if (!source) throw new NtError(STATUS_INVALID_PARAMETER);
        for (const [each, register] of RECORD_REGISTERS.entries())
          common.writeCodec(register, RECORD_SWITCHES[source][each] as number);
      }
    },
  };
}
