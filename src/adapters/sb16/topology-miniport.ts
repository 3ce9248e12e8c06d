import { CUnknown, type IID, type IUnknown } from '../../com/index.ts';
import { NtError, STATUS_INVALID_PARAMETER, STATUS_NOT_IMPLEMENTED } from '../../kernel/index.ts';
import {
  type KSDATARANGE,
  KSPROPERTY_AUDIO_AGC,
  KSPROPERTY_AUDIO_BASS,
  KSPROPERTY_AUDIO_MUTE,
  KSPROPERTY_AUDIO_TREBLE,
  KSPROPERTY_AUDIO_VOLUMELEVEL,
  KSPROPERTY_TYPE_BASICSUPPORT,
  KSPROPERTY_TYPE_GET,
  KSPROPERTY_TYPE_SET,
  KSPROPSETID_Audio,
} from '../../ks/index.ts';
import {
  type BasicSupportRange,
  IID_IMiniport,
  IID_IMiniportTopology,
  type IMiniportTopology,
  type IPortTopology,
  type IResourceList,
  KSPROPERTY_MEMBER_FLAG_BASICSUPPORT_MULTICHANNEL,
  KSPROPERTY_MEMBER_STEPPEDRANGES,
  type PCAUTOMATION_TABLE,
  type PCFILTER_DESCRIPTOR,
  PCPROPERTY_ITEM_FLAG_BASICSUPPORT,
  PCPROPERTY_ITEM_FLAG_GET,
  PCPROPERTY_ITEM_FLAG_SET,
  type PCPROPERTY_REQUEST,
  VT_BOOL,
  VT_I4,
} from '../../portcls/index.ts';
import { commonOf, type Sb16Common } from './common.ts';
import { codeToLevel, type GainStage, levelToCode, stageRange } from './mixer-controls.ts';
import * as R from './registers.ts';
import { CONNECTIONS, NODES, type NodeControl, PINS, type SwitchBits } from './topology-filter.ts';

/** `channel` of KSNODEPROPERTY_AUDIO_CHANNEL that stands for all channels; accepted in set requests. */
const ALL_CHANNELS = -1;
const ACCESS = KSPROPERTY_TYPE_GET | KSPROPERTY_TYPE_SET | KSPROPERTY_TYPE_BASICSUPPORT;
const FLAGS = PCPROPERTY_ITEM_FLAG_GET | PCPROPERTY_ITEM_FLAG_SET | PCPROPERTY_ITEM_FLAG_BASICSUPPORT;
const SWITCH_RANGE: BasicSupportRange = { minimum: 0, maximum: 1, steppingDelta: 1 };

/** A value per channel behind a property: what a node's handler reads and writes. */
interface ChannelValue {
  readonly channels: number;
  readonly valueType: number;
  readonly range: BasicSupportRange;
  get(channel: number): number;
  set(channel: number, value: number): void;
}

/** Topology miniport: the CT1745 mixer. */
export class Sb16TopologyMiniport extends CUnknown implements IMiniportTopology {
  #common: Sb16Common | null = null;
  #filter: PCFILTER_DESCRIPTOR | null = null;

  constructor(outerUnknown: IUnknown | null = null) {
    super('Sb16TopologyMiniport', outerUnknown);
  }

  protected override nonDelegatingQueryInterface(iid: IID<unknown>): object | null {
    return iid.equals(IID_IMiniportTopology) || iid.equals(IID_IMiniport) ? this : null;
  }

  protected override finalRelease(): void {
    this.#common?.release();
    this.#common = null;
  }

  init(unknownAdapter: IUnknown | null, _resourceList: IResourceList, _port: IPortTopology): void {
    const common = commonOf(unknownAdapter);
    this.#common = common;
    this.#filter = {
      version: 0,
      pins: PINS,
      nodes: NODES.map(({ type, name, control }) => ({
        type,
        name,
        automationTable: automation(common, control),
      })),
      connections: CONNECTIONS,
    };
  }

  getDescription(): PCFILTER_DESCRIPTOR {
    return this.#filter as PCFILTER_DESCRIPTOR;
  }

  dataRangeIntersection(_pinId: number, _client: KSDATARANGE, _mine: KSDATARANGE): number {
    throw new NtError(STATUS_NOT_IMPLEMENTED);
  }
}

function automation(common: Sb16Common, control: NodeControl): PCAUTOMATION_TABLE | null {
  switch (control.kind) {
    case 'volume':
      return table(KSPROPERTY_AUDIO_VOLUMELEVEL, level(common, control.stage));
    case 'bass':
      return table(KSPROPERTY_AUDIO_BASS, level(common, control.stage));
    case 'treble':
      return table(KSPROPERTY_AUDIO_TREBLE, level(common, control.stage));
    case 'mute':
      return table(KSPROPERTY_AUDIO_MUTE, mute(common, control.switches));
    case 'agc':
      return table(KSPROPERTY_AUDIO_AGC, agc(common));
    case 'none':
      return null;
  }
}

function level(common: Sb16Common, stage: GainStage): ChannelValue {
  const mask = (stage.codes - 1) << stage.shift;
  return {
    channels: stage.channels,
    valueType: VT_I4,
    range: stageRange(stage),
    get: (channel) =>
      codeToLevel(stage, (common.cachedMixer(stage.register + channel) & mask) >>> stage.shift),
    set: (channel, value) =>
      common.updateMixer(stage.register + channel, mask, levelToCode(stage, value) << stage.shift),
  };
}

/** A channel is mute when its switch is open. */
function mute(common: Sb16Common, switches: readonly SwitchBits[]): ChannelValue {
  const at = (channel: number) => switches[channel] as SwitchBits;
  return {
    channels: switches.length,
    valueType: VT_BOOL,
    range: SWITCH_RANGE,
    get: (channel) => ((common.cachedMixer(at(channel).register) & at(channel).bit) === 0 ? 1 : 0),
    set: (channel, value) =>
      common.updateMixer(at(channel).register, at(channel).bit, value === 0 ? at(channel).bit : 0),
  };
}

function agc(common: Sb16Common): ChannelValue {
  return {
    channels: 1,
    valueType: VT_BOOL,
    range: SWITCH_RANGE,
    get: () => ((common.cachedMixer(R.MIX_AGC) & 1) === 0 ? 1 : 0),
    set: (_channel, value) => common.updateMixer(R.MIX_AGC, 1, value === 0 ? 1 : 0),
  };
}

function table(id: number, value: ChannelValue): PCAUTOMATION_TABLE {
  return {
    properties: [{ set: KSPROPSETID_Audio, id, flags: FLAGS, handler: (request) => serve(request, value) }],
  };
}

function serve(request: PCPROPERTY_REQUEST, value: ChannelValue): void {
  if (request.verb === KSPROPERTY_TYPE_BASICSUPPORT) {
    request.answerBasicSupport({
      accessFlags: ACCESS,
      valueType: value.valueType,
      members: [
        {
          membersFlags: KSPROPERTY_MEMBER_STEPPEDRANGES,
          flags: KSPROPERTY_MEMBER_FLAG_BASICSUPPORT_MULTICHANNEL,
          ranges: Array.from({ length: value.channels }, () => value.range),
        },
      ],
    });
    return;
  }
  const channel = request.instanceLong(0);
  const all = channel === ALL_CHANNELS && request.verb === KSPROPERTY_TYPE_SET;
  if (!all && (channel < 0 || channel >= value.channels)) throw new NtError(STATUS_INVALID_PARAMETER);
  if (request.verb === KSPROPERTY_TYPE_GET) {
    request.setLong(value.get(channel));
    return;
  }
  const wanted = request.getLong();
  for (let each = 0; each < value.channels; each++) if (all || each === channel) value.set(each, wanted);
}
