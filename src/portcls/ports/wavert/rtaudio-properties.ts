import { NtError, STATUS_INVALID_PARAMETER, STATUS_NOT_SUPPORTED } from '../../../kernel/index.ts';
import {
  KSPROPERTY_RTAUDIO_BUFFER,
  KSPROPERTY_RTAUDIO_BUFFER_WITH_NOTIFICATION,
  KSPROPERTY_RTAUDIO_CLOCKREGISTER,
  KSPROPERTY_RTAUDIO_GETREADPACKET,
  KSPROPERTY_RTAUDIO_HWLATENCY,
  KSPROPERTY_RTAUDIO_PACKETCOUNT,
  KSPROPERTY_RTAUDIO_POSITIONREGISTER,
  KSPROPERTY_RTAUDIO_PRESENTATION_POSITION,
  KSPROPERTY_RTAUDIO_QUERY_NOTIFICATION_SUPPORT,
  KSPROPERTY_RTAUDIO_REGISTER_NOTIFICATION_EVENT,
  KSPROPERTY_RTAUDIO_SETWRITEPACKET,
  KSPROPERTY_RTAUDIO_UNREGISTER_NOTIFICATION_EVENT,
  KSPROPERTY_TYPE_BASICSUPPORT,
  KSPROPERTY_TYPE_GET,
  KSPROPERTY_TYPE_SET,
  KSPROPSETID_RtAudio,
  KSRTAUDIO_BUFFER,
  KSRTAUDIO_HWLATENCY,
  KSRTAUDIO_HWREGISTER,
  readUlong,
  writeUlong,
} from '../../../ks/index.ts';
import type { BasicSupport, PCPROPERTY_REQUEST } from '../../ddi/index.ts';
import type { PortPin } from '../port-handle.ts';
import type { PortProperty } from '../port-property.ts';
import { setUlongValue, valueBytesOf } from '../stream-pin-properties.ts';
import { readPointer, writeUlonglong } from '../value-bytes.ts';
import type { HardwareRegister, WaveRTPin } from './wavert-pin.ts';
import { waveRTPin } from './wavert-pin.ts';

/** Behind KSPROPERTY: BaseAddress, RequestedBufferSize, NotificationCount or padding (KSRTAUDIO_BUFFER_PROPERTY is 40 bytes). */
const BUFFER_PROPERTY_TAIL = 16;
/** Behind KSPROPERTY: BaseAddress (KSRTAUDIO_HWREGISTER_PROPERTY). */
const HWREGISTER_PROPERTY_TAIL = 8;
/** Behind KSPROPERTY: NotificationEvent (KSRTAUDIO_NOTIFICATION_EVENT_PROPERTY). */
const NOTIFICATION_EVENT_PROPERTY_TAIL = 8;
const SETWRITEPACKET_INFO_SIZE = 12;
const GETREADPACKET_INFO_SIZE = 24;
const PRESENTATION_POSITION_SIZE = 16;

function instanceOf(request: PCPROPERTY_REQUEST): Uint8Array {
  if (request.instance === null) throw new NtError(STATUS_INVALID_PARAMETER);
  return request.instance;
}

function getBuffer(target: PortPin, request: PCPROPERTY_REQUEST, withNotification: boolean): void {
  const instance = instanceOf(request);
  const notificationCount = withNotification ? readUlong(instance, 12) : 0;
  if (withNotification && notificationCount === 0) {
    throw new NtError(STATUS_INVALID_PARAMETER, 'NotificationCount 0: 1 and 2 are possible');
  }
  const buffer = waveRTPin(target).allocateBuffer(request.process, {
    baseAddress: readPointer(instance, 0),
    requestedSize: readUlong(instance, 8),
    notificationCount,
  });
  request.setBytes(
    KSRTAUDIO_BUFFER.encode({
      bufferAddress: buffer.address,
      actualBufferSize: buffer.actualSize,
      callMemoryBarrier: buffer.callMemoryBarrier,
    }),
  );
}

/** Basic support of a property that needs an optional interface of the stream: STATUS_NOT_SUPPORTED without it. */
function supportedIf(access: number, has: (pin: WaveRTPin) => boolean): (target: PortPin) => BasicSupport {
  return (target) => {
    if (!has(waveRTPin(target)))
      throw new NtError(STATUS_NOT_SUPPORTED, 'the stream lacks the interface for this');
    return { accessFlags: access | KSPROPERTY_TYPE_BASICSUPPORT };
  };
}

const hasNotification = (pin: WaveRTPin): boolean => pin.notification !== null;
const hasOutput = (pin: WaveRTPin): boolean => pin.output !== null;
const hasInput = (pin: WaveRTPin): boolean => pin.input !== null;

/** The preferred base address in the request is a wish: the register is mapped where there is room. */
function registerProperty(id: number, which: HardwareRegister): PortProperty<PortPin> {
  return {
    set: KSPROPSETID_RtAudio,
    id,
    owned: true,
    instanceBytes: HWREGISTER_PROPERTY_TAIL,
    valueBytes: KSRTAUDIO_HWREGISTER.size,
    onGet: (pin, request) =>
      request.setBytes(KSRTAUDIO_HWREGISTER.encode(waveRTPin(pin).mapRegister(which, request.process))),
  };
}

/** The pages call both get and set legal for these two; each does the same. */
function notificationEventProperty(
  id: number,
  act: (pin: WaveRTPin, request: PCPROPERTY_REQUEST, handle: number) => void,
): PortProperty<PortPin> {
  const handler = (target: PortPin, request: PCPROPERTY_REQUEST): void => {
    act(waveRTPin(target), request, readPointer(instanceOf(request), 0));
    request.valueSize = 0;
  };
  return {
    set: KSPROPSETID_RtAudio,
    id,
    owned: true,
    instanceBytes: NOTIFICATION_EVENT_PROPERTY_TAIL,
    onGet: handler,
    onSet: handler,
    onSupport: supportedIf(KSPROPERTY_TYPE_GET | KSPROPERTY_TYPE_SET, hasNotification),
  };
}

/** KSPROPSETID_RtAudio (audio docs, ksproperty-rtaudio-*.md). */
export const rtAudioProperties: readonly PortProperty<PortPin>[] = [
  {
    set: KSPROPSETID_RtAudio,
    id: KSPROPERTY_RTAUDIO_BUFFER,
    owned: true,
    instanceBytes: BUFFER_PROPERTY_TAIL,
    valueBytes: KSRTAUDIO_BUFFER.size,
    onGet: (pin, request) => getBuffer(pin, request, false),
  },
  {
    set: KSPROPSETID_RtAudio,
    id: KSPROPERTY_RTAUDIO_BUFFER_WITH_NOTIFICATION,
    owned: true,
    instanceBytes: BUFFER_PROPERTY_TAIL,
    valueBytes: KSRTAUDIO_BUFFER.size,
    onGet: (pin, request) => getBuffer(pin, request, true),
    onSupport: supportedIf(KSPROPERTY_TYPE_GET, hasNotification),
  },
  {
    set: KSPROPSETID_RtAudio,
    id: KSPROPERTY_RTAUDIO_QUERY_NOTIFICATION_SUPPORT,
    owned: true,
    valueBytes: 4,
    onGet: (pin, request) => request.setBool(waveRTPin(pin).notification !== null),
  },
  notificationEventProperty(KSPROPERTY_RTAUDIO_REGISTER_NOTIFICATION_EVENT, (pin, request, handle) => {
    pin.requirePresent();
    pin.events.register(request.process, handle);
  }),
  notificationEventProperty(KSPROPERTY_RTAUDIO_UNREGISTER_NOTIFICATION_EVENT, (pin, request, handle) => {
    pin.events.unregister(request.process, handle);
  }),
  {
    set: KSPROPSETID_RtAudio,
    id: KSPROPERTY_RTAUDIO_HWLATENCY,
    owned: true,
    valueBytes: KSRTAUDIO_HWLATENCY.size,
    onGet: (target, request) => {
      const pin = waveRTPin(target);
      pin.requirePresent();
      const latency = pin.callOut('IMiniportWaveRTStream::GetHWLatency', () => pin.waveStream.getHWLatency());
      request.setBytes(KSRTAUDIO_HWLATENCY.encode(latency));
    },
  },
  registerProperty(KSPROPERTY_RTAUDIO_POSITIONREGISTER, 'PositionRegister'),
  registerProperty(KSPROPERTY_RTAUDIO_CLOCKREGISTER, 'ClockRegister'),
  {
    set: KSPROPSETID_RtAudio,
    id: KSPROPERTY_RTAUDIO_PACKETCOUNT,
    owned: true,
    valueBytes: 4,
    onGet: (pin, request) => setUlongValue(request, waveRTPin(pin).getPacketCount()),
    onSupport: supportedIf(KSPROPERTY_TYPE_GET, hasOutput),
  },
  {
    set: KSPROPSETID_RtAudio,
    id: KSPROPERTY_RTAUDIO_PRESENTATION_POSITION,
    owned: true,
    valueBytes: PRESENTATION_POSITION_SIZE,
    onGet: (pin, request) => {
      const { u64PositionInBlocks, u64QPCPosition } = waveRTPin(pin).getPresentationPosition();
      const value = valueBytesOf(request, PRESENTATION_POSITION_SIZE);
      writeUlonglong(value, 0, u64PositionInBlocks);
      writeUlonglong(value, 8, u64QPCPosition);
    },
    onSupport: supportedIf(KSPROPERTY_TYPE_GET, hasOutput),
  },
  {
    set: KSPROPSETID_RtAudio,
    id: KSPROPERTY_RTAUDIO_SETWRITEPACKET,
    owned: true,
    valueBytes: SETWRITEPACKET_INFO_SIZE,
    onSet: (pin, request) => {
      const info = valueBytesOf(request, SETWRITEPACKET_INFO_SIZE);
      waveRTPin(pin).setWritePacket(readUlong(info, 0), readUlong(info, 4), readUlong(info, 8));
    },
    onSupport: supportedIf(KSPROPERTY_TYPE_SET, hasOutput),
  },
  {
    set: KSPROPSETID_RtAudio,
    id: KSPROPERTY_RTAUDIO_GETREADPACKET,
    owned: true,
    valueBytes: GETREADPACKET_INFO_SIZE,
    onGet: (pin, request) => {
      const { packetNumber, flags, performanceCounterValue, moreData } = waveRTPin(pin).getReadPacket();
      const value = valueBytesOf(request, GETREADPACKET_INFO_SIZE);
      writeUlong(value, 0, packetNumber);
      writeUlong(value, 4, flags);
      writeUlonglong(value, 8, performanceCounterValue);
      writeUlong(value, 16, moreData ? 1 : 0);
      writeUlong(value, 20, 0);
    },
    onSupport: supportedIf(KSPROPERTY_TYPE_GET, hasInput),
  },
];
