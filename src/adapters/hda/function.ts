import { CUnknown, guid, IID, type IUnknown } from '../../com/index.ts';
import { NtError, STATUS_DEVICE_NOT_CONNECTED, STATUS_NO_SUCH_DEVICE } from '../../kernel/index.ts';
import type { HdaAdapter } from './adapter-object.ts';
import type { CodecDevice, CodecPlan, PlanConverter, PlanDevice } from './codec/model.ts';
import type { HdaController } from './controller.ts';
import { JackMonitor } from './jacks.ts';
import { type NameList, UniqueTexts } from './names.ts';
import type { HdaStreamFormat } from './stream-format.ts';
import { buildTopology, type Topology } from './topology-filter.ts';
import type { DeviceNames } from './wave-filter.ts';
import type { StreamConverters } from './wave-stream.ts';

export const IID_HdaFunction: IID<HdaFunction> = new IID(
  'IID_HdaFunction',
  guid('{0B5E7C14-8D2F-4C6A-A3B1-5F1E22C9D640}'),
);

/** One audio function group of a codec: what its wave and its topology miniport share. */
export class HdaFunction extends CUnknown {
  readonly codec: CodecDevice;
  readonly jacks: JackMonitor;
  readonly topology: Topology;
  /** For the wave filter, by device. */
  readonly deviceNames: readonly DeviceNames[];
  readonly #adapter: HdaAdapter;

  /** `names` is given the texts of this function's pins and nodes. */
  constructor(adapter: HdaAdapter, codec: CodecDevice, names: NameList) {
    super('HdaFunction');
    this.#adapter = adapter;
    this.codec = codec;
    this.jacks = new JackMonitor(codec);
    this.topology = buildTopology(codec.plan, names);
    const texts = new UniqueTexts();
    this.deviceNames = codec.plan.devices.map(({ name, direction }) => {
      const text = texts.take(name);
      const converter = direction === 'render' ? 'DAC' : 'ADC';
      return { pin: names.guidOf(text), node: names.guidOf(`${text} ${converter}`) };
    });
    adapter.addRef();
  }

  get plan(): CodecPlan {
    return this.codec.plan;
  }

  get controller(): HdaController {
    return this.#adapter.controller;
  }

  protected override nonDelegatingQueryInterface(iid: IID<unknown>): object | null {
    return iid.guid.equals(IID_HdaFunction.guid) ? this : null;
  }

  protected override finalRelease(): void {
    this.#adapter.forget(this);
    this.#adapter.release();
  }

  /** A device's converters, for a stream. */
  converters(device: number): StreamConverters {
    const planned = this.plan.devices[device] as PlanDevice;
    return {
      delaySamples: planned.delaySamples,
      connect: (streamTag, format) =>
        this.codec.routeStream(device, {
          streamTag,
          format: format.word,
          channels: format.channels,
          nonPcm: format.nonPcm,
          firstChannels: firstChannels(planned, format),
        }),
      disconnect: () => {
        try {
          this.codec.stopStream(device);
        } catch (error) {
          // A card that was pulled out plays nothing any more.
          if (!(error instanceof NtError) || error.status !== STATUS_DEVICE_NOT_CONNECTED) throw error;
        }
      },
    };
  }
}

/** Rear and side speakers stand in for each other where a set has only one of the pairs. */
const BACK = 0x30;
const SIDE = 0x600;

/**
 * Which channel of a stream is the first of each converter's: its speakers' place in the stream's mask. Null for a converter whose
 * speakers the stream does not have. Streams that do not say where their channels belong are taken in order.
 */
export function firstChannels(
  { converters, channelMask }: Pick<PlanDevice, 'converters' | 'channelMask'>,
  format: Pick<HdaStreamFormat, 'channels' | 'channelMask'>,
): readonly (number | null)[] {
  const inOrder = ({ firstChannel }: PlanConverter) => (firstChannel < format.channels ? firstChannel : null);
  // One channel, or two, is what the first converter plays.
  if (channelMask === 0 || format.channelMask === 0 || format.channels <= 2) return converters.map(inOrder);
  const streamSpeakers = speakersOf(format.channelMask);
  const setSpeakers = speakersOf(channelMask);
  return converters.map(({ firstChannel }) => {
    const speaker = setSpeakers[firstChannel];
    if (speaker === undefined) return null;
    const at = streamSpeakers.indexOf(speaker);
    if (at >= 0) return at;
    const other = standIn(speaker);
    const otherAt = other === null || setSpeakers.includes(other) ? -1 : streamSpeakers.indexOf(other);
    return otherAt < 0 ? null : otherAt;
  });
}

/** SPEAKER_* of a mask, lowest first, which is the order of channels in a stream. */
function speakersOf(mask: number): number[] {
  return Array.from({ length: 32 }, (_, bit) => 2 ** bit).filter((bit) => (mask & bit) !== 0);
}

function standIn(speaker: number): number | null {
  if ((speaker & BACK) !== 0) return speaker * (SIDE / BACK);
  return (speaker & SIDE) !== 0 ? speaker / (SIDE / BACK) : null;
}

/** The function group behind the `UnknownAdapter` that PortCls hands to a miniport's Init. */
export function functionOf(unknownAdapter: IUnknown | null): HdaFunction {
  if (!unknownAdapter)
    throw new NtError(STATUS_NO_SUCH_DEVICE, 'HDA: the miniport was initialised without its adapter object.');
  return unknownAdapter.queryInterface(IID_HdaFunction);
}
