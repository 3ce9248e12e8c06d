import {
  NtError,
  STATUS_INVALID_DEVICE_REQUEST,
  STATUS_INVALID_PARAMETER,
  STATUS_NOT_SUPPORTED,
} from '../../../kernel/index.ts';
import {
  decodeDataFormat,
  encodeDataFormat,
  KSAUDIO_PRESENTATION_POSITION,
  KSAUDIOENGINE_BUFFER_SIZE_RANGE,
  KSAUDIOENGINE_DESCRIPTOR,
  KSAUDIOENGINE_VOLUMELEVEL,
  type KSDATAFORMAT,
  KSPROPERTY_AUDIO_LINEAR_BUFFER_POSITION,
  KSPROPERTY_AUDIO_MUTE,
  KSPROPERTY_AUDIO_PEAKMETER2,
  KSPROPERTY_AUDIO_PRESENTATION_POSITION,
  KSPROPERTY_AUDIO_VOLUMELEVEL,
  KSPROPERTY_AUDIO_WAVERT_CURRENT_WRITE_LASTBUFFER_POSITION,
  KSPROPERTY_AUDIO_WAVERT_CURRENT_WRITE_POSITION,
  KSPROPERTY_AUDIOENGINE_BUFFER_SIZE_RANGE,
  KSPROPERTY_AUDIOENGINE_DESCRIPTOR,
  KSPROPERTY_AUDIOENGINE_DEVICEFORMAT,
  KSPROPERTY_AUDIOENGINE_GFXENABLE,
  KSPROPERTY_AUDIOENGINE_LFXENABLE,
  KSPROPERTY_AUDIOENGINE_LOOPBACK_PROTECTION,
  KSPROPERTY_AUDIOENGINE_MIXFORMAT,
  KSPROPERTY_AUDIOENGINE_SUPPORTEDDEVICEFORMATS,
  KSPROPERTY_AUDIOENGINE_VOLUMELEVEL,
  KSPROPERTY_TYPE_BASICSUPPORT,
  KSPROPERTY_TYPE_GET,
  KSPROPERTY_TYPE_SET,
  KSPROPSETID_Audio,
  KSPROPSETID_AudioEngine,
} from '../../../ks/index.ts';
import {
  AUDIO_CURVE_TYPE_NONE,
  AUDIO_CURVE_TYPE_WINDOWS_FADE,
  AUDIO_ENGINE_ALL_CHANNELS,
  type BasicSupport,
  type BasicSupportRange,
  CONSTRICTOR_OPTION_DISABLE,
  CONSTRICTOR_OPTION_MUTE,
  type eChannelTargetType,
  eMuteAttribute,
  ePeakMeterAttribute,
  eVolumeAttribute,
  type HandlerStatus,
  type IMiniportAudioEngineNode,
  type IMiniportStreamAudioEngineNode,
  KSPROPERTY_MEMBER_FLAG_BASICSUPPORT_MULTICHANNEL,
  KSPROPERTY_MEMBER_STEPPEDRANGES,
  type PCPROPERTY_REQUEST,
  VT_BOOL,
  VT_I4,
} from '../../ddi/index.ts';
import type { PortHandle } from '../port-handle.ts';
import type { PortProperty } from '../port-property.ts';
import { valueBytesOf } from '../stream-pin-properties.ts';
import { writeUlonglong } from '../value-bytes.ts';
import type { PortWaveRT } from './port-wavert.ts';
import { WaveRTPin } from './wavert-pin.ts';

/** Channel and Reserved of KSNODEPROPERTY_AUDIO_CHANNEL, behind KSNODEPROPERTY. */
const CHANNEL_TAIL = 8;
const KSMULTIPLE_ITEM_SIZE = 8;

/**
 * Properties of one KSNODETYPE_AUDIO_ENGINE node (audio docs, "Hardware Offloaded Audio Driver Implementation"). What concerns
 * the device is asked of the miniport's IMiniportAudioEngineNode, what concerns one stream of the pin's
 * IMiniportStreamAudioEngineNode: volume, mute and peak meter of a pin handle are the stream's, of a filter handle the device's.
 *
 * Without the interface a request gets STATUS_NOT_SUPPORTED; one for a stream that comes to a filter handle
 * STATUS_INVALID_DEVICE_REQUEST. The miniport's automation table goes first.
 */
export function audioEngineProperties(port: PortWaveRT, nodeId: number): readonly PortProperty<PortHandle>[] {
  const engine = new EngineCalls(port);
  return [
    ...deviceProperties(engine, nodeId),
    ...streamProperties(engine),
    ...controlProperties(engine, nodeId),
  ];
}

/** The two sides of an engine, and calls into them. */
class EngineCalls {
  readonly #port: PortWaveRT;

  constructor(port: PortWaveRT) {
    this.#port = port;
  }

  /** Calls the device's side. */
  device<T>(method: string, call: (node: IMiniportAudioEngineNode) => T): T {
    const node = this.#port.audioEngineNode;
    if (node === null)
      throw new NtError(STATUS_NOT_SUPPORTED, 'the miniport has no IMiniportAudioEngineNode');
    return this.#port.kernel.callOut(this.#port.driverName, `IMiniportAudioEngineNode::${method}`, () =>
      call(node),
    );
  }

  /** Calls the stream's side. */
  stream<T>(target: PortHandle, method: string, call: (node: IMiniportStreamAudioEngineNode) => T): T {
    const pin = this.pin(target);
    const node = pin.engineNode;
    if (node === null)
      throw new NtError(STATUS_NOT_SUPPORTED, 'the stream has no IMiniportStreamAudioEngineNode');
    pin.requirePresent();
    return pin.callOut(`IMiniportStreamAudioEngineNode::${method}`, () => call(node));
  }

  pin(target: PortHandle): WaveRTPin {
    if (target instanceof WaveRTPin) return target;
    throw new NtError(STATUS_INVALID_DEVICE_REQUEST, 'the property belongs to a stream: send it to a pin');
  }
}

// -------------------------------------------------------------------- the device's properties

function deviceProperties(engine: EngineCalls, nodeId: number): readonly PortProperty<PortHandle>[] {
  return [
    engineProperty(KSPROPERTY_AUDIOENGINE_GFXENABLE, {
      valueBytes: 4,
      onGet: (_target, request) =>
        request.setBool(engine.device('GetGfxState', (node) => node.getGfxState(request.node))),
      onSet: (_target, request) => {
        const enable = request.getBool();
        engine.device('SetGfxState', (node) => node.setGfxState(request.node, enable));
      },
    }),
    engineProperty(KSPROPERTY_AUDIOENGINE_MIXFORMAT, {
      onGet: (_target, request) =>
        request.setBytes(
          encodeDataFormat(engine.device('GetMixFormat', (node) => node.getMixFormat(request.node))),
        ),
    }),
    engineProperty(KSPROPERTY_AUDIOENGINE_DEVICEFORMAT, {
      onGet: (_target, request) =>
        request.setBytes(
          encodeDataFormat(engine.device('GetDeviceFormat', (node) => node.getDeviceFormat(request.node))),
        ),
      onSet: (_target, request) => {
        const format = decodeDataFormat(request.getBytes());
        engine.device('SetDeviceFormat', (node) => node.setDeviceFormat(request.node, format));
      },
    }),
    engineProperty(KSPROPERTY_AUDIOENGINE_SUPPORTEDDEVICEFORMATS, {
      onGet: (_target, request) =>
        request.setBytes(
          encodeFormats(
            engine.device('GetSupportedDeviceFormats', (node) =>
              node.getSupportedDeviceFormats(request.node),
            ),
          ),
        ),
    }),
    engineProperty(KSPROPERTY_AUDIOENGINE_DESCRIPTOR, {
      valueBytes: KSAUDIOENGINE_DESCRIPTOR.size,
      onGet: (_target, request) =>
        request.setBytes(
          KSAUDIOENGINE_DESCRIPTOR.encode(
            engine.device('GetAudioEngineDescriptor', (node) => node.getAudioEngineDescriptor(request.node)),
          ),
        ),
    }),
    engineProperty(KSPROPERTY_AUDIOENGINE_BUFFER_SIZE_RANGE, {
      valueBytes: KSAUDIOENGINE_BUFFER_SIZE_RANGE.size,
      onGet: (_target, request) => {
        if (request.instance === null)
          throw new NtError(STATUS_INVALID_PARAMETER, 'no format follows KSP_NODE');
        const format = decodeDataFormat(request.instance);
        const range = engine.device('GetBufferSizeRange', (node) => node.getBufferSizeRange(nodeId, format));
        request.setBytes(KSAUDIOENGINE_BUFFER_SIZE_RANGE.encode(range));
      },
    }),
  ];
}

/** KSMULTIPLE_ITEM and the formats, each on a multiple of 8 bytes. */
function encodeFormats(formats: readonly KSDATAFORMAT[]): Uint8Array {
  const encoded = formats.map(encodeDataFormat);
  const padded = (length: number) => Math.ceil(length / 8) * 8;
  const size = encoded.reduce((sum, format) => sum + padded(format.byteLength), KSMULTIPLE_ITEM_SIZE);
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, size, true);
  view.setUint32(4, encoded.length, true);
  let at = KSMULTIPLE_ITEM_SIZE;
  for (const format of encoded) {
    bytes.set(format, at);
    at += padded(format.byteLength);
  }
  return bytes;
}

// -------------------------------------------------------------------- a stream's properties

function streamProperties(engine: EngineCalls): readonly PortProperty<PortHandle>[] {
  return [
    engineProperty(KSPROPERTY_AUDIOENGINE_LFXENABLE, {
      valueBytes: 4,
      onGet: (target, request) =>
        request.setBool(engine.stream(target, 'GetLfxState', (node) => node.getLfxState())),
      onSet: (target, request) => {
        const enable = request.getBool();
        engine.stream(target, 'SetLfxState', (node) => node.setLfxState(enable));
      },
    }),
    engineProperty(KSPROPERTY_AUDIOENGINE_LOOPBACK_PROTECTION, {
      valueBytes: 4,
      onSet: (target, request) => {
        const option = request.getUlong();
        if (option !== CONSTRICTOR_OPTION_DISABLE && option !== CONSTRICTOR_OPTION_MUTE) {
          throw new NtError(STATUS_INVALID_PARAMETER, `CONSTRICTOR_OPTION ${option}`);
        }
        engine.stream(target, 'SetStreamLoopbackProtection', (node) =>
          node.setStreamLoopbackProtection(option),
        );
      },
    }),
    engineProperty(KSPROPERTY_AUDIOENGINE_VOLUMELEVEL, {
      instanceBytes: CHANNEL_TAIL,
      valueBytes: 4,
      onGet: (target, request) => {
        const channel = oneStreamChannel(engine, target, request, eVolumeAttribute);
        request.setLong(
          engine.stream(target, 'GetStreamChannelVolume', (node) => node.getStreamChannelVolume(channel)),
        );
      },
      onSet: (target, request) => {
        request.requireValue(KSAUDIOENGINE_VOLUMELEVEL.size);
        const { targetVolume, curveType, curveDuration } = KSAUDIOENGINE_VOLUMELEVEL.decode(
          request.getBytes(),
        );
        if (curveType !== AUDIO_CURVE_TYPE_NONE && curveType !== AUDIO_CURVE_TYPE_WINDOWS_FADE) {
          throw new NtError(STATUS_INVALID_PARAMETER, `AUDIO_CURVE_TYPE ${curveType}`);
        }
        if (curveType === AUDIO_CURVE_TYPE_NONE && curveDuration !== 0) {
          throw new NtError(STATUS_INVALID_PARAMETER, 'AUDIO_CURVE_TYPE_NONE takes no time');
        }
        const channel = streamChannel(engine, target, request, eVolumeAttribute);
        engine.stream(target, 'SetStreamChannelVolume', (node) =>
          node.setStreamChannelVolume(channel, targetVolume, curveType, curveDuration),
        );
      },
      onSupport: (target) =>
        controlSupport(
          GET_SET,
          VT_I4,
          engine.stream(target, 'GetStreamAttributeSteppings', (node) =>
            node.getStreamAttributeSteppings(eVolumeAttribute),
          ),
        ),
    }),
    audioProperty(KSPROPERTY_AUDIO_LINEAR_BUFFER_POSITION, {
      valueBytes: 8,
      onGet: (target, request) => {
        const bytes = engine.stream(target, 'GetStreamLinearBufferPosition', (node) =>
          node.getStreamLinearBufferPosition(),
        );
        writeUlonglong(valueBytesOf(request, 8), 0, bytes);
      },
    }),
    audioProperty(KSPROPERTY_AUDIO_PRESENTATION_POSITION, {
      valueBytes: KSAUDIO_PRESENTATION_POSITION.size,
      onGet: (target, request) => {
        const position = engine.stream(target, 'GetStreamPresentationPosition', (node) =>
          node.getStreamPresentationPosition(),
        );
        request.setBytes(KSAUDIO_PRESENTATION_POSITION.encode(position));
      },
    }),
    audioProperty(KSPROPERTY_AUDIO_WAVERT_CURRENT_WRITE_POSITION, {
      valueBytes: 4,
      onSet: (target, request) => {
        const position = writePosition(engine, target, request);
        engine.stream(target, 'SetStreamCurrentWritePosition', (node) =>
          node.setStreamCurrentWritePosition(position),
        );
      },
    }),
    audioProperty(KSPROPERTY_AUDIO_WAVERT_CURRENT_WRITE_LASTBUFFER_POSITION, {
      valueBytes: 4,
      onSet: (target, request) => {
        const position = writePosition(engine, target, request);
        const pin = engine.pin(target);
        const node = requireEngineNode2(pin);
        pin.callOut('IMiniportStreamAudioEngineNode2::SetStreamCurrentWritePositionForLastBuffer', () =>
          node.setStreamCurrentWritePositionForLastBuffer(position),
        );
      },
      // A client learns from basic support whether the driver knows this (Windows 8.1) property.
      onSupport: (target) => {
        requireEngineNode2(engine.pin(target));
        return { accessFlags: KSPROPERTY_TYPE_SET | KSPROPERTY_TYPE_BASICSUPPORT };
      },
    }),
  ];
}

function requireEngineNode2(pin: WaveRTPin) {
  const node = pin.engineNode2;
  if (node === null)
    throw new NtError(STATUS_NOT_SUPPORTED, 'the stream has no IMiniportStreamAudioEngineNode2');
  return node;
}

/** A write position is a byte offset up to and including the size of the cyclic buffer, which must exist. */
function writePosition(engine: EngineCalls, target: PortHandle, request: PCPROPERTY_REQUEST): number {
  const position = request.getUlong();
  const size = engine.pin(target).buffer?.actualSize ?? 0;
  if (position > size) {
    throw new NtError(
      STATUS_INVALID_PARAMETER,
      `write position ${position} in a cyclic buffer of ${size} bytes`,
    );
  }
  return position;
}

// -------------------------------------------------------------------- volume, mute, peak meter of either

const GET_SET = KSPROPERTY_TYPE_GET | KSPROPERTY_TYPE_SET;

function controlProperties(engine: EngineCalls, nodeId: number): readonly PortProperty<PortHandle>[] {
  const steppings = (target: PortHandle, control: eChannelTargetType): readonly BasicSupportRange[] =>
    target.kind === 'pin'
      ? engine.stream(target, 'GetStreamAttributeSteppings', (node) =>
          node.getStreamAttributeSteppings(control),
        )
      : engine.device('GetDeviceAttributeSteppings', (node) =>
          node.getDeviceAttributeSteppings(nodeId, control),
        );
  const anyChannel = (target: PortHandle, request: PCPROPERTY_REQUEST, control: eChannelTargetType) =>
    target.kind === 'pin'
      ? streamChannel(engine, target, request, control)
      : deviceChannel(engine, request, control);
  const oneChannel = (target: PortHandle, request: PCPROPERTY_REQUEST, control: eChannelTargetType) =>
    requireOne(anyChannel(target, request, control));
  return [
    audioProperty(KSPROPERTY_AUDIO_VOLUMELEVEL, {
      instanceBytes: CHANNEL_TAIL,
      valueBytes: 4,
      onGet: (target, request) => {
        const channel = oneChannel(target, request, eVolumeAttribute);
        request.setLong(
          target.kind === 'pin'
            ? engine.stream(target, 'GetStreamChannelVolume', (node) => node.getStreamChannelVolume(channel))
            : engine.device('GetDeviceChannelVolume', (node) =>
                node.getDeviceChannelVolume(request.node, channel),
              ),
        );
      },
      onSet: (target, request) => {
        const channel = anyChannel(target, request, eVolumeAttribute);
        const volume = request.getLong();
        if (target.kind === 'pin') {
          engine.stream(target, 'SetStreamChannelVolume', (node) =>
            node.setStreamChannelVolume(channel, volume, AUDIO_CURVE_TYPE_NONE, 0),
          );
        } else {
          engine.device('SetDeviceChannelVolume', (node) =>
            node.setDeviceChannelVolume(request.node, channel, volume),
          );
        }
      },
      onSupport: (target) => controlSupport(GET_SET, VT_I4, steppings(target, eVolumeAttribute)),
    }),
    audioProperty(KSPROPERTY_AUDIO_MUTE, {
      instanceBytes: CHANNEL_TAIL,
      valueBytes: 4,
      onGet: (target, request) => {
        const channel = oneChannel(target, request, eMuteAttribute);
        request.setBool(
          target.kind === 'pin'
            ? engine.stream(target, 'GetStreamChannelMute', (node) => node.getStreamChannelMute(channel))
            : engine.device('GetDeviceChannelMute', (node) =>
                node.getDeviceChannelMute(request.node, channel),
              ),
        );
      },
      onSet: (target, request) => {
        const channel = anyChannel(target, request, eMuteAttribute);
        const mute = request.getBool();
        if (target.kind === 'pin') {
          engine.stream(target, 'SetStreamChannelMute', (node) => node.setStreamChannelMute(channel, mute));
        } else {
          engine.device('SetDeviceChannelMute', (node) =>
            node.setDeviceChannelMute(request.node, channel, mute),
          );
        }
      },
      onSupport: (target) => controlSupport(GET_SET, VT_BOOL, steppings(target, eMuteAttribute)),
    }),
    audioProperty(KSPROPERTY_AUDIO_PEAKMETER2, {
      instanceBytes: CHANNEL_TAIL,
      valueBytes: 4,
      onGet: (target, request) => {
        const channel = oneChannel(target, request, ePeakMeterAttribute);
        request.setLong(
          target.kind === 'pin'
            ? engine.stream(target, 'GetStreamChannelPeakMeter', (node) =>
                node.getStreamChannelPeakMeter(channel),
              )
            : engine.device('GetDeviceChannelPeakMeter', (node) =>
                node.getDeviceChannelPeakMeter(request.node, channel),
              ),
        );
      },
      onSupport: (target) =>
        controlSupport(KSPROPERTY_TYPE_GET, VT_I4, steppings(target, ePeakMeterAttribute)),
    }),
  ];
}

/** The channel that a request names: one that exists, or all of them. */
function checkedChannel(channel: number, count: number): number {
  if (channel !== AUDIO_ENGINE_ALL_CHANNELS && channel >= count) {
    throw new NtError(STATUS_INVALID_PARAMETER, `channel ${channel} of ${count}`);
  }
  return channel;
}

function deviceChannel(
  engine: EngineCalls,
  request: PCPROPERTY_REQUEST,
  control: eChannelTargetType,
): number {
  return checkedChannel(
    request.instanceUlong(0),
    engine.device('GetDeviceChannelCount', (node) => node.getDeviceChannelCount(request.node, control)),
  );
}

function streamChannel(
  engine: EngineCalls,
  target: PortHandle,
  request: PCPROPERTY_REQUEST,
  control: eChannelTargetType,
): number {
  return checkedChannel(
    request.instanceUlong(0),
    engine.stream(target, 'GetStreamChannelCount', (node) => node.getStreamChannelCount(control)),
  );
}

function oneStreamChannel(
  engine: EngineCalls,
  target: PortHandle,
  request: PCPROPERTY_REQUEST,
  control: eChannelTargetType,
): number {
  return requireOne(streamChannel(engine, target, request, control));
}

/** A get request is about one channel: there is no single value of all of them. */
function requireOne(channel: number): number {
  if (channel === AUDIO_ENGINE_ALL_CHANNELS)
    throw new NtError(STATUS_INVALID_PARAMETER, 'a get request names one channel');
  return channel;
}

/** Basic support of a control: one stepped range per channel, with the multichannel flag. */
function controlSupport(
  access: number,
  valueType: number,
  ranges: readonly BasicSupportRange[],
): BasicSupport {
  return {
    accessFlags: access | KSPROPERTY_TYPE_BASICSUPPORT,
    valueType,
    members: [
      {
        membersFlags: KSPROPERTY_MEMBER_STEPPEDRANGES,
        flags: KSPROPERTY_MEMBER_FLAG_BASICSUPPORT_MULTICHANNEL,
        ranges,
      },
    ],
  };
}

// -------------------------------------------------------------------- table helpers

interface EngineHandlers {
  readonly instanceBytes?: number;
  readonly valueBytes?: number;
  readonly onGet?: (target: PortHandle, request: PCPROPERTY_REQUEST) => HandlerStatus;
  readonly onSet?: (target: PortHandle, request: PCPROPERTY_REQUEST) => HandlerStatus;
  readonly onSupport?: (target: PortHandle) => BasicSupport;
}

function engineProperty(id: number, handlers: EngineHandlers): PortProperty<PortHandle> {
  return { set: KSPROPSETID_AudioEngine, id, owned: false, ...handlers };
}

function audioProperty(id: number, handlers: EngineHandlers): PortProperty<PortHandle> {
  return { set: KSPROPSETID_Audio, id, owned: false, ...handlers };
}
